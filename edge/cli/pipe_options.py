"""Options of what comes through a pipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edge.audio.pcm_format import MOST_CHANNELS
from edge.audio.raw_formats import DEFAULT_FORMAT, RAW_FORMATS, canonical_format
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.cli.config import Configured
    from edge.sources.registry import SourceRow

__all__ = ["add_pipe", "check_pipe", "pipe_settings"]


def add_pipe(parser: argparse.ArgumentParser) -> None:
    """Add ``--format`` and ``--channels``; ``--rate`` and ``--channel`` are a microphone's, too."""
    parser.add_argument(
        "--format",
        type=_format,
        metavar="FORMAT",
        help=f"standard input without a WAV header: {'|'.join(RAW_FORMATS)}, or arecord's names "
        f"such as S16_LE (default: {DEFAULT_FORMAT}; s24le is three bytes a sample, S24_LE four)",
    )
    parser.add_argument(
        "--channels",
        type=_channels,
        metavar="N",
        help="standard input without a WAV header: channels of its samples (default: 1)",
    )


def check_pipe(configured: Configured, row: SourceRow) -> None:
    """Refuse what says how samples are written where a source tells that itself.

    Raises
    ------
    ParameterError
        If one is there and the source is no pipe.
    """
    args = configured.args
    for dest in ("format", "channels"):
        is_given = getattr(args, dest) is not None
        if is_given and not row.takes_raw and not configured.leave_out(dest, "source"):
            raise ParameterError(
                f"--{dest} says what comes through a pipe, --source is {args.source!r}, - is wanted"
            )


def pipe_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Give the fields of ``SourceSettings`` that are a pipe's alone."""
    return {"input_format": args.format, "input_rate": args.rate, "n_channels": args.channels}


def _channels(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= MOST_CHANNELS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_CHANNELS}")
    return int(text)


def _format(text: str) -> str:
    try:
        return canonical_format(text)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
