"""JSON Lines: one object a line, for other programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from edge.sinks.base import SinkBase
from edge.sinks.registry import SinkSettings
from edge.stream.decision import GAP, Decision
from edge.stream.events import Event
from edge.stream.records import head
from edge.stream.status import Status

__all__ = ["JsonLinesSink", "make"]


class JsonLinesSink(SinkBase):
    """Write the records of docs/records.md, each as one line of JSON.

    Parameters
    ----------
    stream : text file
        Flushed after each line, so that a reader down a pipe is never late.
    events : bool
        Whether to write events in place of decisions.
    now : callable
        Unix time, for warnings.
    """

    def __init__(
        self, stream: TextIO, *, events: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream
        self._events = events
        self._now = now
        # Of decisions that were not written, so that the counters of the records add up.
        self._n_dropped = self._n_skipped = 0

    def emit(self, decision: Decision) -> None:
        """Write a decision, or a gap; where events are written, a gap alone."""
        if not self._events:
            self.write(decision.to_dict())
            return
        self._n_dropped += decision.dropped_samples
        self._n_skipped += decision.skipped_hops
        if decision.state == GAP:
            self._write_counted(decision.to_dict())
        elif decision.warning is not None:
            self.warn(decision.warning)

    def event(self, event: Event) -> None:
        """Write a beginning or an ending, where events are wanted."""
        if self._events:
            self._write_counted(event.to_dict())

    def status(self, status: Status) -> None:
        """Write what the source has to say of itself."""
        self._write_counted(status.to_dict())

    def warn(self, sentence: str) -> None:
        """Write a warning that belongs to no decision."""
        self.write({**head("warning", self._now()), "warning": sentence})

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary's record."""
        self.write(summary)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write any other object of plain JSON types.

        Raises
        ------
        ValueError
            If it holds NaN or infinity, which JSON has no words for.
        """
        self._stream.write(json.dumps(record, allow_nan=False) + "\n")
        self._stream.flush()

    def _write_counted(self, record: dict[str, Any]) -> None:
        self.write({**record, "dropped_samples": self._n_dropped, "skipped_hops": self._n_skipped})
        self._n_dropped = self._n_skipped = 0


def make(settings: SinkSettings) -> JsonLinesSink:
    """Make one for the registry."""
    return JsonLinesSink(settings.stream, events=settings.events, now=settings.now)
