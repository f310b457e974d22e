"""A microphone at its native rate and channels, read as 16 kHz mono."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.audio.resample import Resampler
from edge.audio.ring_buffer import RingBuffer
from edge.errors import AudioDeviceError, MissingDependencyError, ParameterError

__all__ = ["InputDevice", "Microphone", "list_input_devices"]

FloatArray = npt.NDArray[np.float32]

# More channels than any microphone array sold for speech: a sound server that takes whatever
# is asked for (32 with PulseAudio, 64 or 128 with PipeWire) and mixes by itself.
_MAX_CHANNELS = 16
# A callback comes every few ms. PulseAudio sends the first one up to 1.8 s late.
_SILENT_LIMIT_S = 2.0
_FIRST_LIMIT_S = 5.0


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


def _import_sounddevice() -> Any:
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
    sd = _import_sounddevice()
    try:
        devices, host_apis = list(sd.query_devices()), sd.query_hostapis()
        default = int(sd.default.device[0])
    except sd.PortAudioError as error:
        raise AudioDeviceError(f"PortAudio cannot list the devices: {_reason(error)}") from error
    if default < 0:
        # Not set by the user: PortAudio's own choice.
        default = next((int(api["default_input_device"]) for api in host_apis), -1)
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


def _reason(error: BaseException) -> str:
    """PortAudio's words on one line, without the number in brackets."""
    text = str(error.args[0]) if error.args else str(error)
    return " ".join(text.split())


def _pick_device(device: str | int | None, known: list[InputDevice]) -> InputDevice:
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
    if len(matches) > 1 and not matches[0].is_default:
        names = "; ".join(f"{one.index} {one.name}" for one in matches)
        raise AudioDeviceError(f"{device!r} fits several input devices, take a number: {names}")
    return matches[0]


