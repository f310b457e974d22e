"""The report of ``edge-ser benchmark``: several artifacts, measured in turns; docs/benchmark.md."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import edge
from edge.benchmark.agreement import Hearing
from edge.benchmark.clips import Clips
from edge.benchmark.cold_start import ColdStarts
from edge.benchmark.installed import installed_bytes
from edge.benchmark.machine import describe_machine
from edge.benchmark.rounds import Measured, in_rounds
from edge.benchmark.stages import CAPTURE_BLOCK_S, CAPTURE_RATE
from edge.benchmark.stored import VERSION
from edge.benchmark.subjects import LeftOut, Subject
from edge.benchmark.workers import open_worker
from edge.errors import ParameterError
from edge.files import atomic_path
from edge.runtimes.probe import can_try

__all__ = ["Settings", "measure", "write_report"]


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
    n_processes : int
        That measure an artifact, one after another: where memory lies differs from one to the
        next, and with it the times.  Never more than there are rounds.
    """

    duration_s: float = 30.0
    n_threads: int = 1
    n_cold_starts: int = 5
    n_warm_up: int = 5
    n_processes: int = 8

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
    agreements: list[dict[str, Any] | None] = [None for _ in subjects]
    with ExitStack() as stack:
        measured: list[Measured] = []
        for subject in subjects:
            # In a frozen application, whose executable is no Python, there are no new processes.
            starts = ColdStarts(subject, settings.n_threads) if can_try() else None
            open_one = functools.partial(open_worker, subject, settings.n_threads)
            measured.append(Measured(open_one, starts))
            stack.callback(measured[-1].close)
        in_rounds(
            measured,
            settings.duration_s,
            settings.n_warm_up,
            settings.n_processes if can_try() else 1,
            settings.n_cold_starts,
            progress,
        )
        if clips is not None:
            hearing = Hearing(clips, subjects, [each.worker for each in measured], progress)
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
            "block_samples": measured[0].facts["block_samples"],
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
                **found.report(),
                "live": None,
                "sustained": None,
                "stable_label": None,
                "agreement": agreement,
            }
            for subject, found, agreement in zip(subjects, measured, agreements, strict=True)
        ],
    }


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
