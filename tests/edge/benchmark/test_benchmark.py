from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from benchmark_fakes import fake_workers
from runtime_fakes import REPOSITORY

import edge.benchmark.cold_start
import edge.benchmark.report
import edge.benchmark.speech
from edge.artifact import Artifact, read_artifact
from edge.benchmark.report import Settings, measure, write_report
from edge.benchmark.subjects import Subject
from edge.benchmark.table import format_report
from edge.benchmark.workers import open_worker
from edge.cli.main import main
from edge.errors import EdgeSerError, ParameterError

SCHEMA = json.loads((REPOSITORY / "docs" / "benchmark.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PARTS = ("python_ms", "import_ms", "verify_ms", "load_ms", "first_decision_ms")


@pytest.fixture(scope="module")
def report_file(tiny_artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "report.json"
    command = ["benchmark", str(tiny_artifact.path), "--duration", "0.1", "--output", str(path)]
    table, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        # A person's has five.
        settings = functools.partial(Settings, n_cold_starts=2)
        patch.setattr(edge.benchmark.report, "Settings", settings)
        with contextlib.redirect_stdout(table), contextlib.redirect_stderr(errors):
            assert main(command) == 0, errors.getvalue()
    assert errors.getvalue() == ""
    path.with_suffix(".txt").write_text(table.getvalue())
    return path


@pytest.fixture(scope="module")
def report(report_file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report_file.read_text())
    return found


def test_a_report_is_as_its_schema_says(report: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(report)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(report | {"new": 1})


def test_a_report_holds_every_figure(report: dict[str, Any], tiny_artifact: Artifact) -> None:
    (found,) = report["artifacts"]
    for name, frames, audio_s in (("segment", 61, 1.984), ("hop", 16, 0.512)):
        part = found[name]
        assert (part["frames"], part["audio_s"]) == (frames, audio_s)
        for stage in ("features_ms", "model_ms", "whole_ms"):
            figures = part[stage]
            assert 0 < figures["min"] <= figures["p50"] <= figures["p95"] <= figures["p99"]
        assert part["whole_ms"]["p50"] >= part["model_ms"]["p50"]
        assert part["whole_ms"]["n"] == found["runs"] == sum(found["round_runs"]) >= 20
    mean_s = found["hop"]["whole_ms"]["mean"] / 1000
    assert found["real_time_factor"] == pytest.approx(mean_s / 0.512, rel=1e-3)
    listening = [found["hop"][name] for name in ("processor_ms", "capture_processor_ms")]
    share = sum(part["mean"] for part in listening) / 512
    assert found["core_share"] == pytest.approx(share, rel=1e-3)
    manifest, artifact = tiny_artifact.manifest, found["artifact"]
    assert (artifact["name"], artifact["backend"]) == ("tiny", "numpy")
    assert artifact["model_sha256"] == manifest.model_sha256
    sizes = [file.stat().st_size for file in tiny_artifact.path.iterdir()]
    assert artifact["model_bytes"] == manifest.model_bytes
    assert artifact["folder_bytes"] == sum(sizes)
    assert 10 < found["memory"]["steady_rss_mb"] <= found["memory"]["peak_rss_mb"] < 200
    assert found["warm_up"]["runs"] == report["method"]["warm_up"] == 5
    assert len(report["machine"]["load_average"]) == 3


def test_a_report_tells_the_pace_of_the_machine(report: dict[str, Any]) -> None:
    (found,) = report["artifacts"]
    pace, table = found["pace"], format_report(report)
    # Once a run.
    assert pace["work_ms"]["n"] == found["runs"]
    assert len(pace["round_ms"]) == len(found["round_runs"])
    assert pace["work_ms"]["min"] > 0
    assert len(found["cold_start"]["pace_ms"]) == found["cold_start"]["runs"]
    assert f"the fixed piece of work took {pace['work_ms']['p50']:.3g} ms" in table


def test_the_parts_of_a_cold_start_are_all_of_it(report: dict[str, Any]) -> None:
    cold = report["artifacts"][0]["cold_start"]
    assert cold["runs"] == 2
    for i, total_ms in enumerate(cold["total_ms"]["raw"]):
        parts_ms = [cold[name]["raw"][i] for name in PARTS]
        assert min(parts_ms) > 0
        assert sum(parts_ms) == pytest.approx(total_ms, abs=0.001)
    assert 10 < cold["peak_rss_mb"] < 200


def test_what_is_installed_is_weighed(report: dict[str, Any]) -> None:
    installed = report["installed"]
    assert installed["bytes"]["numpy"] > 10_000_000
    assert 1_000_000 < installed["bytes"]["edge-ser"] < 20_000_000
    assert "onnxruntime" not in installed["bytes"]
    assert sum(installed["bytes"].values()) == installed["total_bytes"]
    assert report["artifacts"][0]["installed_bytes"] == installed["total_bytes"]


def test_the_table_shows_what_the_report_holds(report: dict[str, Any], report_file: Path) -> None:
    table = report_file.with_suffix(".txt").read_text()
    assert table == format_report(report) + "\n"
    (found,) = report["artifacts"]
    for name in ("segment", "hop"):
        for stage in ("features_ms", "model_ms", "whole_ms"):
            median_ms = found[name][stage]["p50"]
            assert f" {median_ms:.{3 if median_ms < 1 else 2}f} " in table
    assert found["artifact"]["model_sha256"][:12] in table


def test_json_prints_one_object_and_the_old_names_work(
    tiny_artifact: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["benchmark", "--duration", "0.1", "--artifact", str(tiny_artifact.path)]
    fake_workers(monkeypatch, [8.0])
    assert main([*options, "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["artifacts"][0]["artifact"]["name"] == "tiny"
    fake_workers(monkeypatch, [8.0])
    path = tmp_path / "r.json"
    assert main([*options, "--json", str(path)]) == 0
    said = capsys.readouterr()
    assert "--json FILE is now called --output FILE" in said.err
    assert "tiny on numpy, " in said.out
    VALIDATOR.validate(json.loads(path.read_text()))


def test_a_clip_is_made_where_none_is_bundled(
    tiny_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.benchmark.speech, "DEMO_CLIP", tmp_path / "none.wav")
    spec = tiny_artifact.manifest.feature_spec
    samples, clip = edge.benchmark.speech.speech_for(spec, 61)
    assert (clip, samples.dtype) == ("harmonic complex", "float32")
    assert samples.size >= 2 * spec.n_samples(61)


def test_somebody_speaks_all_the_time(tiny_artifact: Artifact) -> None:
    spec = tiny_artifact.manifest.feature_spec
    samples, clip = edge.benchmark.speech.speech_for(spec, 61)
    assert clip == "bundled dialogue without its pauses"
    stream = edge.load().stream()
    states = [decision.state for decision in stream.push(samples)]
    assert len(states) > 10
    assert set(states) <= {"speech", "uncertain"}


def test_a_cold_start_that_fails_is_one_sentence(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.benchmark.cold_start, "_CHILD", "raise SystemExit('no numpy here')")
    with pytest.raises(EdgeSerError, match=r"exit code 1 \(no numpy here\)"):
        measure([subject], Settings(duration_s=0.01, n_cold_starts=1))


def test_an_artifact_that_breaks_meanwhile_is_one_sentence(
    tiny_artifact: Artifact, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_artifact.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    subject = Subject(read_artifact(folder))
    (folder / tiny_artifact.manifest.model_file).write_bytes(b"")
    with pytest.raises(EdgeSerError, match=r"tiny on numpy cannot be measured: .*has 0 bytes"):
        open_worker(subject, 1)


def test_a_child_that_is_killed_is_one_sentence(subject: Subject) -> None:
    worker = open_worker(subject, 1)
    try:
        worker._process.kill()  # type: ignore[attr-defined]
        with pytest.raises(
            EdgeSerError, match="is killed \\(SIGKILL\\), mostly for want of memory"
        ):
            worker.round(0.0, 1)
    finally:
        worker.close()


def test_a_frozen_application_does_not_start_itself(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr("subprocess.Popen", start)
    report = measure([subject], Settings(duration_s=0.01))
    VALIDATOR.validate(report)
    assert report["artifacts"][0]["cold_start"] is None
    assert report["method"]["cold_starts"] == 0
    assert "cold start" not in format_report(report)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"duration_s": 0.0}, "duration_s is 0"),
        ({"duration_s": float("nan")}, "duration_s is nan"),
        ({"n_threads": 0}, "n_threads is 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Settings(**settings)


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
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


def test_the_document_names_every_key() -> None:
    text = (REPOSITORY / "docs" / "benchmark.md").read_text(encoding="utf-8")
    measured = SCHEMA["$defs"]["measured"]["properties"]
    words = set(measured["stages"]["properties"]) - {"features_segment", "features_increment"}
    words |= {"cold_start", "warm_up", "round_runs", "core_share", "real_time_factor", "memory"}
    assert {word for word in words - {"model", "gate"} if f"`{word}" not in text} == set()
