"""``edge-ser listen``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.cli.answering import add_deciding
from edge.cli.config import Configured, add_config, configure, print_config
from edge.cli.listening import Listening
from edge.cli.microphone_options import add_microphone, check_microphone
from edge.cli.notices import own_stderr
from edge.cli.notify import Notifier
from edge.cli.options import add_events, add_lengths, add_model, positive_s
from edge.cli.pipe_options import add_pipe, check_pipe
from edge.cli.reload import has_terminal
from edge.cli.rule_options import add_rules
from edge.cli.saving_options import add_saving, check_saving
from edge.cli.signals import stopped_by_signals
from edge.cli.sink_options import add_sinks, check_sinks
from edge.cli.voice_options import add_voice, check_voice
from edge.errors import EdgeSerError, ParameterError
from edge.sources.registry import SourceRow, find_source

if TYPE_CHECKING:
    from edge.cli.options import Commands, Parser

__all__ = ["add_options", "add_parser", "check", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "listen",
        help="decide on live speech, a file or a pipe, as it goes",
        description="Decide on speech as it goes, one line a decision. Ctrl-C ends it.",
        allow_abbrev=False,
    )
    add_options(parser)


def add_options(parser: Parser) -> None:
    """Add what says how to listen, which a configuration file may say as well."""
    parser.add_argument(
        "--source",
        default="mic",
        metavar="mic|demo|FILE|-",
        help="the microphone (default), the bundled clip, an audio file, or standard input, "
        "WAV or raw samples; a file called mic is ./mic",
    )
    add_microphone(parser)
    parser.add_argument("--duration", type=positive_s, metavar="S", help="end after S s of audio")
    parser.add_argument(
        "--fast", action="store_true", help="do not play a file at the pace of speech"
    )
    add_lengths(parser, "the model's, mostly 0.5")
    add_deciding(parser)
    add_voice(parser)
    add_model(parser)
    add_events(parser)
    add_sinks(parser)
    add_rules(parser)
    add_pipe(parser)
    add_saving(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Decide on speech as it goes until it ends or a signal comes.

    Returns
    -------
    int
        0, or 2 where a sink failed, or what was heard last could not be written down.
    """
    configured = configure(args)
    if args.print_config:
        sys.stdout.write(print_config(configured))
        return 0
    row = check(configured)
    notifier = Notifier.from_environment()
    listening = Listening(args, notifier, check)
    # A terminal that is closed sends the same signal, and means the end.
    reloads = (notifier.is_heard or bool(configured.files)) and not has_terminal()
    told: dict[int, Callable[[], None]] = {signal.SIGUSR1: listening.voice.ask}
    if reloads:
        told[signal.SIGHUP] = listening.reloader.ask
    # First of all, so that a signal ends even the loading in good order.
    with stopped_by_signals(listening.stop, told), own_stderr():
        try:
            listening.run(configured, row)
        except EdgeSerError as error:
            notifier.tell("STOPPING=1", status=str(error))
            raise
    return 2 if listening.has_failed else 0


def check(configured: Configured) -> SourceRow:
    """Give the source, to which the other options belong.

    What a file says of another source than the one that was asked for on the command line is
    left out: that file is for the daily run.
    """
    try:
        return _source_row(configured)
    except ParameterError as error:
        raise configured.explained(error) from None


def _source_row(configured: Configured) -> SourceRow:
    args = configured.args
    row = find_source(args.source)
    check_microphone(configured, row)
    if args.fast and row.is_paced and not configured.leave_out("fast", "source"):
        raise ParameterError("--fast is for a file: a microphone cannot run ahead of time")
    check_pipe(configured, row)
    check_saving(args)
    check_voice(configured)
    check_sinks(configured)
    _check_events(configured)
    return row


def _check_events(configured: Configured) -> None:
    """Refuse what counts as an event where none are told."""
    args = configured.args
    for name in ("event_min", "event_merge"):
        is_given = getattr(args, name) != args.parser.get_default(name)
        if is_given and not args.events and not configured.leave_out(name, "events"):
            option = name.replace("_", "-")
            raise ParameterError(f"--{option} says what an event is: --events is wanted beside it")
