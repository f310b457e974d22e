"""What the parsers of several commands share."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, NoReturn

from edge.cli.renamed import OldName
from edge.errors import EdgeSerError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

__all__ = ["Parser", "add_lengths", "add_model", "positive_s"]


class _UsageError(EdgeSerError):
    """The command line was used wrongly."""


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong, as every other error is said."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of ending the process."""
        raise _UsageError(f"{message}; `{self.prog} --help` tells more")


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


def positive_s(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
