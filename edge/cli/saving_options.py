"""Options of what is kept of the sound: nothing, unless they say so."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from edge.cli.options import number
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.taps import SaveAudio

__all__ = ["add_saving", "check_saving", "saving"]

_DEFAULT_MB = 100
_RANGE_MB = (1.0, 1e9)


def add_saving(parser: argparse.ArgumentParser) -> None:
    """Add ``--save-audio`` and ``--save-max-mb``."""
    parser.add_argument(
        "--save-audio",
        metavar="DIR",
        help="keep what is heard, as 16-bit WAV files in this folder, which nobody else may read "
        "(default: nothing is kept)",
    )
    parser.add_argument(
        "--save-max-mb",
        type=_megabytes,
        metavar="N",
        help=f"megabytes that --save-audio keeps, the latest; 2 a minute (default: {_DEFAULT_MB})",
    )


def check_saving(args: argparse.Namespace) -> None:
    """See whether the folder can be used, before anything is loaded.

    Raises
    ------
    AudioFileError
        If it cannot.
    ParameterError
        If there is none and a limit for it.
    """
    if args.save_audio is None:
        if args.save_max_mb is not None:
            raise ParameterError(
                "--save-max-mb limits what --save-audio DIR keeps, and no such folder is given"
            )
        return
    from edge.taps.recordings import Recordings

    Recordings(args.save_audio).close()


@contextlib.contextmanager
def saving(
    args: argparse.Namespace,
    sample_rate: int,
    *,
    warn: Callable[[str], None],
    say: Callable[[str], None],
    now: Callable[[], float],
) -> Iterator[list[SaveAudio]]:
    """Give the tap that keeps what is heard, or none, and say so.

    Parameters
    ----------
    args : argparse.Namespace
    sample_rate : int
        Of what is heard, in Hz.
    warn, say : callable
        Take what fails, and where it is kept.
    now : callable
        Unix time.
    """
    if args.save_audio is None:
        yield []
        return
    from edge.taps import SaveAudio

    max_mb = _DEFAULT_MB if args.save_max_mb is None else args.save_max_mb
    with SaveAudio(args.save_audio, sample_rate, max_mb, warn=warn, now=now) as tap:
        say(tap.describe())
        yield [tap]


def _megabytes(text: str) -> float:
    value = number(text)
    if not _RANGE_MB[0] <= value <= _RANGE_MB[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of megabytes from 1 to 1e9")
    return value
