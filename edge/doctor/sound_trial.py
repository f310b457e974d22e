"""What the child of the checks of devices does: list, record two seconds, open the others.

    python -m edge.doctor.sound_trial DEVICE CAPTURE_S

prints one line of JSON a step, as it goes, so that a step which hangs takes no earlier one with it.
DEVICE is empty for the default, CAPTURE_S 0 records nothing.  No sample leaves this process.
"""

from __future__ import annotations

import ctypes.util
import json
import sys
import threading
import time
from typing import Any

from edge.audio.devices import list_input_devices
from edge.audio.identity import InputDevice, pick_input_device
from edge.audio.portaudio import import_sounddevice, portaudio_reason
from edge.errors import EdgeSerError

__all__ = ["main"]

_RATES = (16_000, 44_100, 48_000)
# PulseAudio sends the first block up to 1.8 s late.
_FIRST_LIMIT_S = 3.0
_BLOCK_S = 0.032
_MOST_DEVICES = 16


def main(device: str, capture_s: float) -> None:
    """Take the steps."""
    _tell("library", path=ctypes.util.find_library("portaudio"))
    try:
        sd = import_sounddevice()
    except EdgeSerError as error:
        _tell("failed", at="import", problem=str(error))
        return
    _tell(
        "portaudio", version=sd.get_portaudio_version()[1], sounddevice=sd.__version__,
        host_apis=[str(api["name"]) for api in sd.query_hostapis()],
    )  # fmt: skip
    try:
        known = list_input_devices()
    except EdgeSerError as error:
        _tell("failed", at="list", problem=str(error))
        return
    _tell("devices", n_devices=len(known))
    picked = None
    if known:
        try:
            picked = pick_input_device(device or None, known)
        except EdgeSerError as error:
            _tell("failed", at="pick", problem=str(error))
    try:
        # Listing needs no NumPy, the rest does.
        import edge.audio.microphone  # noqa: F401
    except ImportError:
        _tell("failed", at="numpy", problem="NumPy cannot be imported")
        return
    # The one that is listened to first: there may be no time for the others.
    for each in sorted(known[:_MOST_DEVICES], key=lambda one: one != picked):
        opened = _open(sd, each, is_picked=each == picked)
        if opened is not None and each == picked and capture_s > 0:
            _capture(sd, each, *opened, capture_s)
    _tell("end")


def _open(sd: Any, device: InputDevice, *, is_picked: bool) -> tuple[int, int] | None:
    """Open as ``listen`` would, and say how."""
    from edge.audio.microphone import Microphone

    about = {"index": device.index, "name": device.name, "host_api": device.host_api,
             "identity": device.identity, "is_default": device.is_default,
             "is_picked": is_picked}  # fmt: skip
    microphone = Microphone(device.index)
    try:
        microphone.open()
    except EdgeSerError as error:
        _tell("refused", **about, problem=str(error))
        return None
    rate, n_channels = microphone.capture_rate, microphone.n_channels
    microphone.close()
    _tell(
        "opened", **about, sample_rate=rate, n_channels=n_channels,
        rates=[each for each in _RATES if _takes(sd, device, each, n_channels)],
    )  # fmt: skip
    return rate, n_channels


def _takes(sd: Any, device: InputDevice, rate: int, n_channels: int) -> bool:
    try:
        sd.check_input_settings(device=device.index, channels=n_channels, samplerate=rate)
    except (sd.PortAudioError, ValueError):
        return False
    return True


def _capture(sd: Any, device: InputDevice, rate: int, n_channels: int, capture_s: float) -> None:
    """Record with every channel apart, measure, and forget."""
    import numpy as np

    from edge.doctor.channel_levels import are_inverted, channel_levels

    n_wanted = round(capture_s * rate)
    samples = np.zeros((n_wanted, n_channels), np.float32)
    done, state = threading.Event(), {"n": 0, "overflows": 0, "first_s": 0.0}

    def take(block: Any, n_samples: int, _: Any, status: Any) -> None:
        if not state["n"]:
            state["first_s"] = time.monotonic()
        if status and status.input_overflow:
            state["overflows"] += 1
        start = int(state["n"])
        n = min(n_samples, n_wanted - start)
        samples[start : start + n] = block[:n]
        state["n"] = start + n
        if state["n"] >= n_wanted:
            done.set()

    started_s = time.monotonic()
    try:
        stream = sd.InputStream(
            samplerate=rate, channels=n_channels, device=device.index, dtype="float32",
            blocksize=max(1, round(rate * _BLOCK_S)), callback=take,
        )  # fmt: skip
        stream.start()
    except sd.PortAudioError as error:
        _tell("failed", at="capture", problem=portaudio_reason(error))
        return
    done.wait(_FIRST_LIMIT_S)
    if state["n"]:
        done.wait(capture_s)
    took_s = time.monotonic() - float(state["first_s"] or started_s)
    heard = samples[: int(state["n"])]
    _tell(
        "captured", name=device.name, sample_rate=rate, n_channels=n_channels, n_samples=len(heard),
        n_wanted=n_wanted, overflows=state["overflows"], took_s=round(took_s, 3),
        late_s=round(float(state["first_s"]) - started_s, 3) if len(heard) else None,
        channels=[each.to_dict() for each in channel_levels(heard, rate)] if len(heard) else [],
        are_inverted=are_inverted(heard) if len(heard) else False,
    )  # fmt: skip
    # The microphone's way, which does not wait for a server that hangs.
    closing = threading.Thread(target=stream.abort, daemon=True)
    closing.start()
    closing.join(1.0)
    if not closing.is_alive():
        stream.close()


def _tell(step: str, **facts: Any) -> None:
    # A line of its own, whatever a library printed before.
    print("\n" + json.dumps({"step": step, **facts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
