"""``edge-ser-quantize search`` from runs to report."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from edge.artifact import read_artifact
from quantize.commands.main import main
from quantize.search import latency
from quantize.search import trials as trials_module
from quantize.search.candidates import Latency


def search(data, runs, out, *more):
    common = ["--out", str(out), "--data", str(data), "--cache", str(runs / "cache")]
    return ["search", *more, *common, "--workers", "1"]


def no_latencies(trials, *_):
    return {each.name: Latency(1.0, 2.0, 3.0) for each in trials}


@pytest.fixture
def in_no_time(monkeypatch):
    """Times without a process: what is tested here is the rest."""
    monkeypatch.setattr(latency, "measure_latencies", no_latencies)


def test_from_runs_to_report_and_again(data, runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(latency, "N_ROUNDS", 5)
    shutil.copytree(runs / "f0", tmp_path / "recipe" / "f0")
    out = tmp_path / "out"
    sources = [runs / "f0", tmp_path / "recipe" / "f0"]
    words = search(data, runs, out, *map(str, sources))
    words += ["--kinds", "numpy-int8", "onnx-fp32", "--max-kb", "200", "--max-drop", "100"]
    assert main(words) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len(lines) == 1 + 1 + 4 + 3
    assert "x as fast as the reference in torch." in lines[-1]
    assert "caution: these runs hold out the test side of speaker-5fold-s0-f0" in told.err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Caution: these runs hold out the test side" in page
    assert "--kinds numpy-int8 onnx-fp32" in page
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    with open(out / "search.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["kind"] for r in rows] == ["torch", *["numpy-int8", "onnx-fp32"] * 2]
    assert all(float(r["ms"]) > 0 for r in rows)
    assert rows[0]["times_faster"] == rows[1]["times_faster_same_kind"] == "1"
    # Float32 in another runtime answers as torch does, and each artifact can be copied as it is.
    assert rows[2]["agreement"] == "1"
    for each in rows[1:]:
        artifact = read_artifact(out / "artifacts" / each["name"])
        assert str(artifact.manifest.model_bytes) == each["model_bytes"]
    (chosen,) = [r for r in rows if r["chosen"] == "True"]
    run = {each.parent.name: each for each in sources}[chosen["run"].split("/")[0]]
    assert f"export {run} --kind {chosen['kind']} --out" in page

    monkeypatch.setattr(trials_module, "measure_trial", None)
    monkeypatch.setattr(latency, "measure_latencies", no_latencies)
    assert main([*words, "--json"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [f"{r['accuracy']:.6g}" for r in again] == [r["accuracy"] for r in rows]


@pytest.mark.usefixtures("in_no_time")
def test_constraints_that_none_meets_are_status_1(data, runs, tmp_path, capsys):
    words = search(data, runs, tmp_path / "out", str(runs / "f0"))
    assert main([*words, "--kinds", "numpy-int8", "--max-kb", "1"]) == 1
    assert "No artifact meets the constraints; the nearest," in capsys.readouterr().out
    assert "over --max-kb 1." in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("in_no_time")
def test_students_are_trained_once_and_searched(data, runs, tmp_path, capsys):
    out = tmp_path / "out"
    words = search(data, runs, out, str(runs / "f0"), "--kinds", "numpy-int8")
    words += ["--hidden", "8", "16", "--teachers", str(runs / "f0")]
    words += ["--epochs", "1", "--variants", "0"]
    assert main([*words, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["run"], r["hidden"]) for r in rows[1:]] == [
        (f"{runs.name}/f0", 16),
        ("runs/hidden-8", 8),
        ("runs/hidden-16", 16),
    ]
    assert rows[2]["model_bytes"] < rows[3]["model_bytes"]
    checkpoint = out / "runs" / "hidden-8" / "checkpoint.safetensors"
    made_ns = checkpoint.stat().st_mtime_ns
    assert main(words) == 0
    assert checkpoint.stat().st_mtime_ns == made_ns
    capsys.readouterr()
    words[words.index("--epochs") + 1] = "2"
    assert main(words) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "hidden-8 was trained with other settings (training) than are asked for now" in told


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--max-kb", "0"], "--max-kb is 0.0, a finite number above 0 is wanted"),
        (["--hidden", "8"], "--hidden and --teachers go together"),
        (["--teachers", "x"], "--hidden and --teachers go together"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    data, runs, tmp_path, capsys, more, sentence
):
    assert main([*search(data, runs, tmp_path / "out", str(runs / "f0")), *more]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_runs_of_two_splits_are_refused(data, runs, tmp_path, capsys):
    words = search(data, runs, tmp_path / "out", str(runs / "f0"), str(runs / "f1"))
    assert main(words) == 2
    assert "name runs of one split" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
