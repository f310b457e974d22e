"""What inputs there are, through PortAudio."""

from __future__ import annotations

import dataclasses
from typing import Any

from edge.errors import AudioDeviceError, MissingDependencyError

__all__ = [
    "InputDevice",
    "import_sounddevice",
    "list_input_devices",
    "pick_input_device",
    "portaudio_reason",
]


@dataclasses.dataclass(frozen=True)
class InputDevice:
    """An input as PortAudio lists it.

    Parameters
    ----------
    index : int
        PortAudio's number of it.
    name, host_api : str
        Name of the device and of the system it is reached through.
    n_channels : int
        Channels it offers.
    sample_rate : int
        Its own rate in Hz.
    is_default : bool
        Whether it is the one that is taken when none is named.
    """

    index: int
    name: str
    host_api: str
    n_channels: int
    sample_rate: int
    is_default: bool


def import_sounddevice() -> Any:
    """Give the sounddevice module, or an error with the one line that installs what is missing."""
    try:
        import sounddevice
    except ImportError as error:
        raise MissingDependencyError(
            "a microphone needs sounddevice: pip install sounddevice"
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            "a microphone needs the PortAudio library, which is not installed: "
            "sudo apt-get install libportaudio2"
        ) from error
    return sounddevice


def list_input_devices() -> list[InputDevice]:
    """Every device that has an input, by index.

    Returns
    -------
    devices : list of InputDevice
        Empty when there is none.

    Raises
    ------
    AudioDeviceError
        If PortAudio is missing or fails.
    MissingDependencyError
        If sounddevice is not installed.
    """
    sd = import_sounddevice()
    try:
        devices, host_apis = list(sd.query_devices()), sd.query_hostapis()
    except sd.PortAudioError as error:
        raise AudioDeviceError(
            f"PortAudio cannot list the devices: {portaudio_reason(error)}"
        ) from error
    try:
        default = int(sd.query_devices(kind="input")["index"])
    except (sd.PortAudioError, ValueError):
        # There is none, or sounddevice was told of one that is not there.
        default = -1
    return [
        InputDevice(
            index=index,
            name=str(device["name"]),
            host_api=str(host_apis[device["hostapi"]]["name"]),
            n_channels=int(device["max_input_channels"]),
            sample_rate=round(device["default_samplerate"]),
            is_default=index == default,
        )
        for index, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]


def portaudio_reason(error: BaseException) -> str:
    """PortAudio's words on one line, without the number in brackets."""
    text = str(error.args[0]) if error.args else str(error)
    return " ".join(text.split())


def pick_input_device(device: str | int | None, known: list[InputDevice]) -> InputDevice:
    """Find the one that is meant by name, part of a name, index, or None for the default."""
    if not known:
        raise AudioDeviceError(
            "there is no input device: plug in a microphone and check that `arecord -l` or "
            "`pactl list short sources` shows it"
        )
    listing = "; ".join(f"{one.index} {one.name}" for one in known)
    if device is None:
        for one in known:
            if one.is_default:
                return one
        raise AudioDeviceError(f"there is no default input device, name one of: {listing}")
    if isinstance(device, int) or device.strip().isdecimal():
        matches = [one for one in known if one.index == int(device)]
    else:
        wanted = device.strip().casefold()
        matches = [one for one in known if one.name.casefold() == wanted] or [
            one for one in known if wanted and wanted in one.name.casefold()
        ]
    if not matches:
        raise AudioDeviceError(f"there is no input device {device!r}, known are: {listing}")
    matches = [one for one in matches if one.is_default] or matches
    if len(matches) > 1:
        names = "; ".join(f"{one.index} {one.name}" for one in matches)
        raise AudioDeviceError(f"{device!r} fits several input devices, take a number: {names}")
    return matches[0]
