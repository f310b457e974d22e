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
        description="List the input devices with their native rate and channels.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """List the input devices.

    Notes
    -----
    With ``--json``: ``{"type": "device", "index", "name", "host_api", "n_channels",
    "sample_rate", "is_default"}``, one object a line.
    """
    from edge.audio.devices import list_input_devices
    from edge.sinks import JsonLinesSink

    devices = list_input_devices()
    if not devices:
        raise AudioDeviceError(
            "there is no input device: plug in a microphone and check that `arecord -l` or "
            "`pactl list short sources` shows it"
        )
    if args.json:
        sink = JsonLinesSink(sys.stdout)
        for device in devices:
            sink.write({"type": "device", **dataclasses.asdict(device)})
        return 0
    devices = [
        dataclasses.replace(
            device, name=printable(device.name), host_api=printable(device.host_api)
        )
        for device in devices
    ]
    names = max(len("name"), *(len(device.name) for device in devices))
    hosts = max(len("host"), *(len(device.host_api) for device in devices))
    print(f"   #  {'name':<{names}}  {'host':<{hosts}}  {'rate':>9}  channels")
    for device in devices:
        mark = "*" if device.is_default else " "
        print(
            f"{mark}{device.index:>3}  {device.name:<{names}}  {device.host_api:<{hosts}}  "
            f"{device.sample_rate:>6} Hz  {device.n_channels:>8}"
        )
    if any(device.is_default for device in devices):
        say("* is the default")
    return 0
