"""``sqlite:FILE``: what was heard over days, by the minute, in one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import HistoryError, ParameterError, SinkError, how_many, printable
from edge.history.tidying import LEAST_BYTES
from edge.history.writer import EventEntry, HistoryWriter, RunEntry, refuse_others
from edge.sinks.amounts import read_size, read_span
from edge.sinks.base import SinkBase
from edge.sinks.minutes import MinuteTallies
from edge.sinks.place import writable_file
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.stream.decision import Decision
from edge.stream.events import Event, EventTracker
from edge.stream.status import Status

__all__ = ["SqliteSink", "make"]

#: How often it is written: a power cut takes at most what was heard since.
_WRITE_S = 30.0
#: Minutes and events in one transaction, so that nobody waits long for it.
_N_AT_ONCE = 256
_N_MOST_EVENTS = 10_000


class SqliteSink(SinkBase):
    """Adds decisions up to minutes and writes those twice a minute, with events and the run.

    Parameters
    ----------
    writer : HistoryWriter
    warn : callable
        Takes what the disk said, once until the file takes minutes again.
    events : bool
        Whether it is told of events; it finds them itself otherwise.
    now, steady : callable
        Unix time, and seconds that no correction of the clock moves.

    Notes
    -----
    While nothing can be written, as on a full disk, minutes wait for up to two days.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        *,
        warn: Callable[[str], None],
        events: bool = False,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._warn, self._now, self._steady = writer, warn, now, steady
        self._minutes = MinuteTallies()
        self._tracker = None if events else EventTracker()
        # Not written yet, and the one that goes on.
        self._events: list[EventEntry] = []
        self._current: EventEntry | None = None
        self._summary: Mapping[str, Any] | None = None
        self._written_s = 0.0
        self._fails, self._n_lost = False, 0

    def open(self) -> None:
        """Open the file, or say that it cannot be for now."""
        self._write()

    def emit(self, decision: Decision) -> None:
        """Add a decision or a gap to its minutes."""
        time_s = self._now() if decision.time_s is None else decision.time_s
        self._minutes.add(decision, time_s)
        if self._tracker is not None:
            for event in self._tracker.push(decision):
                self._take(event)
        if self._steady() - self._written_s >= _WRITE_S:
            self._write()

    def event(self, event: Event) -> None:
        """Take a beginning or an ending, where it is told of them."""
        if self._tracker is None:
            self._take(event)

    def status(self, status: Status) -> None:
        """Write what is waiting: where the source went away, no decision comes for long."""
        self._write()

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Keep it for the end."""
        self._summary = summary

    def close(self) -> None:
        """Write what is left, that the run is over, and let go of the file.

        Raises
        ------
        SinkError
            If something is left that cannot be written.
        """
        if self._tracker is not None:
            for event in self._tracker.finish():
                self._take(event)
        try:
            if not self._write():
                n_lost = len(self._minutes.waiting) + self._n_lost
                raise SinkError(
                    f"the history {printable(self._writer.path)} lacks "
                    f"{how_many(n_lost, 'minute')} of what was heard, which could not be written"
                )
            self._writer.end(self._now(), self._summary)
        except HistoryError as error:
            self._warn(str(error))
        finally:
            self._writer.close()

    def _take(self, event: Event) -> None:
        time_s = self._now() if event.time_s is None else event.time_s
        if event.event == "start":
            self._current = EventEntry(event.label, time_s, event.peak, event.mean_probability)
            entry = self._current
        else:
            if self._current is None:
                return
            entry, self._current = self._current, None
            entry.end_s, entry.peak = time_s, event.peak
            entry.mean_probability = event.mean_probability
            if event.end_s is not None:
                entry.duration_s = round(event.end_s - event.start_s, 3)
        if not any(entry is each for each in self._events[-1:]):
            self._events.append(entry)

    def _write(self) -> bool:
        """Write what is waiting, or let it wait; whether all of it was written."""
        self._written_s = self._steady()
        waiting = self._minutes.waiting
        try:
            while True:
                minutes = {minute: waiting[minute] for minute in list(waiting)[:_N_AT_ONCE]}
                events = self._events[:_N_AT_ONCE]
                self._writer.write(minutes, events)
                for minute in minutes:
                    del waiting[minute]
                del self._events[: len(events)]
                self._writer.tidy()
                if not waiting and not self._events:
                    break
        except HistoryError as error:
            self._bear(error)
            return False
        if self._fails:
            lost = f", {how_many(self._n_lost, 'record')} could not be" if self._n_lost else ""
            self._warn(f"the history {printable(self._writer.path)} is written again{lost}")
            self._fails, self._n_lost = False, 0
        return True

    def _bear(self, error: HistoryError) -> None:
        if not self._fails:
            self._fails = True
            self._warn(f"{error}; what is heard is kept in memory until it can be written")
        n_events = len(self._events) - _N_MOST_EVENTS
        if n_events > 0:
            del self._events[:n_events]
        self._n_lost += self._minutes.drop_oldest() + max(0, n_events)


def make(target: Target, settings: SinkSettings) -> SqliteSink:
    """Make one for the registry."""
    path = writable_file(target.address)
    keep_s = read_span("keep", target.option("keep", "90d"), least_s=3_600.0)
    max_bytes = read_size("size", target.option("size", "100M"), least=LEAST_BYTES)
    try:
        refuse_others(path)
    except HistoryError as error:
        raise ParameterError(str(error)) from error
    about = settings.about
    run = RunEntry(about.version, about.model, about.model_sha256, about.source, settings.now())
    writer = HistoryWriter(path, keep_s, max_bytes, run, now=settings.now)
    return SqliteSink(writer, warn=settings.warn, events=settings.events, now=settings.now)
