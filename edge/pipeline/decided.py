"""What goes through a run, counted, and a model that fails at times."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.peak_memory import peak_rss_mb
from edge.errors import BackendError
from edge.pipeline.losses import Losses
from edge.pipeline.summary import Summary
from edge.pipeline.wall_clock import WallClock
from edge.sinks.group import SinkGroup
from edge.sources.base import Gap
from edge.stream.decision import GAP, NO_SPEECH, QUIET, SPEECH, UNCERTAIN, Decision
from edge.stream.events import Event, EventSettings, EventTracker
from edge.stream.status import Status
from edge.stream.stream import Stream

__all__ = ["Run"]

#: Latencies kept for the percentiles: nine hours of decisions every half second.
#: A device listens for weeks, so they cannot all be kept.
_N_LATENCIES = 65_536

#: Failures of the model in a row that end a run: five seconds at the usual hop.  One that
#: runs out of memory for a moment comes back, one that is broken does not.
_MAX_FAILURES = 10


class Run:
    """Counts what goes through, stamps it, and bears with a model that fails at times.

    Parameters
    ----------
    stream : Stream
    sinks : SinkGroup
        Told of everything.
    clock : WallClock
    events : EventSettings, optional
        None: the sinks are told of no events.
    """

    def __init__(
        self,
        stream: Stream,
        sinks: SinkGroup,
        clock: WallClock,
        events: EventSettings | None = None,
    ) -> None:
        self._stream = stream
        self._sinks = sinks
        self._clock = clock
        self._events = None if events is None else EventTracker(events)
        # Written to from the start: memory that is there already cannot grow.
        self._latencies = np.full(_N_LATENCIES, np.nan, dtype=np.float32)
        self._states = collections.Counter[str]()
        self._n_decisions = self._n_events = 0
        self._activation, self._n_active = 0.0, 0
        self._losses = Losses(sinks.note, clock.steady_s)
        self._failure: BackendError | None = None
        self._n_failures = 0
        self._has_worked = False
        self.n_samples = 0

    @property
    def n_dropped(self) -> int:
        """Samples that were lost so far."""
        return self._losses.dropped_samples

    def push(
        self, samples: NDArray[np.float32], arrived_s: float | None, *, live: bool = False
    ) -> None:
        """Take a block in and tell the sinks what it completes."""
        self.n_samples += samples.size
        self._decide(
            lambda: self._stream.push(samples, arrived_s, live=live), self._rest, arrived_s
        )
        self._losses.look()

    def skip(self, gap: Gap) -> None:
        """Take a gap in."""
        self._losses.dropped_samples += gap.n_samples
        self._decide(
            lambda: self._stream.skip(gap.n_samples, gap.reason, is_said=gap.is_said), self._rest
        )
        self._losses.look()

    def status(self, status: Status) -> None:
        """Pass on what the source has to say of itself."""
        self._sinks.status(dataclasses.replace(status, time_s=self._clock.now_s()))

    def flush(self) -> None:
        """Decide on what is left."""
        self._decide(self._stream.flush, self._stream.flush)

    def finish(self) -> None:
        """End the events that go on."""
        if self._events is not None:
            self._tell(self._events.finish())

    def _rest(self) -> list[Decision]:
        """Fetch what was decided before the model failed."""
        return self._stream.push(np.zeros(0, dtype=np.float32))

    def _decide(
        self,
        call: Callable[[], list[Decision]],
        again: Callable[[], list[Decision]],
        arrived_s: float | None = None,
    ) -> None:
        try:
            decisions = call()
        except BackendError as error:
            self._failure = error
            self._n_failures += 1
            if self._n_failures >= _MAX_FAILURES:
                raise
            self._sinks.warn(f"a segment was left undecided, as the model failed: {error}")
            decisions = again()
        if decisions:
            time_s = self._clock.at(arrived_s)
            for decision in decisions:
                self._emit(dataclasses.replace(decision, time_s=time_s))

    def _emit(self, decision: Decision) -> None:
        if decision.speech:
            self._has_worked, self._n_failures = True, 0
        self._states[decision.state] += 1
        if decision.activation is not None:
            self._activation += decision.activation
            self._n_active += 1
        self._losses.skipped_hops += decision.skipped_hops
        if decision.state != GAP:
            self._latencies[self._n_decisions % _N_LATENCIES] = decision.timing.latency_ms
            self._n_decisions += 1
        self._sinks.emit(decision)
        if self._events is not None:
            self._tell(self._events.push(decision))

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._n_events += event.event == "start"
            self._sinks.event(event)

    def check_model(self) -> None:
        """Raise what the model failed with if it never worked."""
        if self._failure is not None and not self._has_worked:
            raise self._failure

    def summary(self, work_s: float) -> Summary:
        """Sum it up; ``work_s`` are the seconds that were not spent waiting."""
        audio_s = self.n_samples / self._stream.classifier.spec.sample_rate
        p50_ms, p95_ms, p99_ms = _percentiles(self._latencies[: self._n_decisions])
        return Summary(
            decisions=self._n_decisions,
            audio_s=audio_s,
            rtf=work_s / audio_s if audio_s else None,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            dropped_samples=self._losses.dropped_samples,
            peak_rss_mb=peak_rss_mb(),
            states={state: self._states[state] for state in (SPEECH, UNCERTAIN, NO_SPEECH, QUIET)},
            gaps=self._states[GAP],
            skipped_hops=self._losses.skipped_hops,
            events=None if self._events is None else self._n_events,
            activation=self._activation / self._n_active if self._n_active else None,
            time_s=self._clock.now_s(),
        )


def _percentiles(values: NDArray[np.float32]) -> tuple[float | None, float | None, float | None]:
    """Give the 50th, 95th and 99th, between two values in a straight line; None without any.

    ``np.percentile`` does the same, and imports masked arrays to do it: memory and time that a
    device would spend on its last line.
    """
    if not values.size:
        return None, None, None
    ordered = np.sort(values).astype(np.float64)
    last = values.size - 1
    places = np.array((0.50, 0.95, 0.99)) * last
    p50, p95, p99 = np.interp(places, np.arange(values.size), ordered).tolist()
    return p50, p95, p99
