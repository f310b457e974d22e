"""``edge-ser listen``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from edge.cli.answering import add_deciding, deciding
from edge.cli.config import Configured, add_config, configure, print_config
from edge.cli.notices import Notices
from edge.cli.options import add_events, add_lengths, add_model, positive_s
from edge.cli.signals import stopped_by_signals
from edge.errors import ParameterError
from edge.sources import SourceSettings, Stop
from edge.sources.registry import SourceRow, find_source, open_source

if TYPE_CHECKING:
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "listen",
        help="decide on live speech, a file or a pipe, as it goes",
        description="Decide on speech as it goes, one line a decision. Ctrl-C ends it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--source",
        default="mic",
        metavar="mic|demo|FILE|-",
        help="the microphone (default), the bundled clip, an audio file, or raw 16 kHz mono "
        "16-bit samples from standard input; a file called mic is ./mic",
    )
    parser.add_argument("--device", metavar="NAME", help="microphone: its name, a part, or number")
    parser.add_argument("--duration", type=positive_s, metavar="S", help="end after S s of audio")
    parser.add_argument(
        "--fast", action="store_true", help="do not play a file at the pace of speech"
    )
    add_lengths(parser, "the model's, mostly 0.5")
    add_deciding(parser)
    add_model(parser)
    add_events(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Decide on speech as it goes until it ends or a signal comes."""
    configured = configure(args)
    if args.print_config:
        sys.stdout.write(print_config(configured))
        return 0
    try:
        row = _check(configured)
    except ParameterError as error:
        raise configured.explained(error) from None
    args = configured.args
    stop = Stop()
    # First of all, so that a signal ends even the loading in good order.
    with stopped_by_signals(stop):
        from edge.cli.model import open_classifier
        from edge.pipeline import WallClock, run_pipeline
        from edge.sinks.group import SinkGroup
        from edge.sinks.registry import SinkSettings, make_sink
        from edge.stream.events import EventSettings

        try:
            classifier = open_classifier(args)
        except KeyboardInterrupt:
            # It ended the process that tried the backend; ours was told to stop.
            if not stop.requested:
                raise
            return 0
        stream = classifier.stream(args.segment, args.hop, **deciding(args))
        notices = Notices()
        # Standard error has the warnings; a person would read them twice.
        clock = WallClock()
        settings = SinkSettings(
            sys.stdout,
            shows_warnings=False,
            events=args.events,
            time_of_day=row.is_live,
            now=clock.now_s,
        )
        sinks = SinkGroup(
            [make_sink("json_lines" if args.json else "terminal", settings)],
            notices.warn,
            notices.say,
        )
        source = open_source(
            row,
            SourceSettings(
                sample_rate=classifier.spec.sample_rate,
                path=args.source,
                device=args.device,
                fast=args.fast,
                warn=sinks.warn,
                opened=lambda name: notices.say(f"listening to {name}, Ctrl-C ends"),
            ),
        )
        summary = run_pipeline(
            source,
            stream,
            sinks,
            duration_s=args.duration,
            stop=stop,
            events=EventSettings(args.event_min, args.event_merge) if args.events else None,
            clock=clock,
        )
        notices.say(summary.sentence())
    return 0


def _check(configured: Configured) -> SourceRow:
    """Give the source, to which the other options belong.

    What a file says of another source than the one that was asked for on the command line is
    left out: that file is for the daily run.
    """
    args = configured.args
    row = find_source(args.source)
    if args.device is not None and not row.takes_device:
        if not configured.leave_out("device", "source"):
            raise ParameterError(f"--device names a microphone, --source is {args.source!r}")
    elif args.device == "":
        raise ParameterError("--device is empty, the name of a microphone is wanted")
    if args.fast and row.is_paced and not configured.leave_out("fast", "source"):
        raise ParameterError("--fast is for a file: a microphone cannot run ahead of time")
    return row
