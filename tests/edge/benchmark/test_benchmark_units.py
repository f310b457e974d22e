"""Milliseconds are milliseconds, megabytes are megabytes, and warming up is not counted."""

from __future__ import annotations

import builtins
import io
import os
import subprocess
import sys
import types

import pytest
from benchmark_fakes import fake_workers

import edge.benchmark.report
from edge.artifact import Artifact
from edge.benchmark.child import open_rig
from edge.benchmark.peak_memory import peak_rss_mb, rss_mb
from edge.benchmark.report import Settings, measure
from edge.benchmark.subjects import Subject
from edge.benchmark.table import format_report


def test_times_are_milliseconds(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_workers(monkeypatch, [8.0])
    report = measure([subject], Settings(duration_s=1e-9))
    (found,) = report["artifacts"]
    for kind in ("segment", "hop"):
        whole = found[kind]["whole_ms"]
        assert {whole[name] for name in ("min", "mean", "p50", "p90", "p95", "p99")} == {8.0}
    assert found["real_time_factor"] == pytest.approx(0.008 / 0.512, rel=1e-3)
    # What a microphone takes beside: copying and resampling.
    assert found["core_share"] == pytest.approx(2 * 0.008 / 0.512, rel=1e-3)
    assert found["hop"]["audio_s"] == 0.512
    assert found["segment"]["audio_s"] == 1.984
    assert "8.00    8.00    8.00" in format_report(report)


def test_runs_that_warm_up_are_not_counted(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(monkeypatch, [500.0, 8.0])
    (found,) = measure([subject], Settings(duration_s=1e-9))["artifacts"]
    for kind in ("segment", "hop"):
        assert found[kind]["whole_ms"]["min"] == found[kind]["whole_ms"]["p99"] == 8.0
    assert found["runs"] == 20
    assert found["warm_up"]["runs"] == 5
    assert found["warm_up"]["hop_ms"]["p50"] == 500.0


def test_a_slow_round_after_warming_up_is_counted(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(monkeypatch, [8.0, 8.0, 500.0, 8.0])
    (found,) = measure([subject], Settings(duration_s=3))["artifacts"]
    assert found["hop"]["whole_ms"]["p99"] == 500.0
    assert found["round_runs"] == [7, 7, 7]
    assert found["hop"]["whole_ms"]["raw"][6:9] == [8.0, 500.0, 500.0]
    assert found["memory"] == {"peak_rss_mb": 41.3, "steady_rss_mb": None}


def test_artifacts_take_turns(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    log = fake_workers(monkeypatch, [1.0], [2.0])
    report = measure([subject, subject], Settings(duration_s=2))
    assert log[:6] == ["worker 0", "worker 1"] * 3
    assert sorted(log[6:]) == ["worker 0 closed", "worker 1 closed"]
    assert [each["hop"]["whole_ms"]["p50"] for each in report["artifacts"]] == [1.0, 2.0]


def test_an_artifact_is_measured_by_several_processes(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake_workers(monkeypatch, [500.0, 1.0], [500.0, 9.0])
    monkeypatch.setattr(edge.benchmark.report, "can_try", lambda: True)
    settings = Settings(duration_s=4, n_processes=2, n_cold_starts=0)
    (found,) = measure([subject], settings)["artifacts"]
    assert found["cold_start"] is None
    assert found["processes"] == 2
    assert found["hop"]["whole_ms"]["raw"] == [1.0] * 10 + [9.0] * 10
    assert found["warm_up"]["hop_ms"]["n"] == 5
    assert log == [
        *["worker 0"] * 3, "worker 0 closed", *["worker 1"] * 3, "worker 1 closed",
    ]  # fmt: skip


def test_the_pace_is_told_turn_by_turn(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_workers(monkeypatch, [500.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0])
    (found,) = measure([subject], Settings(duration_s=6))["artifacts"]
    pace = found["pace"]
    assert pace["round_ms"] == [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]
    assert pace["work_ms"]["raw"] == found["hop"]["whole_ms"]["raw"]
    assert pace["drift_percent"] > 100
    assert pace["spread_percent"] == pytest.approx(100 * 1.3663 / 2.3333, abs=0.1)


def test_one_turn_has_no_spread(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_workers(monkeypatch, [500.0, 8.0])
    (found,) = measure([subject], Settings(duration_s=1e-9))["artifacts"]
    assert (found["pace"]["spread_percent"], found["pace"]["drift_percent"]) == (None, None)


def test_cold_starts_are_spread_over_the_time(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake_workers(monkeypatch, [1.0])
    monkeypatch.setattr(edge.benchmark.report, "can_try", lambda: True)

    class Starts:
        def __init__(self, *_: object) -> None:
            pass

        def start(self) -> None:
            log.append("start")

        def report(self) -> None:
            pass

    monkeypatch.setattr(edge.benchmark.report, "ColdStarts", Starts)
    measure([subject], Settings(duration_s=6, n_processes=1, n_cold_starts=3))
    # The first round is the warm-up.
    assert log[1:-1] == [*["worker 0"] * 2, "start"] * 3


def test_a_rig_measures_every_stage(tiny_artifact: Artifact) -> None:
    rig = open_rig(str(tiny_artifact.path))
    times = rig.round(0.0, 2)
    assert {len(times_ms) for times_ms in times.values()} == {2}
    assert all(ms >= 0 for times_ms in times.values() for ms in times_ms)
    stages = {key.partition(".")[2] for key in times if key.startswith("stages.")}
    assert {"capture_copy", "resample", "features_segment", "features_increment"} <= stages
    assert {"model", "decision"} <= stages
    assert len(times["pace.work_ms"]) == 2


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
    assert rss_mb() == (None if platform == "darwin" else pytest.approx(0.001024))


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
