"""Opening and closing a microphone without waiting for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edge.audio.portaudio import Call

if TYPE_CHECKING:
    from edge.audio.microphone import Microphone

__all__ = ["Opening"]

#: Longest wait at the end for what is under way.
_END_S = 1.0


class Opening:
    """One call at a time for a microphone, each in a thread of its own.

    Parameters
    ----------
    microphone : Microphone
    """

    def __init__(self, microphone: Microphone) -> None:
        self._microphone = microphone
        self._call: Call | None = None
        self._is_unwanted = False

    @property
    def is_busy(self) -> bool:
        """Whether a call was begun whose end was not taken note of."""
        return self._call is not None

    def begin(self) -> None:
        """Begin to open it, with a new list of devices where there is an old one."""
        renew_devices = "sounddevice" in sys.modules

        def call() -> None:
            self._microphone.open(renew_devices=renew_devices)
            if self._is_unwanted:
                self._microphone.close()

        self._call = Call(call)

    def begin_close(self) -> None:
        """Begin to close it."""
        self._call = self._microphone.begin_close()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of what was begun.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.

        Returns
        -------
        bool
            Whether it is there.

        Raises
        ------
        EdgeSerError
            As the microphone said that could not be opened.
        """
        if self._call is not None:
            if not self._call.wait(timeout_s):
                return False
            call, self._call = self._call, None
            call.check()
        return True

    def leave(self) -> None:
        """Close it for good, and leave behind what takes more than a second."""
        self._is_unwanted = True
        call, self._call = self._call, None
        if call is not None and not call.wait(_END_S):
            call.leave()
        else:
            self._microphone.close()
