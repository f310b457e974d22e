"""The options of a microphone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edge.cli.options import from_zero_s, number
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.cli.config import Configured
    from edge.sources.registry import SourceRow

__all__ = ["add_microphone", "check_microphone", "microphone_settings"]

_AUTO, _MIX = "auto", "mix"

#: What a pipe takes as well.
_OF_PIPES = frozenset({"channel", "rate", "gain"})

#: By destination, and what each is when nobody named it.
_OPTIONS = {"device": None, "channel": _AUTO, "rate": None, "gain": 0.0, "give_up_after": None}


def add_microphone(parser: argparse.ArgumentParser) -> None:
    """Add what a microphone is opened with."""
    parser.add_argument(
        "--device",
        metavar="NAME",
        help="microphone: its identity as `edge-ser devices` shows it, its name, a part, or number "
        "(default: the system's default)",
    )
    parser.add_argument(
        "--channel",
        type=_channel,
        default=_AUTO,
        metavar="N|mix|auto",
        help="channel to listen to: its number, 1 is the first; mix, the mean of all; auto, the "
        "loudest of the first seconds (default)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="HZ",
        help="rate that the sound is recorded at (default: the microphone's own), or that samples "
        "without a header have (the model's)",
    )
    parser.add_argument(
        "--gain",
        type=_gain,
        default=0.0,
        metavar="DB",
        help="make the sound of a microphone or a pipe louder by so many decibels, -60 to 60 "
        "(default: 0)",
    )
    parser.add_argument(
        "--give-up-after",
        type=from_zero_s,
        metavar="S",
        help="end with an error when there is no microphone for S s, 0 at once (default: wait for "
        "it, for ever)",
    )


def check_microphone(configured: Configured, row: SourceRow) -> None:
    """Refuse a microphone's options for another source.

    Parameters
    ----------
    configured : Configured
        What a file says of another source than the one that was asked for is left out.
    row : SourceRow
        The source.

    Raises
    ------
    ParameterError
        If such an option is on the command line, or the device's name is empty.
    """
    args = configured.args
    if row.takes_device:
        if args.device == "":
            raise ParameterError("--device is empty, the name of a microphone is wanted")
        return
    for option, default in _OPTIONS.items():
        if row.takes_raw and option in _OF_PIPES:
            continue
        if getattr(args, option) == default or configured.leave_out(option, "source"):
            continue
        name = option.replace("_", "-")
        what = "names a microphone" if option == "device" else "is for a microphone"
        raise ParameterError(f"--{name} {what}, --source is {args.source!r}")


def microphone_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Give the fields of ``SourceSettings`` that are a microphone's."""
    channel = args.channel
    return {
        "device": args.device,
        "channel": channel if isinstance(channel, str) else channel - 1,
        "capture_rate": args.rate,
        "gain_db": args.gain,
        "give_up_after_s": args.give_up_after,
    }


def _channel(text: str) -> int | str:
    """Read the number of a channel, from 1, or one of the two words."""
    if text in (_AUTO, _MIX):
        return text
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 1024):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no channel: a number (1 is the first), {_MIX} or {_AUTO} is wanted"
        )
    return int(text)


def _rate(text: str) -> int:
    """Read a rate in Hz."""
    if not (text.isascii() and text.isdecimal() and 1000 <= int(text[:9]) <= 768_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate of 1000 to 768000 Hz")
    return int(text)


def _gain(text: str) -> float:
    """Read a number of decibels."""
    value = number(text)
    if not -60 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of decibels, -60 to 60")
    return value
