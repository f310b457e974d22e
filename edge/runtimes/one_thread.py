"""What belongs to one thread at a time."""

from __future__ import annotations

import threading

from edge.errors import ParameterError

__all__ = ["OneThread"]


class OneThread:
    """``with`` it around what touches a buffer: a second thread is refused, and never waits.

    Parameters
    ----------
    refusal : str
        What the second one is told.
    """

    __slots__ = ("_lock", "_refusal")

    def __init__(self, refusal: str) -> None:
        self._lock = threading.Lock()
        self._refusal = refusal

    def __enter__(self) -> None:
        if not self._lock.acquire(False):
            raise ParameterError(self._refusal)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
