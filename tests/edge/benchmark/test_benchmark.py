from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from runtime_fakes import run_cli

import edge.benchmark.measure
import edge.stream.classifier
from edge.artifact import Artifact
from edge.benchmark.measure import format_report, measure, write_report
from edge.cli.main import main
from edge.errors import EdgeSerError, ParameterError

PERCENTILES = {"min", "mean", "p50", "p95", "p99"}


@pytest.fixture(scope="module")
def report_file(tiny_artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "report.json"
    done = run_cli("benchmark", "--duration", "0.1", "--output", path, "--artifact",
                   tiny_artifact.path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    path.with_suffix(".txt").write_text(done.stdout)
    return path


@pytest.fixture
def one_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is printed where; the report above has as many as a person's."""
    monkeypatch.setattr(edge.benchmark.measure, "_N_COLD_STARTS", 1)


@pytest.mark.usefixtures("one_cold_start")
def test_the_old_name_of_output_works_with_a_word(
    tiny_artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.json"
    options = ["--duration", "0.1", "--artifact", str(tiny_artifact.path)]
    assert main(["benchmark", *options, "--json", str(path)]) == 0
    said = capsys.readouterr()
    assert "--json FILE is now called --output FILE" in said.err
    assert said.out.startswith("tiny on numpy, ")
    assert json.loads(path.read_text())["artifact"]["name"] == "tiny"


@pytest.mark.usefixtures("one_cold_start")
def test_json_prints_one_object(
    tiny_artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--duration", "0.1", "--artifact", str(tiny_artifact.path)]
    assert main(["benchmark", "--json", *options]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["artifact"]["name"] == "tiny"


def test_report_holds_every_figure(report_file: Path, tiny_artifact: Artifact) -> None:
    report = json.loads(report_file.read_text())
    for name, frames, audio_s in (("segment", 61, 1.984), ("hop", 16, 0.512)):
        part = report[name]
        assert (part["frames"], part["audio_s"]) == (frames, audio_s)
        for stage in ("features_ms", "model_ms", "whole_ms"):
            figures = part[stage]
            assert set(figures) == PERCENTILES
            assert 0 < figures["min"] <= figures["p50"] <= figures["p95"] <= figures["p99"]
        assert part["whole_ms"]["p50"] >= part["model_ms"]["p50"]
    assert set(report["hop"]["latency_ms"]) == PERCENTILES
    mean_s = report["hop"]["whole_ms"]["mean"] / 1000
    assert report["real_time_factor"] == pytest.approx(mean_s / 0.512, rel=1e-3)
    manifest = tiny_artifact.manifest
    assert report["artifact"] == {
        "name": "tiny", "backend": "numpy", "recipe": "numpy_fp32",
        "model_bytes": manifest.model_bytes, "model_sha256": manifest.model_sha256,
    }  # fmt: skip
    cold = report["cold_start"]
    assert cold["total_ms"] > cold["import_ms"] + cold["load_ms"] + cold["first_decision_ms"] > 0
    assert 10 < cold["peak_rss_mb"] < 200
    assert 10 < report["peak_rss_mb"] < 200
    assert report["method"]["runs"] >= 20
    assert report["method"]["warm_up"] == 5
    assert report["machine"]["threads"]["OMP_NUM_THREADS"] == os.environ.get("OMP_NUM_THREADS", "1")
    assert len(report["machine"]["load_average"]) == 3


def test_table_shows_what_the_report_holds(report_file: Path) -> None:
    table = report_file.with_suffix(".txt").read_text()
    report = json.loads(report_file.read_text())
    assert table == format_report(report) + "\n"
    for name in ("segment", "hop"):
        for stage in ("features_ms", "model_ms", "whole_ms"):
            assert f"{report[name][stage]['p95']:8.2f}" in table
    assert report["artifact"]["model_sha256"][:12] in table


def test_clip_is_made_where_none_is_bundled(
    tiny_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.benchmark.measure, "DEMO_CLIP", tmp_path / "none.wav")
    monkeypatch.setattr(edge.benchmark.measure, "_N_COLD_STARTS", 1)
    monkeypatch.setattr(edge.benchmark.measure, "_N_LEAST", 2)
    report = measure(edge.load(tiny_artifact.path), duration_s=0.01)
    assert report["method"]["clip"] == "harmonic complex"


def test_cold_start_that_fails_is_one_sentence(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.benchmark.measure, "_COLD_START", "raise SystemExit('no numpy here')")
    monkeypatch.setattr(edge.benchmark.measure, "_N_LEAST", 2)
    with pytest.raises(EdgeSerError, match=r"exit code 1: .*no numpy here"):
        measure(edge.load(tiny_artifact.path), duration_s=0.01)


def test_a_frozen_application_does_not_start_itself(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(subprocess, "run", start)
    monkeypatch.setattr(edge.benchmark.measure, "_N_LEAST", 2)
    report = measure(edge.load(tiny_artifact.path), duration_s=0.01)
    assert report["cold_start"] is None
    assert "cold start" not in format_report(report)


def test_duration_must_be_above_zero(tiny_artifact: Artifact) -> None:
    with pytest.raises(ParameterError, match="duration_s is 0"):
        measure(edge.load(tiny_artifact.path), duration_s=0)


def test_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    write_report(target, {"a": 1})
    assert json.loads(target.read_text()) == {"a": 1}
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(ValueError, match="JSON"):
        write_report(target, {"a": float("nan")})
    with pytest.raises(ParameterError, match=r"cannot be written: No such file"):
        write_report(tmp_path / "none" / "report.json", {})
    assert json.loads(target.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]
