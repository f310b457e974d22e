"""``export --figures`` carries the figures of the model that is exported, and of no other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_commands import evaluate, hold_nothing_out

from edge.artifact import read_artifact
from quantize.commands.main import main


def measure(data, runs, report, *words):
    assert main(evaluate(data, runs, *words, "--output", str(report))) == 0
    return json.loads(report.read_text())


@pytest.fixture(scope="module")
def own(data, runs, tmp_path_factory):
    """Report of the first fold in torch."""
    path = tmp_path_factory.mktemp("own") / "r.json"
    measure(data, runs, path, str(runs / "f0"))
    return path


def export(run, out, *words):
    return main(["export", str(run), "--out", str(out / "model"), *words])


def refused(capsys, run, out, report, *words) -> str:
    capsys.readouterr()
    assert export(run, out, "--figures", str(report), *words) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("edge-ser-quantize: error: ")
    assert len(error.splitlines()) == 1
    assert not (out / "model").exists()
    return error


def changed(report, tmp_path, **changes):
    """A report with other values in its first run, or at the top."""
    content = json.loads(report.read_text())
    for key, value in changes.items():
        (content if key in content else content["runs"][0])[key] = value
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(content))
    return path


def test_a_run_carries_its_own_figures(runs, own, tmp_path):
    assert export(runs / "f0", tmp_path, "--figures", str(own)) == 0
    accuracy = read_artifact(tmp_path / "model").manifest.accuracy
    report = json.loads(own.read_text())["runs"][0]
    assert [entry["of"] for entry in accuracy] == ["this model"] * 2
    assert accuracy[0]["value"] == report["accuracy"]


def test_another_runs_figures_are_refused_and_it_is_said_whose_they_are(
    runs, own, tmp_path, capsys
):
    digest = json.loads(own.read_text())["runs"][0]["run_digest"]
    error = refused(capsys, runs / "f1", tmp_path, own)
    assert f"has the figures of f0 ({digest[:12]}): those of" in error
    assert "/f1 (" in error
    assert f"edge-ser-quantize evaluate {runs / 'f1'} --data CORPORA --output" in error


def test_a_teachers_figures_are_not_its_students(runs, own, tmp_path, capsys):
    settings = json.loads(own.read_text())["settings"]
    teacher = {**settings, "model.hidden": 128}
    report = changed(own, tmp_path, run="teacher", run_digest="0" * 64, settings=teacher)
    error = refused(capsys, runs / "f0", tmp_path, report)
    assert "whose model.hidden is 128 where" in error
    assert "has 16" in error
    # A setting that only one of the two has is another as well.
    more = changed(own, tmp_path, run_digest="0" * 64, settings={**settings, "distil.share": 1.0})
    assert "whose distil.share is 1.0 where" in refused(capsys, runs / "f0", tmp_path, more)


def test_folds_that_stand_in_are_called_so(data, runs, tmp_path):
    report = tmp_path / "folds.json"
    measure(data, runs, report, str(runs / "f0"), str(runs / "f1"))
    card = tmp_path / "CARD.md"
    words = ["--figures", str(report), "--card", str(card)]
    assert export(runs / "f0", tmp_path, *words) == 0
    of = "2 runs of the recipe pooled, this model among them"
    assert {e["of"] for e in read_artifact(tmp_path / "model").manifest.accuracy} == {of}
    assert f"| {of} |" in card.read_text()


def test_a_run_of_all_clips_has_figures_of_others_and_says_so(runs, own, tmp_path, capsys):
    everything = tmp_path / "all"
    shutil.copytree(runs / "f1", everything)
    hold_nothing_out(everything)
    assert export(everything, tmp_path, "--figures", str(own)) == 0
    of = "another run of the recipe, not this model"
    assert {e["of"] for e in read_artifact(tmp_path / "model").manifest.accuracy} == {of}
    larger = {**json.loads(own.read_text())["settings"], "model.hidden": 128}
    report = changed(own, tmp_path, settings=larger)
    error = refused(capsys, everything, tmp_path / "other", report)
    assert error.endswith("writes one of runs of its recipe and settings, each of a fold or a seed")


def test_the_mean_of_two_models_is_no_models(data, runs, own, tmp_path, capsys):
    content = json.loads(own.read_text())
    other = {**content["runs"][0], "run": "other", "run_digest": "1" * 64}
    common = {**content, "runs": [*content["runs"], other], "mean_accuracy": 0.5, "sd_accuracy": 0}
    report = tmp_path / "two.json"
    report.write_text(json.dumps({**common, "differing": ["model.hidden"]}))
    error = refused(capsys, runs / "f0", tmp_path, report)
    assert "trained with different model.hidden: the mean of two models is no model's" in error
    other["split"] = "paper-s0"
    report.write_text(json.dumps(common))
    assert "a mean over different splits is none" in refused(capsys, runs / "f0", tmp_path, report)
    common["runs"] = [content["runs"][0]] * 2
    report.write_text(json.dumps(common))
    assert "measures a run twice" in refused(capsys, runs / "f0", tmp_path, report)
    other["split"] = content["runs"][0]["split"]
    common["runs"] = [content["runs"][0], other]
    report.write_text(json.dumps(common))
    assert export(runs / "f0", tmp_path, "--figures", str(report)) == 0
    (entry,) = read_artifact(tmp_path / "model").manifest.accuracy
    assert entry["of"] == "mean of 2 runs of the recipe, this model among them"


def test_figures_of_another_kind_or_another_artifact_are_refused(data, runs, own, tmp_path, capsys):
    report = tmp_path / "int8.json"
    measure(data, runs, report, str(runs / "f0"), "--kind", "numpy-int8")
    error = refused(capsys, runs / "f0", tmp_path, report, "--kind", "onnx-int8")
    assert "has the figures of numpy-int8, those of onnx-int8 or of torch are wanted" in error
    odd = changed(report, tmp_path, model_sha256="2" * 64)
    assert "those of the model file 222222222222, " in refused(capsys, runs / "f0", tmp_path, odd)
    assert export(runs / "f0", tmp_path, "--figures", str(report)) == 0
    warmer = changed(own, tmp_path, temperature=1.5)
    out = tmp_path / "other"
    assert "at the temperature 1.5" in refused(capsys, runs / "f0", out, warmer)
    moved = changed(own, tmp_path, split_fingerprint="3" * 64)
    assert "was measured on speaker-5fold-s0-f0" in refused(capsys, runs / "f0", out, moved)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no report of evaluate --output"),
        (b"[1, 2]", "is no report of evaluate --output"),
        (b"[" * 100_000, "is no report of evaluate --output"),
        (b'{"a":' * 100_000, "is no report of evaluate --output"),
        (b"\xff\xfe", "is no report of evaluate --output"),
        (b'{"kind": "torch", "runs": []}', "has the schema version 1, 2 is wanted"),
        (b'{"schema_version": 2, "runs": []}', "is no report of evaluate --output"),
    ],
)
def test_what_is_no_report_is_one_sentence(runs, tmp_path, capsys, content, sentence):
    report = tmp_path / "r.json"
    report.write_bytes(content)
    assert sentence in refused(capsys, runs / "f0", tmp_path, report)


def test_a_report_cut_off_anywhere_is_one_sentence(runs, own, tmp_path, capsys):
    content = own.read_bytes()
    report = tmp_path / "r.json"
    for end in range(0, len(content) - 2, len(content) // 7):
        report.write_bytes(content[:end])
        assert "is no report" in refused(capsys, runs / "f0", tmp_path, report)


def test_what_is_no_share_is_no_figure(runs, own, tmp_path, capsys):
    assert "is no report" in refused(
        capsys, runs / "f0", tmp_path, changed(own, tmp_path, accuracy=1.5)
    )
    error = refused(capsys, runs / "f0", tmp_path, tmp_path / "none.json")
    assert "none.json is no report of evaluate --output (No such file" in error


def test_the_command_of_a_card_gives_the_same_figure(data, runs, own, tmp_path):
    card, again = tmp_path / "CARD.md", tmp_path / "again.json"
    assert export(runs / "f0", tmp_path, "--figures", str(own), "--card", str(card)) == 0
    (command,) = re.findall(r"^    (edge-ser-quantize evaluate .*)$", card.read_text(), re.M)
    for name in ("CORPORA", "RUNS"):
        assert f"`{name}` is the folder" in card.read_text()
    program = f'edge-ser-quantize() {{ "{sys.executable}" -m edge_ser_quantize "$@"; }}; '
    root = Path(__file__).parents[3]
    subprocess.run(
        ["bash", "-c", f"{program}{command} --cache '{runs}/cache' --output '{again}'"],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "CORPORA": str(data),
            "RUNS": str(runs),
            "PYTHONPATH": os.pathsep.join((str(root), str(root / "quantize"))),
        },
    )
    before, after = (json.loads(path.read_text())["runs"] for path in (own, again))
    assert after == before


def test_a_licence_of_ones_own_recordings_is_carried(runs, tmp_path):
    card = tmp_path / "CARD.md"
    assert export(runs / "f0", tmp_path, "--licence", "CC0", "--card", str(card)) == 0
    # It is trained on corpora whose licences are known, which no word of ours changes.
    manifest = read_artifact(tmp_path / "model").manifest
    assert manifest.training["own_recordings_licence"] == "CC0"
    assert "CC0" not in card.read_text()
