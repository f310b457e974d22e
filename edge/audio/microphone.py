"""A microphone at its native rate and channels, read as 16 kHz mono."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.audio.capture import Recorded
from edge.audio.devices import list_input_devices
from edge.audio.identity import InputDevice, Pin, pick_input_device
from edge.audio.input_stream import InputStream, open_input
from edge.audio.level_watch import LOUD, MUTED
from edge.audio.mends import loud_sentence, muted_sentence, rights_sentence
from edge.audio.mixdown import AUTO, Channel, Mixdown, check_channel
from edge.audio.portaudio import AwayError, Call, hushed, import_sounddevice, renew, turn
from edge.audio.recording import Recording
from edge.errors import AudioDeviceError, ParameterError

__all__ = ["Microphone"]

FloatArray = npt.NDArray[np.float32]


class Microphone:
    """Live sound of one input device as mono samples; a context manager.

    The audio callback copies its block into a ring buffer and returns; resampling
    to ``sample_rate`` happens in :meth:`read`, on the caller's thread.

    Parameters
    ----------
    device : str, int or None
        Identity, name or a part of it, index, or None for the default input.  What it led to is
        kept: opened again, no other device is taken, unless none was named.
    sample_rate : int
        Rate of the samples that :meth:`read` gives, in Hz.
    buffer_s : float
        A reader later than this skips what is older.
    channel : int or str
        The channel to take, from 0; ``"mix"``: the mean of all; ``"auto"``: the loudest of the
        first ten seconds with sound.
    capture_rate : int or None
        Rate to open the device at, in Hz; None takes the device's own.
    gain_db : float
        By how much the sound is made louder, -60 to 60.

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
        channel: Channel = AUTO,
        capture_rate: int | None = None,
        gain_db: float = 0.0,
    ) -> None:
        for name, rate in (("sample_rate", sample_rate), ("capture_rate", capture_rate)):
            if rate is not None and rate < 1:
                raise ParameterError(f"{name} is {rate}, at least 1 Hz is wanted")
        if not 0.1 <= buffer_s <= 600:
            raise ParameterError(f"buffer_s is {buffer_s}, 0.1 to 600 seconds are wanted")
        if not (math.isfinite(gain_db) and -60 <= gain_db <= 60):
            raise ParameterError(f"gain_db is {gain_db}, -60 to 60 decibels are wanted")
        check_channel(channel)
        self._wanted_device = device
        self._sample_rate = sample_rate
        self._buffer_s = buffer_s
        self._channel = channel
        self._wanted_rate = capture_rate
        self._gain_db = gain_db
        self._stream: InputStream | None = None
        self._opened: InputDevice | None = None
        self._pin: Pin | None = None
        # In place of the real one, which is as the device makes it.
        self._recording = Recording("", sample_rate, buffer_s, sample_rate, Mixdown(0, 0, 1))
        self._waited_before_s = 0.0
        # The channel that was picked, and on which device.
        self._picked: tuple[str, int] | None = None

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
        return self._recording.device_rate

    @property
    def n_channels(self) -> int:
        """Channels the device was opened with; 0 before."""
        return self._recording.mixdown.n_channels

    @property
    def overflows(self) -> int:
        """Times the system said that it lost input before we could take it."""
        return self._recording.capture.overflows

    @property
    def dropped_samples(self) -> int:
        """Samples, at ``sample_rate``, that were read too late or never came."""
        return self._recording.capture.dropped_samples

    @property
    def waited_s(self) -> float:
        """Seconds that reading has waited for sound so far."""
        return self._waited_before_s + self._recording.waited_s

    def open(self, *, renew_devices: bool = False) -> None:
        """Open the device and start to record.

        Parameters
        ----------
        renew_devices : bool
            Look for what was plugged in since PortAudio was first used.  It ends PortAudio and
            starts it again, which is left undone while another stream of this process is open.

        Raises
        ------
        AudioDeviceError
            If PortAudio is missing, several devices fit, or it has no such rate or channel.
        AwayError
            If there is no such input now or it refuses to open: it may work later.
        MissingDependencyError
            If sounddevice is not installed.
        """
        if self._stream is not None:
            return
        with turn(), hushed():
            sd = import_sounddevice()
            if renew_devices:
                renew(sd)
            try:
                self._open(sd)
            except AwayError as error:
                no_rights = rights_sentence()
                raise error if no_rights is None else AwayError(no_rights) from error

    def _open(self, sd: Any) -> None:
        known = list_input_devices()
        if self._pin is not None:
            device = self._pin.find(known)
        else:
            device = pick_input_device(self._wanted_device, known)
        if isinstance(self._channel, int) and self._channel >= device.n_channels:
            raise AudioDeviceError(
                f"{device.name} has no channel {self._channel}: it has {device.n_channels}, "
                "the first is 0"
            )
        picked = None
        if self._picked is not None and self._picked[0] == device.identity:
            picked = self._picked[1]

        def prepare(rate: int, n_channels: int) -> tuple[Any, Any]:
            mixdown = Mixdown(self._channel, n_channels, rate, self._gain_db, picked)
            recording = Recording(device.name, self._sample_rate, self._buffer_s, rate, mixdown)
            self._waited_before_s += self._recording.waited_s
            self._recording = recording
            return recording.on_block, recording.on_end

        self._stream = open_input(sd, device, self._channel, self._wanted_rate, prepare)
        if self._wanted_device is not None and self._pin is None:
            self._pin = Pin.on(device, known)
        self._opened = device

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

    def take(self, timeout_s: float = 1.0, n_wanted: int = 1) -> Recorded:
        """As :meth:`read`, up to the next place where samples are missing.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.
        n_wanted : int
            Samples that are waited for and taken: whoever needs half a second at once is not woken
            by every block of the device's.  Fewer come before a hole, and when the device pauses;
            1: all there are.

        Returns
        -------
        Recorded
            With what is missing right before its samples.

        Raises
        ------
        AudioDeviceError
            If the microphone is not open.
        AwayError
            If it went away.
        StalledError
            If it is open and sends nothing.
        """
        if self._stream is None:
            raise AudioDeviceError("the microphone is not open: use it in a with statement")
        return self._recording.take(timeout_s, n_wanted)

    def resume(self, timeout_s: float = 1.0) -> Recorded:
        """Go on after a :class:`StalledError`, with the sound of now.

        What piled up on the way is left out: nobody waits for word of what was said a minute ago.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds for a block.

        Returns
        -------
        Recorded
            Empty as long as nothing comes.

        Raises
        ------
        AwayError
            If it went away altogether.
        """
        return self._recording.resume(timeout_s)

    def news(self) -> list[tuple[str, str]]:
        """What is to be said of the sound, once each: a word for it, and a sentence."""
        device, mixdown, news = self._opened, self._recording.mixdown, []
        if device is None:
            return []
        if mixdown.is_new:
            mixdown.is_new, self._picked = False, (device.identity, mixdown.picked)
            sentence = (
                f"channel {mixdown.picked + 1} of {mixdown.n_channels} is listened to, the loudest "
                "of the first seconds"
            )
            news.append(("channel", "; ".join(filter(None, [sentence, mixdown.warning]))))
        sentences = {MUTED: muted_sentence, LOUD: loud_sentence}
        news += [(kind, sentences[kind](device)) for kind in mixdown.watch.news()]
        return news

    def begin_close(self) -> Call | None:
        """Stop and close the device in a thread; None when it is closed already."""
        stream, self._stream = self._stream, None
        return None if stream is None else stream.begin_close()

    def close(self) -> None:
        """Stop and close the device; nothing happens when it is closed already."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
