"""Start the trials of a target, watch over them, and tell what was found."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.guard import MAX_S
from fuzz.target import open_target
from fuzz.worker import PROGRESS, keep_input

__all__ = ["Finding", "Report", "run_target"]

#: Longest wait for a single trial: far beyond any bar, for the machine may be busy.
HANG_S = 40.0
#: Most address space that a trial may ask for.
_ADDRESS_MB = 2048
#: A target whose every trial kills its worker is not worth ten thousand starts.
_MAX_FINDINGS = 400
_POLL_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One trial that ended as none may.

    Parameters
    ----------
    target : str
    seed : int
    kind : str
        "untyped", "unsound", "forbidden", "slow", "memory", "hang" or "died".
    text : str
        What is known of it.
    """

    target: str
    seed: int
    kind: str
    text: str


@dataclasses.dataclass(slots=True)
class Report:
    """What the trials of one target came to."""

    target: str
    n_trials: int = 0
    n_refused: int = 0
    n_answered: int = 0
    n_contained: int = 0
    worst_s: float = 0.0
    worst_mb: float = 0.0
    wall_s: float = 0.0
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """Findings of these kinds."""
        return sum(finding.kind in kinds for finding in self.findings)


def run_target(
    target: str,
    first: int = 0,
    n: int = 10_000,
    *,
    product: bool = False,
    save: Path | None = None,
    hang_s: float = HANG_S,
    max_s: float = MAX_S,
    warm_up: int = 5,
    seeds: Path | None = None,
) -> Report:
    """Try a target with the seeds from ``first`` on.

    Parameters
    ----------
    target : str
        One of :data:`fuzz.target.TARGETS`, or ``module:Class``.
    first, n : int
    product : bool
        Leave no road shorter.
    save : Path, optional
        Where inputs that found something are kept, in a folder a target.
    hang_s : float
        When a trial is given up.
    max_s : float
        Most processor time of a trial.
    warm_up : int
        Trials before the first, whose time does not count.
    seeds : Path, optional
        What a target's ``prepare`` would make, made already.
    """
    started_s = time.monotonic()
    report = Report(target)
    is_short = open_target(target).has_short_road and not product
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        if seeds is not None:
            shutil.copytree(seeds, folder / "seeds")
        place = None if save is None else save / target.replace(":", ".")
        task = {
            "target": target, "folder": name, "product": product, "warm_up": warm_up,
            "save": None if place is None else str(place), "address_mb": _ADDRESS_MB,
            "max_s": max_s,
        }  # fmt: skip
        suspects: list[Finding] = []
        for found in _trials(folder, task, first, n, hang_s, report):
            suspects.append(found)
            if found.kind in ("hang", "died"):
                keep_input(folder / "trial", task["save"], found.seed)
            if len(suspects) >= _MAX_FINDINGS:
                break
        if is_short:
            again = {**task, "product": True, "warm_up": 0}
            for suspect in suspects:
                found_again = list(_trials(folder, again, suspect.seed, 1, hang_s, Report(target)))
                report.findings += found_again
                report.n_contained += not found_again
        else:
            report.findings += suspects
    report.wall_s = time.monotonic() - started_s
    return report


def missing_packages(target: str) -> list[str]:
    """Packages that a target needs and that are not installed."""
    return [name for name in open_target(target).needs if importlib.util.find_spec(name) is None]


def _trials(
    folder: Path, task: dict[str, Any], first: int, n: int, hang_s: float, report: Report
) -> Iterator[Finding]:
    """Run worker after worker until all seeds were tried; yields what was found."""
    end = first + n
    n_early_ends = 0
    while first < end:
        (folder / "progress").write_bytes(PROGRESS.pack(-2, 0.0, 0, 0, 0.0, 0.0))
        (folder / "findings.jsonl").write_bytes(b"")
        code, seed, is_hang = _one_worker(
            folder, {**task, "first": first, "n": end - first}, hang_s
        )
        _, _, n_refused, n_answered, worst_s, worst_mb = _progress(folder)
        report.n_refused += n_refused
        report.n_answered += n_answered
        report.worst_s = max(report.worst_s, worst_s)
        report.worst_mb = max(report.worst_mb, worst_mb)
        n_done = end - first if seed == -1 else max(0, seed + 1 - first)
        report.n_trials += n_done
        for line in (folder / "findings.jsonl").read_text().splitlines():
            found = json.loads(line)
            yield Finding(report.target, found["seed"], found["kind"], found["text"])
        if seed == -1:
            return
        said = (folder / "log").read_text(errors="replace")[-3000:]
        if seed == -2:
            n_early_ends += 1
            if n_early_ends > 3:
                raise RuntimeError(f"the worker of {report.target} does not start:\n{said}")
            continue
        kind = "hang" if is_hang else "died"
        what = f"no end after {hang_s:g} s" if is_hang else f"exit code {code}"
        yield Finding(report.target, seed, kind, f"{what}\n{said}")
        first = seed + 1


def _one_worker(folder: Path, task: dict[str, Any], hang_s: float) -> tuple[int, int, bool]:
    """Exit code, seed in progress at its end (-1: all done, -2: none begun), whether it hung."""
    tests = Path(__file__).resolve().parents[1]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)]),
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    with open(folder / "log", "wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", json.dumps(task)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        try:
            while child.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_POLL_S)
                seed, began_s, *_ = _progress(folder)
                if seed >= 0 and child.poll() is None and time.monotonic() - began_s > hang_s:
                    return -1, seed, True
        finally:
            with contextlib.suppress(ProcessLookupError):
                # What it started goes with it.
                os.killpg(child.pid, 9)
            child.wait()
    return child.returncode, _progress(folder)[0], False


def _progress(folder: Path) -> tuple[Any, ...]:
    return PROGRESS.unpack((folder / "progress").read_bytes())
