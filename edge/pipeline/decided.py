"""What goes through a run, counted, and a model that fails at times."""

from __future__ import annotations

import collections
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.peak_memory import peak_rss_mb
from edge.errors import BackendError
from edge.pipeline.summary import Summary
from edge.sinks.group import SinkGroup
from edge.stream.decision import GAP, Decision
from edge.stream.stream import Stream

__all__ = ["Run"]

#: Latencies kept for the percentiles: nine hours of decisions every half second.
#: A device listens for weeks, so they cannot all be kept.
_N_LATENCIES = 65_536

#: Failures of the model in a row that end a run: five seconds at the usual hop.  One that
#: runs out of memory for a moment comes back, one that is broken does not.
_MAX_FAILURES = 10


class Run:
    """Counts what goes through, and bears with a model that fails at times."""

    def __init__(self, stream: Stream, sinks: SinkGroup) -> None:
        self._stream = stream
        self._sinks = sinks
        self._latencies: collections.deque[float] = collections.deque(maxlen=_N_LATENCIES)
        self._n_decisions = 0
        self._n_dropped = 0
        self._failure: BackendError | None = None
        self._n_failures = 0
        self._has_worked = False
        self.n_samples = 0

    def push(self, samples: NDArray[np.float32], arrived_s: float | None) -> None:
        """Take a block in and tell the sinks what it completes."""
        self.n_samples += samples.size
        self._decide(lambda: self._stream.push(samples, arrived_s), self._rest)

    def skip(self, n_samples: int, reason: str) -> None:
        """Take a gap in."""
        self._n_dropped += n_samples
        self._decide(lambda: self._stream.skip(n_samples, reason), self._rest)

    def flush(self) -> None:
        """Decide on what is left."""
        self._decide(self._stream.flush, self._stream.flush)

    def _rest(self) -> list[Decision]:
        """Fetch what was decided before the model failed."""
        return self._stream.push(np.zeros(0, dtype=np.float32))

    def _decide(
        self, call: Callable[[], list[Decision]], again: Callable[[], list[Decision]]
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
        for decision in decisions:
            if decision.speech:
                self._has_worked, self._n_failures = True, 0
            if decision.state != GAP:
                self._n_decisions += 1
                self._latencies.append(decision.timing.latency_ms)
            self._sinks.emit(decision)

    def check_model(self) -> None:
        """Raise what the model failed with if it never worked."""
        if self._failure is not None and not self._has_worked:
            raise self._failure

    def summary(self, work_s: float) -> Summary:
        """Sum it up; ``work_s`` are the seconds that were not spent waiting."""
        audio_s = self.n_samples / self._stream.classifier.spec.sample_rate
        p50_ms, p95_ms, p99_ms = (
            (float(value) for value in np.percentile(np.array(self._latencies), (50, 95, 99)))
            if self._latencies
            else (None, None, None)
        )
        return Summary(
            decisions=self._n_decisions,
            audio_s=audio_s,
            rtf=work_s / audio_s if audio_s else None,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            dropped_samples=self._n_dropped,
            peak_rss_mb=peak_rss_mb(),
        )
