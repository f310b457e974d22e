"""What an opened device sends: taken in by the audio callback, given out with a watchdog."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.audio.capture import Came, Capture, Recorded
from edge.audio.mixdown import Mixdown
from edge.audio.portaudio import AwayError

__all__ = ["Recording", "StalledError"]

FloatArray = npt.NDArray[np.float32]

# A frozen sound server raises nothing and keeps the stream "active": only the lack of blocks
# tells. PulseAudio sends the first block up to 1.8 s late, so that one may take longer.
_SILENT_LIMIT_S = 2.0
_FIRST_LIMIT_S = 5.0
# After a stall what waited comes in a burst; sound that is no more than this ahead is of now.
_SETTLED_S = 0.15
_AHEAD_S = 0.1
_N_SETTLING = 10
_LOOK_S = 0.02
# What there is too little of is given out when nothing came to it for so long.
_PAUSE_S = 0.2

_NOTHING = Recorded(np.zeros(0, dtype=np.float32), 0.0)


class StalledError(AwayError):
    """The device is open and sends nothing; it may go on."""


class Recording:
    """The stream of one opening of a device.

    Parameters
    ----------
    name : str
        Of the device, for what is said.
    sample_rate : int
        Of the samples that are given out, in Hz.
    buffer_s : float
        A reader later than this skips what is older.
    device_rate : int
        Of the device, in Hz.
    mixdown : Mixdown
    """

    def __init__(
        self, name: str, sample_rate: int, buffer_s: float, device_rate: int, mixdown: Mixdown
    ) -> None:
        self.mixdown = mixdown
        self.device_rate = device_rate
        self._name = name
        self._sample_rate = sample_rate
        self._buffer_s = buffer_s
        self._has_ended = False
        self._waited_before_s = 0.0
        # Blocks as they came, and how many samples of a channel are worked on together.  The lock
        # is held for that work at most.
        self._lock = threading.Lock()
        self._sound: list[bytes] = []
        self._came: list[Came] = []
        self._n_waiting, self._n_due = 0, 1
        self._last_block_s: float | None = None
        self.capture = self._new_capture()

    @property
    def waited_s(self) -> float:
        """Seconds that reading has waited for sound so far."""
        return self._waited_before_s + self.capture.waited_s

    def on_block(self, block: Any, n_samples: int, times: Any, status: Any) -> None:
        """Copy and return: this is PortAudio's thread.

        What is to be done with a block is done for those of a hop at once: a call costs a thread
        that was asleep many times what it costs the next.
        """
        now_s = time.monotonic()
        has_overflowed = bool(status and status.input_overflow)
        with self._lock:
            self._sound.append(bytes(block))
            self._came.append(Came(n_samples, _adc_time_s(times), now_s, has_overflowed))
            self._n_waiting += n_samples
            self._last_block_s = now_s
            if self._n_waiting >= self._n_due or has_overflowed:
                self._work()

    def _work(self) -> None:
        """Take in the blocks that wait; to be called with the lock."""
        if self._came:
            block = np.frombuffer(b"".join(self._sound), dtype=np.float32)
            mono = self.mixdown.push(block.reshape(-1, self.mixdown.n_channels))
            self.capture.write_all(mono, self._came)
            self._forget()

    def _forget(self) -> None:
        self._sound, self._came, self._n_waiting = [], [], 0

    def _expect(self, n_wanted: int) -> None:
        """Have the callback work when so many samples can be read, and not before."""
        with self._lock:
            n_missing = self.capture.n_needed(n_wanted) - len(self.capture.ring)
            if self._n_waiting >= n_missing or n_wanted <= 1:
                self._work()
            self._n_due = max(1, n_missing)

    def on_end(self) -> None:
        """Take in that nothing more will come."""
        with self._lock:
            self._work()
            self._has_ended = True
            self.capture.ring.close()

    def take(self, timeout_s: float, n_wanted: int = 1) -> Recorded:
        """Take what came, up to the next place where samples are missing.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.
        n_wanted : int
            Samples that are waited for and taken; fewer come before a hole, and when the device
            pauses; 1: all there are.

        Returns
        -------
        Recorded
            Empty when nothing came in time, or too little.

        Raises
        ------
        AwayError
            If the device went away.
        StalledError
            If it sends nothing.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            # A wait ends early enough to notice a device that stays silent.
            wait_s = max(0.0, min(deadline - time.monotonic(), _SILENT_LIMIT_S / 4))
            self._expect(n_wanted)
            recorded = self.capture.take(wait_s, n_wanted)
            if recorded.samples.size or recorded.n_lost:
                return recorded
            if n_wanted > 1 and self._has_paused():
                n_wanted = 1
                continue
            self._check_alive()
            if time.monotonic() >= deadline:
                return recorded

    def _has_paused(self) -> bool:
        last_s = self._last_block_s
        return last_s is not None and time.monotonic() - last_s > _PAUSE_S

    def _check_alive(self) -> None:
        if self.capture.ring.closed:
            raise AwayError(f"the microphone went away: {self._name} stopped")
        last, limit_s = self._last_block_s, _SILENT_LIMIT_S
        if last is None:
            last, limit_s = self._started_s, _FIRST_LIMIT_S
        silent_s = time.monotonic() - last
        if silent_s > limit_s:
            raise StalledError(
                f"the microphone went away: {self._name} sent nothing for {silent_s:.1f} s"
            )

    def resume(self, timeout_s: float) -> Recorded:
        """Go on after a stall, with the sound of now.

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
            If the device went away altogether.
        """
        capture, deadline = self.capture, time.monotonic() + timeout_s
        last_s = self._last_block_s
        while self._last_block_s == last_s:
            if capture.ring.closed:
                self._check_alive()
            if time.monotonic() >= deadline:
                return _NOTHING
            time.sleep(_LOOK_S)
        for _ in range(_N_SETTLING):
            recorded = self._settle()
            if recorded is not None:
                return recorded
        return _NOTHING

    def _settle(self) -> Recorded | None:
        """Give a moment's sound; None where more came in it than was said in it."""
        self._waited_before_s += self.capture.waited_s
        with self._lock:
            self._forget()
            self._n_due = 1
            self.capture = capture = self._new_capture()
        ends_s = time.monotonic() + _SETTLED_S
        parts = []
        while time.monotonic() < ends_s:
            parts.append(capture.take(_LOOK_S))
        n_samples = sum(part.samples.size for part in parts)
        n_most = round((_SETTLED_S + _AHEAD_S) * self._sample_rate)
        if n_samples > n_most or any(part.n_lost for part in parts):
            return None
        return Recorded(np.concatenate([part.samples for part in parts]), parts[-1].arrived_s)

    def _new_capture(self) -> Capture:
        self._started_s = time.monotonic()
        capture = Capture(self.device_rate, self._sample_rate, self._buffer_s)
        if self._has_ended:
            capture.ring.close()
        return capture


def _adc_time_s(times: Any) -> float | None:
    """When the first sample of a block was taken; None where the system does not say."""
    try:
        return float(times.inputBufferAdcTime)
    except (AttributeError, TypeError, ValueError):
        return None
