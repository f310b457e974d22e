"""A microphone at its native rate and channels, read as 16 kHz mono."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.audio.capture import Capture, Recorded
from edge.audio.devices import (
    InputDevice,
    import_sounddevice,
    list_input_devices,
    pick_input_device,
    portaudio_reason,
)
from edge.errors import AudioDeviceError, ParameterError, how_many

__all__ = ["InputDevice", "Microphone", "Recorded", "list_input_devices"]

FloatArray = npt.NDArray[np.float32]

# More channels than any microphone array sold for speech: a sound server that takes whatever
# is asked for (32 with PulseAudio, 64 or 128 with PipeWire) and mixes and resamples by itself.
_MAX_CHANNELS = 16
# The rate such a server is asked for, since PortAudio cannot see what it runs at: that of most
# microphones, so that our resampler does the work. The server's is a quick one: recorded from a
# 48 kHz source, 16 kHz is 25 dB above its error there, 95 dB here (microphone_loopback.py).
_SERVER_RATE = 48_000
# Left to itself PortAudio calls 115 to 600 times a second (PulseAudio, measured with
# benchmarks/microphone_loopback.py's server); a feature hop's worth is all that anybody needs.
_BLOCK_S = 0.032
# A frozen sound server raises nothing and keeps the stream "active": only the lack of blocks
# tells. PulseAudio sends the first block up to 1.8 s late, so that one may take longer.
_SILENT_LIMIT_S = 2.0
_FIRST_LIMIT_S = 5.0
_CLOSE_LIMIT_S = 1.0


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
        self._opened: InputDevice | None = None
        self._capture_rate = capture_rate or sample_rate
        self._n_channels = 0
        # In place of the real one, which is as large as the device's rate makes it.
        self._capture = Capture(1, 1, buffer_s)
        self._started_s = 0.0

    def __repr__(self) -> str:
        device = self._wanted_device
        name = self._opened.name if self._opened else "default" if device is None else device
        state = "open" if self._stream is not None else "closed"
        return f"<Microphone {name!r} at {self._sample_rate} Hz: {state}>"

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
    def device(self) -> InputDevice | None:
        """The device that was opened last; None before."""
        return self._opened

    @property
    def capture_rate(self) -> int:
        """Rate the device runs at, in Hz."""
        return self._capture_rate

    @property
    def n_channels(self) -> int:
        """Channels the device was opened with; 0 before."""
        return self._n_channels

    @property
    def overflows(self) -> int:
        """Times the system said that it lost input before we could take it."""
        return self._capture.overflows

    @property
    def dropped_samples(self) -> int:
        """Samples, at ``sample_rate``, that were read too late or never came."""
        return self._capture.dropped_samples

    @property
    def waited_s(self) -> float:
        """Seconds that reading has waited for sound so far."""
        return self._capture.waited_s

    def open(self) -> None:
        """Open the device and start to record.

        Raises
        ------
        AudioDeviceError
            If PortAudio is missing, there is no such input, or it refuses to open.
        MissingDependencyError
            If sounddevice is not installed.
        """
        if self._stream is not None:
            return
        sd = import_sounddevice()
        device = pick_input_device(self._wanted_device, list_input_devices())
        if self._channel is not None and self._channel >= device.n_channels:
            raise AudioDeviceError(
                f"{device.name} has no channel {self._channel}: it has {device.n_channels}, "
                "the first is 0"
            )
        self._opened = device
        reasons: list[str] = []
        for rate, n_channels in self._candidates(device):
            self._capture = Capture(rate, self._sample_rate, self._buffer_s)
            self._capture_rate, self._n_channels = rate, n_channels
            self._started_s = time.monotonic()
            stream = None
            try:
                stream = sd.InputStream(
                    samplerate=rate,
                    channels=n_channels,
                    device=device.index,
                    dtype="float32",
                    blocksize=max(1, round(rate * _BLOCK_S)),
                    callback=self._on_block,
                    finished_callback=self._capture.ring.close,
                )
                stream.start()
            except sd.PortAudioError as error:
                reasons.append(
                    f"{portaudio_reason(error)} at {rate} Hz, {how_many(n_channels, 'channel')}"
                )
                if stream is not None:
                    _close_stream(stream)
                continue
            self._stream = stream
            return
        raise AudioDeviceError(
            f"{device.name} refuses to open ({reasons[0]}): close other programs that record "
            "from it, or name another device"
        )

    def _candidates(self, device: InputDevice) -> list[tuple[int, int]]:
        """Rates and channel counts to try: the device's own first."""
        n_own, own_rate = device.n_channels, device.sample_rate
        least = 1 if self._channel is None else self._channel + 1
        if n_own <= _MAX_CHANNELS:
            counts, rates = [n_own, least], [own_rate, _SERVER_RATE]
        else:
            counts, rates = [least, n_own], [_SERVER_RATE, own_rate]
        if self._wanted_rate is not None:
            rates = [self._wanted_rate]
        return list(dict.fromkeys((rate, count) for rate in rates for count in counts))

    def _on_block(self, block: FloatArray, n_samples: int, times: Any, status: Any) -> None:
        """Copy and return: this is PortAudio's thread."""
        now_s = time.monotonic()
        has_overflowed = bool(status and status.input_overflow)
        if self._channel is not None:
            mono = block[:, self._channel]
        elif block.shape[1] == 1:
            mono = block[:, 0]
        else:
            mono = block.mean(axis=1, dtype=np.float32)
        self._capture.write(mono, _adc_time_s(times), now_s, has_overflowed)

    def read(self, timeout_s: float = 1.0) -> FloatArray:
        """Take what was recorded since the last call, waiting for it if there is nothing.

        What is missing before it, if anything, is told by :meth:`take` alone.

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
        return self.take(timeout_s).samples

    def take(self, timeout_s: float = 1.0) -> Recorded:
        """As :meth:`read`, up to the next place where samples are missing.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.

        Returns
        -------
        Recorded
            With what is missing right before its samples.

        Raises
        ------
        AudioDeviceError
            If the microphone is not open or went away.
        """
        if self._stream is None:
            raise AudioDeviceError("the microphone is not open: use it in a with statement")
        deadline = time.monotonic() + timeout_s
        while True:
            # A wait ends early enough to notice a device that stays silent.
            wait_s = max(0.0, min(deadline - time.monotonic(), _SILENT_LIMIT_S / 4))
            recorded = self._capture.take(wait_s)
            if recorded.samples.size or recorded.n_lost:
                return recorded
            self._check_alive()
            if time.monotonic() >= deadline:
                return recorded

    def _check_alive(self) -> None:
        name = self._opened.name if self._opened else "the device"
        if self._capture.ring.closed:
            raise AudioDeviceError(
                f"the microphone went away: {name} stopped; plug it in again and start again"
            )
        last, limit_s = self._capture.last_block_s, _SILENT_LIMIT_S
        if last is None:
            last, limit_s = self._started_s, _FIRST_LIMIT_S
        silent_s = time.monotonic() - last
        if silent_s > limit_s:
            raise AudioDeviceError(
                f"the microphone went away: {name} sent nothing for {silent_s:.1f} s; "
                "check its cable and the sound server, then start again"
            )

    def close(self) -> None:
        """Stop and close the device; nothing happens when it is closed already."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        # With a frozen sound server each of the two calls takes 30 s: leave it to a thread.
        closing = threading.Thread(target=_close_stream, args=(stream,), daemon=True)
        closing.start()
        closing.join(_CLOSE_LIMIT_S)
        if closing.is_alive():
            # sounddevice ends PortAudio when the program ends, which would wait as long.
            atexit.unregister(import_sounddevice()._exit_handler)


def _close_stream(stream: Any) -> None:
    for end in (stream.abort, stream.close):
        # A device that is gone cannot be closed properly, and nobody needs to know.
        with contextlib.suppress(Exception):
            end()


def _adc_time_s(times: Any) -> float | None:
    """When the first sample of a block was taken; None where the system does not say."""
    try:
        return float(times.inputBufferAdcTime)
    except (AttributeError, TypeError, ValueError):
        return None
