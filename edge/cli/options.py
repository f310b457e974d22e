"""What the parsers of several commands share."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from edge.cli.renamed import OldName
from edge.errors import EdgeSerError
from edge.jobs import MOST_JOBS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

__all__ = [
    "Parser",
    "add_events",
    "add_jobs",
    "add_lengths",
    "add_model",
    "from_zero_s",
    "number",
    "positive_s",
]


class _UsageError(EdgeSerError):
    """The command line was used wrongly."""


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong, as every other error is said.

    Attributes
    ----------
    tells_given : bool
        Whether what is parsed also has ``given``, the destinations of the options that were on
        the command line, ``words``, the command line itself, and ``parser``.  Another hand, such as
        a configuration file, can then give the others.
    """

    tells_given = False

    @property
    def actions(self) -> Sequence[argparse.Action]:
        """The options, in the order in which they were added."""
        return tuple(self._actions)

    @property
    def exclusive(self) -> list[list[str]]:
        """Destinations of options that exclude each other."""
        return [
            [action.dest for action in group._group_actions]
            for group in self._mutually_exclusive_groups
        ]

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse as ever, and tell what was given where that is asked for."""
        if not self.tells_given:
            return super().parse_known_args(args, namespace)
        words = sys.argv[1:] if args is None else list(args)
        # Once without defaults: they cannot be told from what was given.
        with self._without_defaults():
            bare, rest = super().parse_known_args(words, argparse.Namespace())
        parsed = argparse.Namespace() if namespace is None else namespace
        given = {action.dest for action in self._actions} & set(vars(bare))
        for action in self._actions:
            if action.dest in given:
                setattr(parsed, action.dest, getattr(bare, action.dest))
            elif action.default is not argparse.SUPPRESS and not hasattr(parsed, action.dest):
                setattr(parsed, action.dest, _default(action))
        parsed.given, parsed.words, parsed.parser = frozenset(given), tuple(words), self
        return parsed, rest

    @contextlib.contextmanager
    def _without_defaults(self) -> Iterator[None]:
        defaults = [(action, action.default) for action in self._actions]
        try:
            for action, _ in defaults:
                action.default = argparse.SUPPRESS
            yield
        finally:
            for action, default in defaults:
                action.default = default

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse, and refuse what no option takes under the name of the command that it is for."""
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            import difflib

            command = self._command_of(parsed)
            known = [word for action in command._actions for word in action.option_strings]
            near = difflib.get_close_matches(rest[0].partition("=")[0], known, n=1, cutoff=0.75)
            command.error(
                f"unrecognized arguments: {' '.join(rest)}"
                + (f"; there is an option {near[0]}" if near else "")
            )
        return parsed

    def _command_of(self, parsed: argparse.Namespace) -> argparse.ArgumentParser:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                chosen: argparse.ArgumentParser = action.choices[getattr(parsed, action.dest)]
                return chosen
        return self

    def format_help(self) -> str:
        """Show options as flags whose old spelling takes a word."""
        flags = [(a, a.nargs) for a in self._actions if getattr(a, "shown_as_flag", False)]
        try:
            for action, _ in flags:
                action.nargs = 0
            return super().format_help()
        finally:
            for action, n in flags:
                action.nargs = n

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or version, or raise: ``argparse`` passes over a disk that is full."""
        (file or sys.stderr).write(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End when what was printed is written, or raise."""
        sys.stdout.flush()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """Raise instead of ending the process."""
        raise _UsageError(f"{message}; `{self.prog} --help` tells more")


def _default(action: argparse.Action) -> Any:
    # As argparse does: a default that is text is read like any other text.
    if isinstance(action.default, str) and callable(action.type):
        return action.type(action.default)
    return action.default


def add_lengths(parser: argparse.ArgumentParser, hop: str) -> None:
    """Add ``--segment`` and ``--hop``, whose default is told by ``hop``."""
    parser.add_argument(
        "--segment",
        type=positive_s,
        metavar="S",
        help="seconds of audio that a decision looks at (default: the model's, mostly 2.0)",
    )
    # The old name, for one version.
    parser.add_argument(
        "--window", type=positive_s, action=OldName, dest="segment", help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--hop",
        type=positive_s,
        metavar="S",
        help=f"seconds from one decision to the next (default: {hop})",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add ``--artifact`` and ``--backend``."""
    from edge.runtimes.registry import AUTO, RUNTIMES

    parser.add_argument(
        "--artifact",
        metavar="DIR",
        help="folder of the model, or of one model in several kinds, or claf-ser-tiny, the smaller "
        "bundled one (default: the bundled claf-ser)",
    )
    parser.add_argument(
        "--backend",
        default=AUTO,
        metavar="|".join((AUTO, *RUNTIMES)),
        help="what runs the model (default: auto, the fastest that works on this device; never a "
        "program, which runs only when it is named)",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add ``--jobs`` and ``--cluster``: who does the work."""
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="processes of this machine that share the work (default: 1)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="a cluster that does the work, tcp://HOST:8786 of Dask or ray://HOST:10001; files are "
        "read where its workers are",
    )


def add_events(parser: argparse.ArgumentParser) -> None:
    """Add ``--events`` and what counts as one."""
    parser.add_argument(
        "--events",
        action="store_true",
        help="print where a label begins and ends to hold, in place of a line a hop",
    )
    parser.add_argument(
        "--event-min",
        type=from_zero_s,
        default=1.0,
        metavar="S",
        help="--events: seconds that a label holds before it begins (default: 1)",
    )
    parser.add_argument(
        "--event-merge",
        type=from_zero_s,
        default=1.0,
        metavar="S",
        help="--events: longest break in seconds that ends nothing (default: 1)",
    )


def from_zero_s(text: str) -> float:
    """Read a number of seconds from 0."""
    value = number(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0")
    return value


def positive_s(text: str) -> float:
    """Read a number of seconds above 0."""
    value = number(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _jobs(text: str) -> int:
    value = number(text)
    if not 1 <= value <= MOST_JOBS or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_JOBS}")
    return int(value)


def number(text: str) -> float:
    """Read a number; NaN for what is none, which no check lets through."""
    try:
        return float(text)
    except ValueError:
        return math.nan
