"""Artifacts measured in turns, and what was measured of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edge.benchmark.timings import timings
from edge.benchmark.workers import Worker

__all__ = ["Measured", "in_rounds"]

#: A p95 needs this many runs to mean anything, however short the duration.
_N_LEAST = 20

# Artifacts take turns of this length, so that a slow minute of the machine hits all of them.
_ROUND_S = 1.0


def in_rounds(
    workers: Sequence[Worker],
    duration_s: float,
    n_warm_up: int,
    progress: Callable[[str], object] = lambda _: None,
) -> list[Measured]:
    """Warm up and measure, a round of each artifact after another.

    Parameters
    ----------
    workers : sequence of Worker
    duration_s : float
        Seconds for each.
    n_warm_up : int
        Runs that do not count.
    progress : callable
        Is told a sentence now and then.
    """
    n_rounds = max(1, round(duration_s / _ROUND_S))
    round_s = duration_s / n_rounds
    n_least = math.ceil(_N_LEAST / n_rounds)
    found = [Measured(worker) for worker in workers]
    for each in found:
        each.warm_up(n_warm_up)
    for i in range(n_rounds):
        done_s, all_s = (len(found) * s for s in (i * round_s, duration_s))
        progress(f"measuring, {done_s:.0f} of {all_s:.0f} s")
        for each in found:
            each.round(round_s, n_least)
    return found


class Measured:
    """What was measured of one artifact so far."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self.facts = worker, worker.facts
        self._warm_up: dict[str, list[float]] = {}
        self._times: dict[str, list[float]] = {}
        self._round_runs: list[int] = []

    def warm_up(self, n: int) -> None:
        """Run, and keep it apart."""
        self._warm_up = self._worker.round(0.0, n)

    def round(self, duration_s: float, n_least: int) -> None:
        """Run for a while."""
        times = self._worker.round(duration_s, n_least)
        for name, times_ms in times.items():
            self._times.setdefault(name, []).extend(times_ms)
        self._round_runs.append(len(times["hop.whole_ms"]))

    def report(self) -> dict[str, Any]:
        """Sum it up."""
        blocks: dict[str, dict[str, Any]] = {"stages": {}}
        for key, times_ms in self._times.items():
            block, _, name = key.partition(".")
            blocks.setdefault(block, {})[name] = timings(times_ms)
        hop_ms = 1000 * self.facts["hop"]["audio_s"]
        listening_ms = sum(
            blocks["hop"][name]["mean"] for name in ("processor_ms", "capture_processor_ms")
        )
        return {
            "runs": sum(self._round_runs),
            "round_runs": self._round_runs,
            "warm_up": {
                "runs": len(self._warm_up["hop.whole_ms"]),
                "hop_ms": timings(self._warm_up["hop.whole_ms"]),
            },
            "stages": blocks["stages"],
            "segment": {**self.facts["segment"], **blocks["segment"]},
            "hop": {**self.facts["hop"], **blocks["hop"]},
            "real_time_factor": _digits(blocks["hop"]["whole_ms"]["mean"] / hop_ms),
            "core_share": _digits(listening_ms / hop_ms),
            "memory": {
                name: None if value is None else round(value, 1)
                for name, value in self.facts["memory"].items()
            },
        }


def _digits(value: float) -> float:
    return float(np.format_float_positional(value, precision=4, fractional=False))
