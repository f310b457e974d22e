"""What a run came to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from edge.errors import how_many
from edge.stream.records import head

__all__ = ["Summary"]


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
    states : mapping of str to int
        How many of the decisions were "speech", "uncertain", "no-speech" and "quiet".
    gaps : int
        How often samples were lost.
    skipped_hops : int
        Decisions that were left out, as newer sound was waiting.
    events : int or None
        How many began; None where they were not asked for.
    time_s : float or None
        Unix time of the end.
    activation : float or None
        Mean of the decisions where somebody spoke, 0 calm to 1 aroused; None where nobody did.
    """

    decisions: int
    audio_s: float
    rtf: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    dropped_samples: int
    peak_rss_mb: float
    states: Mapping[str, int] = dataclasses.field(default_factory=dict)
    gaps: int = 0
    skipped_hops: int = 0
    events: int | None = None
    time_s: float | None = None
    activation: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order, rounded to what is meaningful."""
        return {
            **head("summary", self.time_s),
            "decisions": self.decisions,
            "states": dict(self.states),
            "gaps": self.gaps,
            "events": self.events,
            "activation": _rounded(self.activation, 4),
            "audio_s": round(self.audio_s, 3),
            "rtf": _rounded(self.rtf, 5),
            "p50_ms": _rounded(self.p50_ms, 3),
            "p95_ms": _rounded(self.p95_ms, 3),
            "p99_ms": _rounded(self.p99_ms, 3),
            "dropped_samples": self.dropped_samples,
            "skipped_hops": self.skipped_hops,
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
        if self.activation is not None:
            parts.append(f"activation {self.activation:.2f} on average")
        if self.skipped_hops:
            parts.append(f"{how_many(self.skipped_hops, 'hop')} skipped")
        parts.append(f"{how_many(self.dropped_samples, 'sample')} dropped")
        parts.append(f"peak memory {self.peak_rss_mb:.0f} MB")
        return ", ".join(parts)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
