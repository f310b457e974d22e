"""``edge-ser devices``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING

from edge.cli.notices import say
from edge.errors import AudioDeviceError, printable

if TYPE_CHECKING:
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "devices",
        help="list the input devices",
        description="List the input devices with their native rate and channels, each by the name "
        "that stays its own when a card gets another number.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """List the input devices.

    Notes
    -----
    With ``--json``: ``{"type": "device", "index", "name", "host_api", "n_channels",
    "sample_rate", "is_default", "identity"}``, one object a line.
    """
    from edge.audio.devices import list_input_devices
    from edge.audio.identity import NO_DEVICE, identities
    from edge.audio.mends import rights_sentence
    from edge.sinks import JsonLinesSink

    devices = list_input_devices()
    if not devices:
        raise AudioDeviceError(NO_DEVICE if (no_rights := rights_sentence()) is None else no_rights)
    names = identities(devices)
    if args.json:
        sink = JsonLinesSink(sys.stdout)
        for device, name in zip(devices, names, strict=True):
            sink.write({"type": "device", **dataclasses.asdict(device), "identity": name})
        return 0
    names = [printable(name) for name in names]
    width = max(len("name for --device"), *map(len, names))
    print(f"   #  {'name for --device':<{width}}  {'rate':>9}  channels")
    for device, name in zip(devices, names, strict=True):
        mark = "*" if device.is_default else " "
        print(
            f"{mark}{device.index:>3}  {name:<{width}}  {device.sample_rate:>6} Hz  "
            f"{device.n_channels:>8}"
        )
    if any(device.is_default for device in devices):
        say("* is the default")
    return 0