class Microphone:
    """Live sound of one input device as mono samples; a context manager.

    The audio callback copies its block into a ring buffer and returns; mixing down
    to ``sample_rate`` happens in :meth:`read`, on the caller's thread.

    Parameters
    ----------
    device : str, int or None
        Name or part of it, index, or None for the default input.
    sample_rate : int
        Rate of the samples that :meth:`read` gives, in Hz.
    buffer_s : float
        A reader later than this skips what is older.
    channel : int or None
        The channel to take, from 0; None mixes all by their mean.
    capture_rate : int or None
        Rate to open the device at, in Hz; None takes the device's own.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """

    def __init__(
        self,
        device: str | int | None = None,
        sample_rate: int = 16_000,
        buffer_s: float = 3.0,
        channel: int | None = None,
        capture_rate: int | None = None,
    ) -> None:
        for name, rate in (("sample_rate", sample_rate), ("capture_rate", capture_rate)):
            if rate is not None and rate < 1:
                raise ParameterError(f"{name} is {rate}, at least 1 Hz is wanted")
        if not 0.1 <= buffer_s <= 600:
            raise ParameterError(f"buffer_s is {buffer_s}, 0.1 to 600 seconds are wanted")
        if channel is not None and channel < 0:
            raise ParameterError(f"channel is {channel}, 0 is the first")
        self._wanted_device = device
        self._sample_rate = sample_rate
        self._buffer_s = buffer_s
        self._channel = channel
        self._wanted_rate = capture_rate
        self._stream: Any = None
        self._overflows = 0
        self._last_callback_s: float | None = None

    def __enter__(self) -> Microphone:
        """Open the device and start to record."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop and close the device."""
        self.close()

    @property
    def device(self) -> InputDevice:
        """The device that was opened."""
        self._check_open()
        return self._device

    @property
    def capture_rate(self) -> int:
        """Rate the device runs at, in Hz."""
        self._check_open()
        return self._capture_rate

    @property
    def n_channels(self) -> int:
        """Channels the device was opened with."""
        self._check_open()
        return self._n_channels

    @property
    def overflows(self) -> int:
        """Times the system said that it lost input before we could take it."""
        return self._overflows

    @property
    def dropped_samples(self) -> int:
        """Samples, at ``sample_rate``, that were skipped because they were read too late."""
        if self._stream is None:
            return 0
        return round(self._ring.dropped_samples * self._sample_rate / self._capture_rate)

    def open(self) -> None:
        """Open the device and start to record.

        Raises
        ------
        AudioDeviceError
            If PortAudio is missing, there is no such input, or it refuses to open.
        MissingDependencyError
            If sounddevice is not installed.
        """
        sd = _import_sounddevice()
        self._device = _pick_device(self._wanted_device, list_input_devices())
        if self._channel is not None and self._channel >= self._device.n_channels:
            raise AudioDeviceError(
                f"{self._device.name} has no channel {self._channel}: "
                f"it has {self._device.n_channels}, counted from 0"
            )
        reasons: list[str] = []
        for rate, n_channels in self._candidates():
            self._ring = RingBuffer(max(1, int(self._buffer_s * rate)))
            self._capture_rate, self._n_channels = rate, n_channels
            try:
                stream = sd.InputStream(
                    samplerate=rate,
                    channels=n_channels,
                    device=self._device.index,
                    dtype="float32",
                    callback=self._on_block,
                    finished_callback=self._ring.close,
                )
                self._started_s = time.monotonic()
                stream.start()
            except sd.PortAudioError as error:
                reasons.append(f"{_reason(error)} at {rate} Hz, {n_channels} channels")
                continue
            self._stream = stream
            self._resampler = Resampler(rate, self._sample_rate)
            return
        raise AudioDeviceError(
            f"{self._device.name} refuses to open ({reasons[0]}): close other programs that "
            "record from it, or name another device"
        )

    def _candidates(self) -> list[tuple[int, int]]:
        """Rates and channel counts to try: the device's own first."""
        n_own = self._device.n_channels
        first = 0 if self._channel is None else self._channel
        counts = [n_own, first + 1] if n_own <= _MAX_CHANNELS else [first + 1, n_own]
        rates = [self._wanted_rate] if self._wanted_rate else [self._device.sample_rate, 48_000]
        return list(dict.fromkeys((rate, count) for rate in rates for count in counts))

    def _on_block(self, block: FloatArray, n_samples: int, times: Any, status: Any) -> None:
        """PortAudio's thread: copy and return."""
        if status and status.input_overflow:
            self._overflows += 1
        if self._channel is not None:
            mono = block[:, self._channel]
        elif block.shape[1] == 1:
            mono = block[:, 0]
        else:
            mono = block.mean(axis=1, dtype=np.float32)
        self._ring.write(mono)
        self._last_callback_s = time.monotonic()

    def read(self, timeout_s: float = 1.0) -> FloatArray:
        """Take what was recorded since the last call, waiting for it if there is nothing.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.

        Returns
        -------
        samples : float32 [shape=(n_samples,)]
            At ``sample_rate``; empty when nothing came in time.

        Raises
        ------
        AudioDeviceError
            If the microphone is not open or went away.
        """
        self._check_open()
        deadline = time.monotonic() + timeout_s
        while True:
            # A wait ends early enough to notice a device that stays silent.
            wait_s = max(0.0, min(deadline - time.monotonic(), _SILENT_LIMIT_S / 4))
            block = self._ring.read(self._ring.capacity, wait_s)
            if block.size == 0:
                self._check_alive()
            samples = self._resampler.push(block)
            if samples.size or time.monotonic() >= deadline:
                return samples

    def _check_open(self) -> None:
        if self._stream is None:
            raise AudioDeviceError("the microphone is not open: use it in a with statement")

    def _check_alive(self) -> None:
        if self._ring.closed:
            raise AudioDeviceError(
                f"the microphone went away: {self._device.name} stopped; "
                "plug it in again and start again"
            )
        last, limit_s = self._last_callback_s, _SILENT_LIMIT_S
        if last is None:
            last, limit_s = self._started_s, _FIRST_LIMIT_S
        silent_s = time.monotonic() - last
        if silent_s > limit_s:
            raise AudioDeviceError(
                f"the microphone went away: {self._device.name} sent nothing for {silent_s:.1f} s; "
                "check its cable and the sound server, then start again"
            )

    def close(self) -> None:
        """Stop and close the device; nothing happens when it is closed already."""
        stream, self._stream = self._stream, None
        if stream is not None:
            # stop() would wait for a frozen sound server, abort() does not.
            with contextlib.suppress(Exception):
                stream.abort()
            with contextlib.suppress(Exception):
                stream.close()
