"""Wiring: a source into a stream into sinks."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edge.benchmark.peak_memory import peak_rss_mb
from edge.errors import AudioFileError
from edge.sinks import Sink
from edge.sources import Block, Gap, Source, Stop
from edge.stream.decision import GAP, Decision
from edge.stream.stream import Stream

__all__ = ["Summary", "run_pipeline"]

#: Latencies kept for the percentiles: nine hours of decisions every half second.
#: A device listens for weeks, so they cannot all be kept.
_N_LATENCIES = 65_536


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a run came to.

    Parameters
    ----------
    decisions : int
        Decisions made.
    audio_s : float
        Seconds of audio heard.
    rtf : float or None
        Real-time factor: seconds of work (everything but waiting for audio) for a
        second of audio; None without audio.
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
        parts = [f"{self.decisions} decisions in {self.audio_s:.1f} s of audio"]
        if self.rtf is not None:
            parts.append(f"real-time factor {self.rtf:.3f}")
        if self.p50_ms is not None:
            parts.append(
                f"latency p50 {self.p50_ms:.1f}, p95 {self.p95_ms:.1f}, p99 {self.p99_ms:.1f} ms"
            )
        parts.append(f"{self.dropped_samples} samples dropped")
        parts.append(f"peak memory {self.peak_rss_mb:.0f} MB")
        return ", ".join(parts)


def run_pipeline(
    source: Source,
    stream: Stream,
    sinks: Sequence[Sink],
    *,
    duration_s: float | None = None,
    stop: Stop | None = None,
) -> Summary:
    """Run until the source ends or is stopped.

    Parameters
    ----------
    source : Source
        Yields the blocks.
    stream : Stream
        Fresh or reset.
    sinks : sequence of Sink
        Each is given every decision.
    duration_s : float, optional
        Seconds of audio after which to end.
    stop : Stop, optional
        Ends the run when requested; what was heard since the last decision is left.

    Returns
    -------
    Summary

    Raises
    ------
    AudioFileError
        If the source ended by itself before a single frame was whole.
    """
    spec = stream.classifier.spec
    n_wanted = None if duration_s is None else max(1, round(duration_s * spec.sample_rate))
    latencies: collections.deque[float] = collections.deque(maxlen=_N_LATENCIES)
    n_samples = n_decisions = n_dropped = 0

    def hand_out(decisions: list[Decision]) -> None:
        nonlocal n_decisions
        for decision in decisions:
            if decision.state != GAP:
                n_decisions += 1
                latencies.append(decision.timing.latency_ms)
            for sink in sinks:
                sink.emit(decision)

    stop = stop or Stop()
    started_s = time.perf_counter()
    with _closing(source.blocks(stop)) as blocks:
        for block in blocks:
            if isinstance(block, Gap):
                n_dropped += block.n_samples
                hand_out(stream.skip(block.n_samples, block.reason))
                continue
            samples = block.samples
            if n_wanted is not None:
                samples = samples[: n_wanted - n_samples]
            n_samples += samples.size
            hand_out(stream.push(samples, block.arrived_s))
            if n_samples == n_wanted:
                break
    if not stop.requested:
        if n_samples < spec.win_length:
            raise AudioFileError(
                f"{source.name} ended after {n_samples} samples at {spec.sample_rate} Hz, "
                f"{spec.win_length} or more "
                f"({1000 * spec.win_length / spec.sample_rate:.0f} ms) are wanted"
            )
        hand_out(stream.flush())
    work_s = time.perf_counter() - started_s - source.waited_s
    audio_s = n_samples / spec.sample_rate
    p50_ms, p95_ms, p99_ms = (
        (float(value) for value in np.percentile(np.array(latencies), (50, 95, 99)))
        if latencies
        else (None, None, None)
    )
    return Summary(
        decisions=n_decisions,
        audio_s=audio_s,
        rtf=work_s / audio_s if audio_s else None,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        dropped_samples=n_dropped,
        peak_rss_mb=peak_rss_mb(),
    )


@contextlib.contextmanager
def _closing(blocks: Iterator[Block | Gap]) -> Iterator[Iterator[Block | Gap]]:
    """Close the blocks whatever happens, and with them a microphone."""
    try:
        yield blocks
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
