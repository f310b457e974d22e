"""Milliseconds are milliseconds, megabytes are megabytes, and warming up is not counted."""

from __future__ import annotations

import builtins
import io
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable

import pytest

import edge
import edge.benchmark.measure as module_under_test
from edge.artifact import Artifact
from edge.benchmark.measure import format_report, measure
from edge.benchmark.peak_memory import peak_rss_mb


class Clock:
    """Every look takes as long as it is told."""

    def __init__(self, step_s: Callable[[int], float]) -> None:
        self.n_looks, self.now_s, self._step_s = 0, 1000.0, step_s

    def perf_counter(self) -> float:
        self.now_s += self._step_s(self.n_looks)
        self.n_looks += 1
        return self.now_s


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """What the cold starts say: import, load and first decision in ms, peak in MB."""
    said = [[30.0, 20.0, 10.0, 50.0], [33.0, 22.0, 11.0, 55.0], [36.0, 24.0, 12.0, 60.0]]

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        text = json.dumps(said[run.n % len(said)])
        run.n += 1
        return subprocess.CompletedProcess([], 0, text, "")

    run.n = 0
    monkeypatch.setattr(module_under_test.subprocess, "run", run)
    monkeypatch.setattr(module_under_test, "_N_COLD_STARTS", 3)
    return said


def measured(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, step_s: Callable[[int], float]
) -> dict[str, object]:
    classifier = edge.load(artifact.path)
    monkeypatch.setattr(module_under_test, "time", Clock(step_s))
    return measure(classifier, duration_s=1e-9)


def test_times_are_milliseconds(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, cold: list[list[float]]
) -> None:
    report = measured(tiny_artifact, monkeypatch, lambda _: 0.008)
    for kind in ("segment", "hop"):
        assert set(report[kind]["whole_ms"].values()) == {8.0}
    assert report["real_time_factor"] == pytest.approx(0.008 / 0.512)
    assert report["hop"]["audio_s"] == 0.512
    assert report["segment"]["audio_s"] == 1.984
    # The run in the middle, from its own clock.
    assert report["cold_start"] == {
        "runs": 3, "total_ms": 8.0, "import_ms": 33.0, "load_ms": 22.0,
        "first_decision_ms": 11.0, "peak_rss_mb": 55.0,
    }  # fmt: skip
    table = format_report(report)
    assert "8.00     8.00     8.00" in table
    assert "cold start        8 ms: import 33, load 22, first decision 11" in table
    assert "55 MB for a first decision alone" in table


def test_runs_that_warm_up_are_not_counted(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, cold: list[list[float]]
) -> None:
    # The clock is looked at once to begin with and four times a run while warming up.
    report = measured(tiny_artifact, monkeypatch, lambda n: 0.5 if n < 1 + 4 * 5 else 0.008)
    for kind in ("segment", "hop"):
        assert report[kind]["whole_ms"]["min"] == report[kind]["whole_ms"]["p99"] == 8.0
    assert report["method"]["runs"] == 20
    assert report["method"]["warm_up"] == 5
    assert f"{report['method']['runs']} of each after 5 to warm up" in format_report(report)


def test_a_slow_run_after_warming_up_is_counted(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, cold: list[list[float]]
) -> None:
    report = measured(tiny_artifact, monkeypatch, lambda n: 0.5 if n == 43 else 0.008)
    slowest = max(report[kind]["whole_ms"]["p99"] for kind in ("segment", "hop"))
    assert slowest > 100


@pytest.mark.parametrize(
    ("platform", "peak", "wanted_mb"),
    [("linux", 100_000, 102.4), ("darwin", 102_400_000, 102.4)],
)
def test_peak_memory_is_in_megabytes(
    platform: str, peak: int, wanted_mb: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.open

    def status(path: object, *args: object, **options: object) -> object:
        if path != "/proc/self/status":
            return real(path, *args, **options)
        if platform == "darwin":
            raise FileNotFoundError(path)
        return io.StringIO(f"VmPeak:\t999999 kB\nVmHWM:\t{peak} kB\nVmRSS:\t1 kB\n")

    fake = types.ModuleType("resource")
    fake.RUSAGE_SELF = 0
    fake.getrusage = lambda _: types.SimpleNamespace(ru_maxrss=peak)
    monkeypatch.setitem(sys.modules, "resource", fake)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(builtins, "open", status)
    assert peak_rss_mb() == pytest.approx(wanted_mb)


THREADS = """
import os, sys
from edge.cli import main
assert "numpy" not in sys.modules
names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
main.main = lambda: print(*(os.environ.get(name) for name in names))
main.run()
"""


@pytest.mark.parametrize(
    ("given", "wanted"), [({}, "1 1 1"), ({"OPENBLAS_NUM_THREADS": "3"}, "1 3 1")]
)
def test_a_command_runs_on_one_thread_unless_told_otherwise(
    given: dict[str, str], wanted: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env={**environment, **given}, capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == wanted
