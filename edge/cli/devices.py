"""``edge-ser devices``."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from edge.errors import AudioDeviceError

__all__ = ["run"]


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
        print("* is the default", file=sys.stderr)
    return 0
