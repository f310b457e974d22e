"""The time in which a microphone is not there: before its first sound, and when it went away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge.audio.portaudio import AwayError
from edge.audio.presence import boot_s, sound_signature
from edge.audio.recording import StalledError
from edge.errors import AudioDeviceError
from edge.sources.back_off import BackOff
from edge.sources.base import POLL_S, Stop

if TYPE_CHECKING:
    from edge.audio.capture import Recorded
    from edge.audio.microphone import Microphone
    from edge.sources.opening import Opening

__all__ = ["Outage"]

#: A stream that sends nothing is kept for so long: when its server goes on, so does it, at once.
#: Behind that it is opened anew.
_KEPT_S = 10.0
#: What went away is tried again after so long, at first.
_FIRST_S = 0.5
#: A call may take so long before it is a reason to say something, and to give up.
_SLOW_S = 2.0
#: How often there is a sign of life; a call that hangs for longer than the other ends them, as a
#: frozen server holds each of a handful of calls up for 30 s.
_SIGN_S = 2.0
_HOPELESS_S = 300.0
_HELD_UP = "the sound server does not answer"


class Outage:
    """Tries to have sound again, a step at a time.

    Parameters
    ----------
    microphone : Microphone
    opening : Opening
        Of that microphone.
    error : AwayError or None
        How it went away; None: it was not there yet.
    """

    def __init__(
        self, microphone: Microphone, opening: Opening, error: AwayError | None = None
    ) -> None:
        self._microphone, self._opening = microphone, opening
        self._is_first = error is None
        self._error: AudioDeviceError | None = error
        self._is_open = False
        self._kept_until_s: float | None = None
        now_s = time.monotonic()
        self._since_s = boot_s()
        self._alive_s = now_s
        self._call_since_s = now_s
        self._back_off = BackOff(now_s, sound_signature, first_s=0.0 if error is None else _FIRST_S)
        self._is_closing = False
        if error is None:
            return
        if isinstance(error, StalledError):
            self._is_open, self._kept_until_s = True, now_s + _KEPT_S
        else:
            self._close()

    @property
    def away_s(self) -> float:
        """Seconds since it began, those asleep among them."""
        return boot_s() - self._since_s

    @property
    def reason(self) -> str | None:
        """Why there is no sound; None while there is nothing to say."""
        if self._opening.is_busy and time.monotonic() - self._call_since_s > _SLOW_S:
            return _HELD_UP
        return None if self._error is None else str(self._error)

    @property
    def is_alive(self) -> bool:
        """Whether trying goes on, said every few seconds; not when a call never comes back."""
        now_s = time.monotonic()
        if now_s - self._alive_s < _SIGN_S:
            return False
        if self._opening.is_busy and now_s - self._call_since_s > _HOPELESS_S:
            return False
        self._alive_s = now_s
        return True

    @property
    def is_open(self) -> bool:
        """Whether the device is open, sound or not."""
        return self._is_open

    def step(self, stop: Stop) -> Recorded | None:
        """Do what can be done now, for a tenth of a second.

        Returns
        -------
        Recorded or None
            The first sound.

        Raises
        ------
        EdgeSerError
            What no waiting mends.
        """
        try:
            recorded = self._step(stop)
        except AudioDeviceError as error:
            # What worked once is waited for, whatever it says now.
            if self._is_first and not isinstance(error, AwayError):
                raise
            self._lose(error)
            return None
        return recorded if recorded is not None and recorded.samples.size else None

    def _step(self, stop: Stop) -> Recorded | None:
        now_s = time.monotonic()
        if self._opening.is_busy:
            is_opening = not self._is_closing
            if self._opening.wait(POLL_S):
                self._is_open = is_opening
        elif self._kept_until_s is not None:
            recorded = self._microphone.resume(POLL_S)
            if not recorded.samples.size and now_s >= self._kept_until_s:
                self._close()
            return recorded
        elif self._is_open:
            return self._microphone.take(POLL_S)
        elif self._back_off.is_due(now_s):
            self._call_since_s, self._is_closing = now_s, False
            self._opening.begin()
        else:
            stop.wait(POLL_S)
        return None

    def _lose(self, error: AudioDeviceError) -> None:
        """Take in that it went, or did not come."""
        self._error = error
        self._back_off.failed(time.monotonic())
        self._close()

    def _close(self) -> None:
        self._is_open, self._kept_until_s = False, None
        self._call_since_s, self._is_closing = time.monotonic(), True
        self._opening.begin_close()
