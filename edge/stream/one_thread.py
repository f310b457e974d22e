"""A stream belongs to one thread at a time."""

from __future__ import annotations

import threading

from edge.errors import ParameterError

__all__ = ["OneThread"]


class OneThread:
    """``with`` it around what touches a stream: a second thread is refused, and never waits."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise ParameterError(
                "the stream is at work in another call: it belongs to one thread, open one "
                "for each with Classifier.stream()"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()
