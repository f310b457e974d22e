"""What inputs there are, through PortAudio."""

from __future__ import annotations

from edge.audio.identity import InputDevice
from edge.audio.portaudio import AwayError, hushed, import_sounddevice, portaudio_reason, turn

__all__ = ["list_input_devices"]


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
    with turn(), hushed():
        sd = import_sounddevice()
        try:
            devices, host_apis = list(sd.query_devices()), sd.query_hostapis()
        except sd.PortAudioError as error:
            raise AwayError(
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
