"""A sink in a thread of its own, which nobody waits for."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import how_many
from edge.sinks.base import Sink, SinkBase
from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status

__all__ = ["QueuedSink"]

#: About eight minutes of decisions.
_N_MOST = 1_024

#: Longest wait for a sink to open, and for what it was told last when it is closed.
_OPEN_S, _CLOSE_S = 5.0, 3.0

#: Longest wait for room by a source that can wait, since the sink took anything.
_STUCK_S = 10.0

_POLL_S = 0.5


class QueuedSink(SinkBase):
    """Tells another sink what it is told, soon: everything of that one runs in one thread.

    Parameters
    ----------
    sink : Sink
    name : str
        For people.
    warn : callable
        Takes what is to be said of the sink, in any thread; must not raise.
    is_patient : bool
        Whether a full queue makes the caller wait, as for a file that is decided on as fast as it
        goes.  What is heard live does not wait: the oldest is left out, counted, and that is said
        once until the sink has caught up.
    n_most : int
        What the queue holds.

    Notes
    -----
    An error of the sink is raised by the call that comes next.
    """

    def __init__(
        self,
        sink: Sink,
        name: str,
        *,
        warn: Callable[[str], None],
        is_patient: bool = False,
        n_most: int = _N_MOST,
    ) -> None:
        self.name = name
        self.n_dropped = 0
        self._sink, self._warn, self._is_patient, self._n_most = sink, warn, is_patient, n_most
        self._waiting: collections.deque[Callable[[], None]] = collections.deque()
        self._change = threading.Condition()
        self._error: Exception | None = None
        self._is_open = self._has_ended = self._is_ending = False
        self._n_late = 0
        self._taken_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    def open(self) -> None:
        """Open the sink in its thread.

        Raises
        ------
        Exception
            What it raised.
        """
        self._thread.start()
        with self._change:
            self._change.wait_for(lambda: self._is_open or self._has_ended, _OPEN_S)
        self._raise()

    def emit(self, decision: Decision) -> None:
        """Pass a decision on."""
        self._put(lambda: self._sink.emit(decision))

    def event(self, event: Event) -> None:
        """Pass a beginning or an ending on."""
        self._put(lambda: self._sink.event(event))

    def status(self, status: Status) -> None:
        """Pass on what the source has to say of itself."""
        self._put(lambda: self._sink.status(status))

    def warn(self, sentence: str) -> None:
        """Pass a warning on."""
        self._put(lambda: self._sink.warn(sentence))

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Pass on what the run came to."""
        self._put(lambda: self._sink.summary(summary))

    def close(self) -> None:
        """Give the sink some seconds for what it was told last, and close it.

        Raises
        ------
        Exception
            What it raised since the last call.
        """
        with self._change:
            self._is_ending = True
            self._change.notify_all()
            self._change.wait_for(lambda: self._has_ended, _CLOSE_S)
            if not self._has_ended:
                n_left = len(self._waiting)
                self._waiting.clear()
                self._warn(
                    f"the sink {self.name} did not end in {_CLOSE_S:g} s, "
                    f"{how_many(n_left, 'record')} that it was told did not reach it"
                )
                return
        self._raise()

    def _put(self, call: Callable[[], None]) -> None:
        self._raise()
        with self._change:
            if len(self._waiting) >= self._n_most and self._is_patient:
                self._wait_for_room()
            if len(self._waiting) >= self._n_most:
                self._waiting.popleft()
                self.n_dropped += 1
                self._n_late += 1
                if self._n_late == 1:
                    self._warn(
                        f"the sink {self.name} is too slow or stands still: the oldest of what it "
                        "is told is left out"
                    )
            self._waiting.append(call)
            self._change.notify_all()

    def _wait_for_room(self) -> None:
        while len(self._waiting) >= self._n_most and not self._has_ended:
            if time.monotonic() - self._taken_s > _STUCK_S:
                return
            self._change.wait(_POLL_S)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        try:
            self._sink.open()
            with self._change:
                self._is_open = True
                self._change.notify_all()
            while (call := self._next()) is not None:
                call()
            self._sink.close()
        except Exception as error:
            self._error = error
            with contextlib.suppress(Exception):
                self._sink.close()
        finally:
            with self._change:
                self._has_ended = True
                self._change.notify_all()

    def _next(self) -> Callable[[], None] | None:
        with self._change:
            if not self._waiting and self._n_late:
                self._warn(
                    f"the sink {self.name} keeps up again: {how_many(self._n_late, 'record')} did "
                    "not reach it"
                )
                self._n_late = 0
            self._change.wait_for(lambda: self._waiting or self._is_ending)
            self._taken_s = time.monotonic()
            if not self._waiting:
                return None
            call = self._waiting.popleft()
            self._change.notify_all()
            return call
