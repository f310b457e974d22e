"""The report of ``edge-ser benchmark``: several artifacts, measured in turns; docs/benchmark.md."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

import edge
from edge.benchmark.agreement import Hearing
from edge.benchmark.clips import Clips
from edge.benchmark.cold_start import ColdStarts
from edge.benchmark.installed import installed_bytes
from edge.benchmark.machine import describe_machine
from edge.benchmark.rig import BLOCK_SAMPLES
from edge.benchmark.stages import CAPTURE_BLOCK_S, CAPTURE_RATE
from edge.benchmark.stored import VERSION
from edge.benchmark.subjects import LeftOut, Subject
from edge.benchmark.timings import timings
from edge.benchmark.workers import Worker, open_worker
from edge.errors import ParameterError
from edge.files import atomic_path
from edge.runtimes.probe import can_try

__all__ = ["Settings", "measure", "write_report"]

#: A p95 needs this many runs to mean anything, however short the duration.
_N_LEAST = 20

# Artifacts take turns of this length, so that a slow minute of the machine hits all of them.
_ROUND_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How it is measured.

    Parameters
    ----------
    duration_s : float
        Seconds of measuring, for each artifact; at least 20 runs of each kind are made however
        short it is.  Cold starts come on top.
    n_threads : int
        That the runtimes and NumPy may use.
    n_cold_starts : int
    n_warm_up : int
        Runs of each kind before the clock counts: caches, buffers, clock speed.
    """

    duration_s: float = 30.0
    n_threads: int = 1
    n_cold_starts: int = 5
    n_warm_up: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.duration_s < math.inf:
            raise ParameterError(f"duration_s is {self.duration_s}, above 0 s is wanted")
        if self.n_threads < 1:
            raise ParameterError(f"n_threads is {self.n_threads}, at least 1 is wanted")


