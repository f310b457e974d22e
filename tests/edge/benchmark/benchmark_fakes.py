"""Reports without the measuring: workers that answer at once what they are told."""

from __future__ import annotations

import pytest

import edge.benchmark.report

FACTS = {
    "clip": "nothing",
    "block_samples": 8192,
    "memory": {"peak_rss_mb": 41.26, "steady_rss_mb": None},
    "segment": {"audio_s": 1.984, "frames": 61},
    "hop": {"audio_s": 0.512, "frames": 16},
}
KEYS = (
    "pace.work_ms",
    *(f"segment.{name}_ms" for name in ("whole", "features", "model")),
    *(f"hop.{name}_ms" for name in ("whole", "features", "model", "processor", "latency",
                                    "capture_processor")),
    *(f"stages.{name}" for name in ("capture_copy", "resample", "features_segment",
                                    "features_increment", "gate", "model", "decision")),
)  # fmt: skip


class FakeWorker:
    """Every run of the n-th round takes ``round_ms[n]``; the first round is the warm-up."""

    def __init__(self, round_ms: list[float], log: list[str], name: str) -> None:
        self.facts, self._round_ms, self._log, self._name = FACTS, round_ms, log, name
        self._n_rounds = 0

    def round(self, duration_s: float, n_least: int) -> dict[str, list[float]]:
        ms = self._round_ms[min(self._n_rounds, len(self._round_ms) - 1)]
        self._n_rounds += 1
        self._log.append(self._name)
        return {key: [ms] * n_least for key in KEYS}

    def close(self) -> None:
        self._log.append(f"{self._name} closed")


def fake_workers(monkeypatch: pytest.MonkeyPatch, *round_ms: list[float]) -> list[str]:
    """Put fake workers in the place of children, without cold starts; gives the order of turns."""
    log: list[str] = []
    waiting = [FakeWorker(each, log, f"worker {i}") for i, each in enumerate(round_ms)]
    monkeypatch.setattr(edge.benchmark.report, "open_worker", lambda *_: waiting.pop(0))
    monkeypatch.setattr(edge.benchmark.report, "can_try", lambda: False)
    return log
