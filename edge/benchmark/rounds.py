"""Artifacts measured in turns, and what was measured of each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from edge.benchmark.cold_start import ColdStarts
from edge.benchmark.pace import WORK
from edge.benchmark.sustained import drift
from edge.benchmark.timings import timings
from edge.benchmark.workers import Worker

__all__ = ["Measured", "in_rounds"]

#: A p95 needs this many runs to mean anything, however short the duration.
_N_LEAST = 20

# Artifacts take turns of this length, so that a slow minute of the machine hits all of them.
_ROUND_S = 1.0


def in_rounds(
    found: Sequence[Measured],
    duration_s: float,
    n_warm_up: int,
    n_processes: int = 1,
    n_starts: int = 0,
    progress: Callable[[str], object] = lambda _: None,
) -> None:
    """Warm up and measure, a round of each artifact after another.

    Parameters
    ----------
    found : sequence of Measured
    duration_s : float
        Seconds for each.
    n_warm_up : int
        Runs of every process that do not count.
    n_processes : int
        That measure an artifact one after another, where there are as many rounds.
    n_starts : int
        Cold starts of each, spread over the rounds: within two seconds they would be of one
        moment.
    progress : callable
        Is told a sentence now and then.
    """
    n_rounds = max(1, round(duration_s / _ROUND_S))
    round_s = duration_s / n_rounds
    n_least = math.ceil(_N_LEAST / n_rounds)
    n_processes = min(n_processes, n_rounds)
    n_begun = n_started = 0
    for i in range(n_rounds):
        done_s, all_s = (len(found) * s for s in (i * round_s, duration_s))
        progress(f"measuring, {done_s:.0f} of {all_s:.0f} s")
        if i * n_processes >= n_begun * n_rounds:
            n_begun += 1
            for each in found:
                each.begin(n_warm_up)
        for each in found:
            each.round(round_s, n_least)
        n_due = n_starts * (i + 1) // n_rounds
        for _ in range(n_due - n_started):
            for each in found:
                each.start()
        n_started = n_due


class Measured:
    """What was measured of one artifact so far, and the process that does it.

    Parameters
    ----------
    open_one : callable
        Gives a new worker.
    cold_starts : ColdStarts, optional
        None where there cannot be any.

    Attributes
    ----------
    worker : Worker
        The one that measures at the moment.
    facts : dict
        What is measured.
    """

    def __init__(
        self, open_one: Callable[[], Worker], cold_starts: ColdStarts | None = None
    ) -> None:
        self._open_one, self.worker = open_one, open_one()
        self._cold_starts = cold_starts
        self.facts = self.worker.facts
        self._memory = [self.facts["memory"]]
        self._warm_up: dict[str, list[float]] = {}
        self._times: dict[str, list[float]] = {}
        self._round_runs: list[int] = []

    def begin(self, n_warm_up: int) -> None:
        """Warm a process up, a new one where this one has measured; the first time is kept."""
        if self._round_runs:
            worker = self._open_one()
            self.close()
            self.worker = worker
            self._memory.append(worker.facts["memory"])
        times = self.worker.round(0.0, n_warm_up)
        self._warm_up = self._warm_up or times

    def close(self) -> None:
        """End the process."""
        self.worker.close()

    def round(self, duration_s: float, n_least: int) -> None:
        """Run for a while."""
        times = self.worker.round(duration_s, n_least)
        for name, times_ms in times.items():
            self._times.setdefault(name, []).extend(times_ms)
        self._round_runs.append(len(times["hop.whole_ms"]))

    def start(self) -> None:
        """Start from nothing, once."""
        if self._cold_starts is not None:
            self._cold_starts.start()

    def _megabytes(self, name: str) -> float | None:
        """Of the process in the middle: what it needs differs by a page or two."""
        known = [memory[name] for memory in self._memory if memory[name] is not None]
        return round(statistics.median(known), 1) if known else None

    def report(self) -> dict[str, Any]:
        """Sum it up."""
        blocks: dict[str, dict[str, Any]] = {"stages": {}}
        times = dict(self._times)
        pace = _pace_of(times.pop("pace.work_ms"), self._round_runs)
        for key, times_ms in times.items():
            block, _, name = key.partition(".")
            blocks.setdefault(block, {})[name] = timings(times_ms)
        hop_ms = 1000 * self.facts["hop"]["audio_s"]
        listening_ms = sum(
            blocks["hop"][name]["mean"] for name in ("processor_ms", "capture_processor_ms")
        )
        return {
            "cold_start": None if self._cold_starts is None else self._cold_starts.report(),
            "runs": sum(self._round_runs),
            "round_runs": self._round_runs,
            "processes": len(self._memory),
            "pace": pace,
            "warm_up": {
                "runs": len(self._warm_up["hop.whole_ms"]),
                "hop_ms": timings(self._warm_up["hop.whole_ms"]),
            },
            "stages": blocks["stages"],
            "segment": {**self.facts["segment"], **blocks["segment"]},
            "hop": {**self.facts["hop"], **blocks["hop"]},
            "real_time_factor": _digits(blocks["hop"]["whole_ms"]["mean"] / hop_ms),
            "core_share": _digits(listening_ms / hop_ms),
            "memory": {name: self._megabytes(name) for name in ("peak_rss_mb", "steady_rss_mb")},
        }


def _digits(value: float) -> float:
    return float(np.format_float_positional(value, precision=4, fractional=False))


def _pace_of(work_ms: Sequence[float], round_runs: Sequence[int]) -> dict[str, Any]:
    """Sum the machine's pace up: every time of the fixed piece of work, and round by round."""
    ends = accumulate(round_runs, initial=0)
    round_ms = [statistics.median(work_ms[start:end]) for start, end in pairwise(ends)]
    spread = statistics.stdev(round_ms) / statistics.mean(round_ms) if len(round_ms) > 1 else None
    found = drift(range(len(round_ms)), round_ms)
    return {
        "work": WORK,
        "work_ms": timings(work_ms),
        "round_ms": [round(ms, 4) for ms in round_ms],
        "spread_percent": None if spread is None else round(100 * spread, 2),
        "drift_percent": None if found is None else round(found.percent, 2),
    }