def measure(
    subjects: Sequence[Subject],
    settings: Settings | None = None,
    left_out: Iterable[LeftOut] = (),
    clips: Clips | None = None,
    progress: Callable[[str], object] = lambda _: None,
    tell: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Measure artifacts on this device.

    Parameters
    ----------
    subjects : sequence of Subject
        At least one; the first is what the others are held against.
    settings : Settings, optional
    left_out : iterable of LeftOut
        What was asked for and cannot be measured here, for the report.
    clips : Clips, optional
        Of the user's, to see how often the artifacts name their labels.
    progress : callable
        Is told a sentence now and then.
    tell : callable
        Is told what a person should know.

    Returns
    -------
    dict
        Plain JSON types, as ``docs/benchmark.schema.json`` has them.

    Raises
    ------
    EdgeSerError
        If an artifact cannot be opened, or a process that measures one fails.
    """
    settings = settings or Settings()
    started_s = time.time()
    load_average = [round(load, 2) for load in os.getloadavg()]
    machine = {**describe_machine(), "load_average": load_average}
    cold_starts = _cold_starts(subjects, settings, progress)
    agreements: list[dict[str, Any] | None] = [None for _ in subjects]
    with ExitStack() as stack:
        workers = [_open(stack, subject, settings.n_threads) for subject in subjects]
        measured = _steady(workers, settings, progress)
        if clips is not None:
            hearing = Hearing(clips, subjects, workers, progress)
            agreements = [*hearing.reports()]
            if trouble := hearing.trouble():
                tell(trouble)
    installed = {subject.backend: installed_bytes(subject.backend) for subject in subjects}
    packages = {name: size for sizes in installed.values() for name, size in sizes.items()}
    return {
        "type": "benchmark",
        "version": VERSION,
        "edge_ser": edge.__version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started_s)),
        "machine": machine,
        "state": None,
        "method": {
            "duration_s": settings.duration_s,
            "threads": settings.n_threads,
            "warm_up": settings.n_warm_up,
            "cold_starts": settings.n_cold_starts if can_try() else 0,
            "block_samples": BLOCK_SAMPLES,
            "capture_rate_hz": CAPTURE_RATE,
            "capture_block_s": CAPTURE_BLOCK_S,
            "clip": measured[0].facts["clip"],
        },
        "installed": {"bytes": packages, "total_bytes": sum(packages.values())},
        "left_out": [dataclasses.asdict(each) for each in left_out],
        "artifacts": [
            {
                "artifact": subject.facts(),
                "installed_bytes": sum(installed[subject.backend].values()),
                "cold_start": cold,
                **found.report(),
                "live": None,
                "sustained": None,
                "stable_label": None,
                "agreement": agreement,
            }
            for subject, cold, found, agreement in zip(
                subjects, cold_starts, measured, agreements, strict=True
            )
        ],
    }


def _cold_starts(
    subjects: Sequence[Subject], settings: Settings, progress: Callable[[str], object]
) -> list[dict[str, Any] | None]:
    """In turns; None in a frozen application, whose executable is no Python."""
    if not can_try():
        return [None for _ in subjects]
    progress(f"starting {settings.n_cold_starts * len(subjects)} times from nothing")
    starts = [ColdStarts(subject, settings.n_threads) for subject in subjects]
    for _ in range(settings.n_cold_starts):
        for each in starts:
            each.start()
    return [each.report() for each in starts]


def _steady(
    workers: Sequence[Worker], settings: Settings, progress: Callable[[str], object]
) -> list[_Measured]:
    """Warm up and measure, a round of each artifact after another."""
    n_rounds = max(1, round(settings.duration_s / _ROUND_S))
    round_s = settings.duration_s / n_rounds
    n_least = math.ceil(_N_LEAST / n_rounds)
    found = [_Measured(worker) for worker in workers]
    for each in found:
        each.warm_up(settings.n_warm_up)
    for i in range(n_rounds):
        done_s, all_s = (len(found) * s for s in (i * round_s, settings.duration_s))
        progress(f"measuring, {done_s:.0f} of {all_s:.0f} s")
        for each in found:
            each.round(round_s, n_least)
    return found


def _open(stack: ExitStack, subject: Subject, n_threads: int) -> Worker:
    worker = open_worker(subject, n_threads)
    stack.callback(worker.close)
    return worker


class _Measured:
    """What was measured of one artifact so far."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self.facts = worker, worker.facts
        self._warm_up: dict[str, list[float]] = {}
        self._times: dict[str, list[float]] = {}
        self._round_runs: list[int] = []
        self._memory: dict[str, float | None] = {}

    def warm_up(self, n: int) -> None:
        """Run, and keep it apart."""
        self._warm_up = self._worker.round(0.0, n)["times"]

    def round(self, duration_s: float, n_least: int) -> None:
        """Run for a while."""
        told = self._worker.round(duration_s, n_least)
        for name, times_ms in told["times"].items():
            self._times.setdefault(name, []).extend(times_ms)
        self._round_runs.append(len(told["times"]["hop.whole_ms"]))
        self._memory = {name: told[name] for name in ("peak_rss_mb", "steady_rss_mb")}

    def report(self) -> dict[str, Any]:
        """Sum it up."""
        blocks: dict[str, dict[str, Any]] = {"stages": {}}
        for key, times_ms in self._times.items():
            block, _, name = key.partition(".")
            blocks.setdefault(block, {})[name] = timings(times_ms)
        hop_ms = 1000 * self.facts["hop"]["audio_s"]
        stages = blocks["stages"]
        listening_ms = blocks["hop"]["processor_ms"]["mean"] + sum(
            stages[name]["mean"] for name in ("capture_copy", "resample")
        )
        return {
            "runs": sum(self._round_runs),
            "round_runs": self._round_runs,
            "warm_up": {
                "runs": len(self._warm_up["hop.whole_ms"]),
                "hop_ms": timings(self._warm_up["hop.whole_ms"]),
            },
            "stages": stages,
            "segment": {**self.facts["segment"], **blocks["segment"]},
            "hop": {**self.facts["hop"], **blocks["hop"]},
            "real_time_factor": _digits(blocks["hop"]["whole_ms"]["mean"] / hop_ms),
            "core_share": _digits(listening_ms / hop_ms),
            "memory": {
                name: None if value is None else round(value, 1)
                for name, value in self._memory.items()
            },
        }


def _digits(value: float) -> float:
    return float(np.format_float_positional(value, precision=4, fractional=False))


def write_report(path: str | os.PathLike[str], report: dict[str, Any]) -> None:
    """Write a report as JSON, whole or not at all.

    Raises
    ------
    ParameterError
        If the file cannot be written.
    """
    try:
        with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            file.write(json.dumps(report, allow_nan=False) + "\n")
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error.strerror}") from error
