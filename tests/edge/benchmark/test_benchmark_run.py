"""What is asked for besides goes into the one report, and the state of the board around it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from benchmark_fakes import fake_workers
from runtime_fakes import REPOSITORY
from system_fakes import fake_system

import edge.benchmark.run
from edge.artifact import Artifact
from edge.benchmark.child import open_rig
from edge.benchmark.live import LEAST_S
from edge.benchmark.report import Settings
from edge.benchmark.rig import Times
from edge.benchmark.run import Wishes, run_benchmark
from edge.benchmark.subjects import Subject
from edge.benchmark.table import format_report
from edge.cli.main import main

SCHEMA = json.loads((REPOSITORY / "docs" / "benchmark.schema.json").read_text(encoding="utf-8"))
LIVE = {
    "source": "microphone", "source_reason": None, "duration_s": 3.0, "core_share": 0.0091,
    "wakeups_per_s": 25.0, "involuntary_per_s": 1.0,
    "slices": {"duration_s": 0.3, "core_share": [0.0091], "wakeups_per_s": [25.0]}, "threads": 3,
    "rss_mb": 60.0, "peak_rss_mb": 61.0, "decisions": 6, "states": {"speech": 6},
    "skipped_hops": 0, "dropped_samples": 0, "latency_ms": None,
}  # fmt: skip


class HopWorker:
    """Does a hop in 5 ms."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int, bool]] = []

    def round(self, duration_s: float, n_least: int, *, only_hops: bool = False) -> Times:
        self.asked.append((duration_s, n_least, only_hops))
        time.sleep(0.01)
        return {"hop.whole_ms": [5.0] * 3}

    def hear(self, path: str) -> dict[str, Any]:
        raise AssertionError(path)

    def close(self) -> None:
        self.asked.append((-1.0, -1, False))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> HopWorker:
    worker = HopWorker()
    monkeypatch.setattr(edge.benchmark.run, "open_worker", lambda *_: worker)
    return worker


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `listen` was started with."""
    asked: list[dict[str, Any]] = []

    def live(artifact: Path, backend: str, system: object, **options: Any) -> dict[str, Any]:
        asked.append({"artifact": artifact, "backend": backend, **options})
        return LIVE

    monkeypatch.setattr(edge.benchmark.run, "listen_live", live)
    return asked


def test_everything_that_was_asked_for_is_in_the_report(
    subject: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    worker: HopWorker,
    asked: list[dict[str, Any]],
) -> None:
    fake_workers(monkeypatch, [8.0])
    zone = "/sys/class/thermal/thermal_zone0"
    system = fake_system(tmp_path, {f"{zone}/type": "cpu", f"{zone}/temp": "50000"})
    wishes = Wishes(live_s=3.0, live_source="demo", sustained_s=60.0)
    settings = Settings(duration_s=0.1, n_threads=2)
    report = run_benchmark([subject], settings, wishes, system)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    (told,) = report["artifacts"]
    assert told["live"] == LIVE
    (options,) = asked
    assert (options["duration_s"], options["source"], options["backend"]) == (3.0, "demo", "numpy")
    assert options["environ"]["OMP_NUM_THREADS"] == "2"
    # After a warm-up six buckets, of hops alone, and no child is left behind.
    assert worker.asked == [(0.0, 5, True), *[(10.0, 1, True)] * 6, (-1.0, -1, False)]
    assert told["sustained"]["hops"] == 18
    assert told["sustained"]["state"]["before"] == report["state"]["after"]
    assert told["stable_label"]["without_bar"]["n_turns"] == 5
    table = format_report(report)
    assert (
        "listening         0.91 % of a core, 25 wake-ups a second (1 involuntary), 60 MB" in table
    )
    assert "18 hops: no drift, +0.00 % a minute (+0.00 to +0.00)" in table
    assert "energy            not measured: this machine has no meter" in table
    assert "state             50 to 50 °C" in table


def test_a_run_that_does_not_count_says_so(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(monkeypatch, [8.0])
    system = fake_system(tmp_path, programs={"vcgencmd": "throttled=0x50005"})
    report = run_benchmark([subject], Settings(duration_s=0.1), Wishes(), system)
    assert report["state"]["valid"] is False
    (told,) = report["artifacts"]
    assert (told["live"], told["sustained"]) == (None, None)
    table = format_report(report)
    assert "NOT VALID         the processor is throttled, says the firmware (0x50005)" in table
    assert "listening   " not in table


def test_a_damaged_block_of_a_stored_report_is_left_out(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(monkeypatch, [8.0])
    report = run_benchmark([subject], Settings(0.1), Wishes(), fake_system(tmp_path))
    (told,) = report["artifacts"]
    told["live"] = {**LIVE, "core_share": "much", "source": "\x1b[2J"}
    told["sustained"], told["stable_label"] = {"hops": 1}, {"shown": []}
    table = format_report(report)
    assert "state             the system tells nothing of it" in table
    assert not any(word in table for word in ("listening  ", "sustained", "stable", "\x1b"))


def test_hops_alone_are_what_a_device_does_that_listens(tiny_artifact: Artifact) -> None:
    times = open_rig(str(tiny_artifact.path)).round(0.0, 2, only_hops=True)
    assert {name.partition(".")[0] for name in times} == {"hop"}
    assert len(times["hop.whole_ms"]) == 2


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[Wishes]:
    """What the command asks for, instead of measuring it."""
    seen: list[Wishes] = []

    def run(subjects: Sequence[Subject], settings: Settings, asked: Wishes, *_: Any) -> None:
        seen.append(asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(edge.benchmark.run, "run_benchmark", run)
    return seen


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], Wishes()),
        (["--live"], Wishes(live_s=30.0)),
        (["--live", "5", "--live-source", "demo"], Wishes(live_s=5.0, live_source="demo")),
        (["--sustained", "10m"], Wishes(sustained_s=600.0)),
        (["--sustained", "90s"], Wishes(sustained_s=90.0)),
        (["--sustained", "1H"], Wishes(sustained_s=3600.0)),
        (["--sustained", "600"], Wishes(sustained_s=600.0)),
    ],
)
def test_times_are_told_with_their_unit(
    tiny_artifact: Artifact, wishes: list[Wishes], words: list[str], wanted: Wishes
) -> None:
    main(["benchmark", str(tiny_artifact.path), *words])
    assert wishes == [wanted]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sustained", "m"], "'m' is no time such as 90, 90s, 10m or 1h"),
        (["--sustained", "0m"], "'0m' is no time"),
        (["--live", "claf-ser"], "an artifact is named before the options"),
        (["--live-source", "demo"], "--live-source says what --live listens to: add --live"),
        (["--live", "0.5", "--live-source", "demo"], f"{LEAST_S:g} s or more is wanted"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["benchmark", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert error.startswith("edge-ser: error: ")
