"""Wiring: a source into a stream into sinks."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.peak_memory import peak_rss_mb
from edge.errors import AudioFileError, BackendError, ParameterError, how_many
from edge.sinks import Sink
from edge.sinks.group import SinkGroup
from edge.sinks.registry import SinkSettings, make_sink
from edge.sources.base import Block, Gap, Source, SourceSettings, Stop, say_nothing
from edge.sources.registry import find_source, open_source
from edge.stream.classifier import Classifier
from edge.stream.decision import GAP, SPEECH, Decision
from edge.stream.loading import load
from edge.stream.status import Status
from edge.stream.stream import Stream

__all__ = ["Summary", "Tap", "listen", "run_pipeline"]

#: Hears everything that goes through, before it is decided on.
Tap = Callable[["Block | Gap | Status"], None]

#: Latencies kept for the percentiles: nine hours of decisions every half second.
#: A device listens for weeks, so they cannot all be kept.
_N_LATENCIES = 65_536

#: Failures of the model in a row that end a run: five seconds at the usual hop.  One that
#: runs out of memory for a moment comes back, one that is broken does not.
_MAX_FAILURES = 10


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a run came to.

    Parameters
    ----------
    decisions : int
        Decisions made.
    audio_s : float
        Seconds of audio heard; what was lost is not among them.
    rtf : float or None
        Real-time factor: seconds of work (everything but waiting for audio, so the
        sinks as well) for a second of audio heard; None without audio.
    p50_ms, p95_ms, p99_ms : float or None
        Percentiles of the decisions' latency; None without decisions.
    dropped_samples : int
        Samples lost, at the model's rate.
    peak_rss_mb : float
        Peak resident memory of the process in MB.
    """

    decisions: int
    audio_s: float
    rtf: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    dropped_samples: int
    peak_rss_mb: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order, rounded to what is meaningful."""
        return {
            "type": "summary",
            "decisions": self.decisions,
            "audio_s": round(self.audio_s, 3),
            "rtf": _rounded(self.rtf, 5),
            "p50_ms": _rounded(self.p50_ms, 3),
            "p95_ms": _rounded(self.p95_ms, 3),
            "p99_ms": _rounded(self.p99_ms, 3),
            "dropped_samples": self.dropped_samples,
            "peak_rss_mb": round(self.peak_rss_mb, 1),
        }

    def sentence(self) -> str:
        """Say the same in one line for a person."""
        parts = [f"{how_many(self.decisions, 'decision')} in {self.audio_s:.1f} s of audio"]
        if self.rtf is not None:
            parts.append(f"real-time factor {self.rtf:.3f}")
        if self.p50_ms is not None:
            parts.append(
                f"latency p50 {self.p50_ms:.1f}, p95 {self.p95_ms:.1f}, p99 {self.p99_ms:.1f} ms"
            )
        parts.append(f"{how_many(self.dropped_samples, 'sample')} dropped")
        parts.append(f"peak memory {self.peak_rss_mb:.0f} MB")
        return ", ".join(parts)


def listen(
    source: str | Source = "mic",
    sinks: Sequence[Sink | str] = ("terminal",),
    *,
    classifier: Classifier | None = None,
    stream: Stream | None = None,
    device: str | int | None = None,
    fast: bool = False,
    duration_s: float | None = None,
    stop: Stop | None = None,
) -> Summary:
    """Decide on speech as it goes: what ``edge-ser listen`` does.

    Parameters
    ----------
    source : str or Source
        ``"mic"``, ``"demo"``, ``"-"`` (standard input), the path of an audio file, or an object
        of your own.
    sinks : sequence of Sink or str
        What is told every decision; ``"terminal"`` and ``"json_lines"`` write to standard output.
    classifier : Classifier, optional
        None: the bundled one.
    stream : Stream, optional
        Of a classifier, fresh or reset; None: the classifier's with its own lengths.
    device : str or int, optional
        Microphone: its name, a part of it, or its index; None: the default input.
    fast : bool
        Do not play a file at the pace of speech.
    duration_s, stop
        As for :func:`run_pipeline`.

    Returns
    -------
    Summary

    Raises
    ------
    EdgeSerError
        As :func:`run_pipeline`, :func:`edge.load` and the source say.
    """
    stream = stream or (classifier or load()).stream()
    group = SinkGroup(
        [make_sink(s, SinkSettings(sys.stdout)) if isinstance(s, str) else s for s in sinks],
        say_nothing,
    )
    if isinstance(source, str):
        row = find_source(source)
        if device is not None and not row.takes_device:
            raise ParameterError(f"device names a microphone, source is {source!r}")
        settings = SourceSettings(
            sample_rate=stream.classifier.spec.sample_rate,
            path=source,
            device=device,
            fast=fast,
            warn=group.warn,
        )
        source = open_source(row, settings)
    return run_pipeline(source, stream, group, duration_s=duration_s, stop=stop)


def run_pipeline(
    source: Source,
    stream: Stream,
    sinks: Sequence[Sink] | SinkGroup,
    *,
    duration_s: float | None = None,
    stop: Stop | None = None,
    taps: Sequence[Tap] = (),
) -> Summary:
    """Run until the source ends or is stopped.

    Parameters
    ----------
    source : Source
        Yields blocks and gaps.
    stream : Stream
        Fresh or reset.
    sinks : sequence of Sink, or SinkGroup
        Each is told everything.  One that fails is closed and named; the others go on.
    duration_s : float, optional
        Seconds of audio after which to end, lost ones among them.
    stop : Stop, optional
        Ends the run when requested; what was heard since the last decision is left.
    taps : sequence of callable
        Each is called with every block, gap and status before it is decided on.

    Returns
    -------
    Summary

    Raises
    ------
    AudioFileError
        If the source ended by itself before a single frame was whole.
    BackendError
        If the model fails again and again, or never worked.  A failure among others is a
        warning: its segment is lost and nothing else.
    OSError, EdgeSerError
        What the last sink failed with, when none is left.
    """
    group = sinks if isinstance(sinks, SinkGroup) else SinkGroup(sinks, say_nothing)
    run = _Run(stream, group)
    spec = stream.classifier.spec
    n_left = None if duration_s is None else max(1, round(duration_s * spec.sample_rate))
    stop = stop or Stop()
    started_s = time.perf_counter()
    with group:
        with _closing(source.blocks(stop)) as blocks:
            for block in blocks:
                for tap in taps:
                    tap(block)
                if isinstance(block, Status):
                    group.status(block)
                    continue
                n = block.n_samples if isinstance(block, Gap) else block.samples.size
                n = n if n_left is None else min(n, n_left)
                if isinstance(block, Gap):
                    run.skip(n, block.reason)
                else:
                    run.push(block.samples[:n], block.arrived_s)
                if n_left is not None:
                    n_left -= n
                    if n_left == 0:
                        break
        if not stop.requested:
            if run.n_samples < spec.win_length:
                raise AudioFileError(
                    f"{source.name} ended after {how_many(run.n_samples, 'sample')} at "
                    f"{spec.sample_rate} Hz, "
                    f"{spec.win_length} or more "
                    f"({1000 * spec.win_length / spec.sample_rate:.0f} ms) are wanted"
                )
            run.flush()
        run.check_model()
        work_s = time.perf_counter() - started_s - source.waited_s
        summary = run.summary(work_s)
        group.summary(summary.to_dict())
    return summary


class _Run:
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
        self.n_samples += samples.size
        self._decide(lambda: self._stream.push(samples, arrived_s), self._rest)

    def skip(self, n_samples: int, reason: str) -> None:
        self._n_dropped += n_samples
        self._decide(lambda: self._stream.skip(n_samples, reason), self._rest)

    def flush(self) -> None:
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
            if decision.state == SPEECH:
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


@contextlib.contextmanager
def _closing(
    blocks: Iterator[Block | Gap | Status],
) -> Iterator[Iterator[Block | Gap | Status]]:
    """Close the blocks whatever happens, and with them a microphone."""
    try:
        yield blocks
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
