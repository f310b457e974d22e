"""Temperatures: the right one, chosen on the right side, and carried to the device."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from run_commands import evaluate, hold_nothing_out

from edge.artifact import read_artifact
from edge.errors import ParameterError
from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.export.read_back import read_float_artifact
from quantize.measure.metrics import expected_calibration_error
from quantize.measure.scoring import Segments
from quantize.measure.temperature_fit import fit_temperature, tempered
from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
from quantize.runs.run import open_run
from quantize.runs.temperature import Tempering, read_tempering, write_tempering


def softmax(logits: np.ndarray) -> np.ndarray:
    scores = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)


def overconfident(n: int, factor: float, seed: int = 0) -> tuple[list[Segments], np.ndarray]:
    """One segment an utterance, whose true posterior's logits were multiplied by a factor."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.standard_normal((n, 8))
    truth = np.array([rng.choice(8, p=p) for p in softmax(logits)])
    wrong = softmax(factor * logits)
    return [Segments([(0, 61)], p[None], [-30.0], [True]) for p in wrong], truth


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_the_factor_of_the_logits_is_found(factor):
    utterances, truth = overconfident(4000, factor)
    temperature = fit_temperature(utterances, truth, ["a"] * len(truth))
    assert temperature == pytest.approx(factor, rel=0.06)
    assert expected_calibration_error(truth, tempered(utterances, temperature)) < 0.03


def test_every_corpus_counts_alike():
    many, many_truth = overconfident(3000, 3.0, seed=1)
    few, few_truth = overconfident(300, 1.0, seed=2)
    both = [*many, *few], np.concatenate([many_truth, few_truth])
    by_corpus = fit_temperature(*both, ["many"] * 3000 + ["few"] * 300)
    by_clip = fit_temperature(*both, ["all"] * 3300)
    assert by_corpus < by_clip - 0.2


def test_temperature_1_changes_nothing_and_a_forbidden_class_stays_forbidden():
    posterior = np.array([[0.7, 0.3, 0.0, 0, 0, 0, 0, 0], [0.2, 0.8, 0.0, 0, 0, 0, 0, 0]])
    each = Segments([(0, 61), (16, 77)], posterior, [-30.0, -31.0], [True, True])
    assert tempered([each], 1.0)[0] == pytest.approx(posterior.mean(axis=0))
    hot = tempered([each], 4.0)[0]
    assert hot[2:].max() == 0.0
    assert hot.sum() == pytest.approx(1.0)
    assert 0.5 < hot[1] < 0.55


def test_nothing_to_choose_on_is_refused():
    with pytest.raises(ParameterError, match="0 utterances"):
        fit_temperature([], [], [])


def test_a_damaged_temperature_is_one_sentence(tmp_path):
    path = tmp_path / "calibration.json"
    assert read_tempering(path) == (Tempering(1.0, ()), None)
    chosen = Tempering(1.5, ("speaker-5fold-s0-f0",))
    write_tempering(path, chosen, 7, "f" * 64)
    assert read_tempering(path) == (chosen, "f" * 64)
    for text in (
        "{",
        "{}",
        '{"temperature": "warm"}',
        '{"temperature": -1}',
        '{"temperature": 1, "chosen_on": [], "abstention": {}}',
        '{"temperature": 1, "chosen_on": [], "abstention": [0.5]}',
    ):
        path.write_text(text)
        with pytest.raises(TrainingError, match="holds no temperature"):
            read_tempering(path)


@pytest.fixture
def folds(runs, tmp_path):
    """Copies of two folds and of one as if nothing had been held out."""
    for name in ("f0", "f1"):
        shutil.copytree(runs / name, tmp_path / name, ignore=shutil.ignore_patterns("artifacts"))
    shutil.copytree(tmp_path / "f0", tmp_path / "all")
    hold_nothing_out(tmp_path / "all")
    return tmp_path


def calibrate(data, runs, *words):
    common = ["--data", str(data), "--cache", str(runs / "cache"), "--workers", "1"]
    return main(["calibrate", *common, *map(str, words)])


def test_folds_choose_for_each_other_and_the_device_gets_it(data, runs, folds, capsys):
    f0, f1, everything = (folds / name for name in ("f0", "f1", "all"))
    # Before: an artifact at temperature 1, which must not survive the calibration.
    measure = evaluate(data, runs, str(f0), "--kind", "numpy-int8")
    assert main(measure) == 0
    assert read_artifact(f0 / "artifacts" / "numpy-int8").manifest.temperature == 1.0
    assert calibrate(data, runs, f0, f1, "--also", everything) == 0
    chosen = {
        p.name: json.loads((p / "calibration.json").read_text()) for p in (f0, f1, everything)
    }
    assert chosen["f0"]["chosen_on"] == ["speaker-5fold-s0-f1"]
    assert chosen["f1"]["chosen_on"] == ["speaker-5fold-s0-f0"]
    assert len(chosen["all"]["chosen_on"]) == 2
    assert main(measure) == 0
    manifest = read_artifact(f0 / "artifacts" / "numpy-int8").manifest
    assert manifest.temperature == chosen["f0"]["temperature"] != 1.0
    assert manifest.abstention == open_run(f0).tempering.abstention
    assert main(["export", str(everything), "--out", str(folds / "device")]) == 0
    assert read_artifact(folds / "device").manifest.temperature == chosen["all"]["temperature"]
    # The checkpoint and the artifact of the same weights are measured at the same temperature.
    kinds = ("torch", "numpy-fp32")
    for kind in kinds:
        assert main(evaluate(data, runs, str(f0), "--kind", kind)) == 0
    errors = [json.loads((f0 / f"evaluation-{k}-unknown.json").read_text())["ece"] for k in kinds]
    assert errors[0] == pytest.approx(errors[1], abs=1e-3)
    assert "temperature" in capsys.readouterr().out


def test_the_bar_goes_where_the_temperature_goes(data, runs, folds, capsys, monkeypatch):
    f0, f1, everything = (folds / name for name in ("f0", "f1", "all"))
    device, report = folds / "device", folds / "report.json"
    assert main(["export", str(everything), "--out", str(device)]) == 0
    before = read_artifact(device).manifest
    assert before.abstention is None
    (device / "MODEL_CARD.md").write_text("old")
    # Two epochs reach no bar that is worth having.
    monkeypatch.setattr(
        "quantize.measure.crossfit.choose_bar", lambda answers: len(answers.right) / 100
    )
    words = ["--also", everything, "--output", report, "--into", device]
    assert calibrate(data, runs, f0, f1, *words) == 0
    told = json.loads(report.read_text())
    n = {run["run"]: round(100 * run["min_probability"]) for run in told["runs"]}
    assert n["f0"] + n["f1"] == round(100 * told["min_probability"])
    assert told["answered"]["pooled"]["n"] == n["f0"] + n["f1"]
    assert [row["bar"] for row in told["coverage"]] == [k / 10 for k in range(2, 10)]
    assert told["activation"]["by_corpus"].keys() <= told["answered"]["by_corpus"].keys()
    for part in (told["files"], told["files_without_bar"]):
        assert part["pooled"]["n"] <= sum(n.values())
    # A fold has the bar of the others, an artifact without folds that of all.
    assert open_run(f0).tempering.abstention.min_probability == n["f0"] / 100
    together = open_run(everything).tempering.abstention
    assert together.min_probability == told["min_probability"]
    assert "/f0" in together.command
    assert str(folds) not in report.read_text()
    after = read_artifact(device).manifest
    assert after == dataclasses.replace(before, abstention=together)
    assert "What it leaves unsaid" in (device / "MODEL_CARD.md").read_text()
    # What is exported from now on has it too, and what is rounded of that.
    for kind in ("numpy-int8", "numpy-fp32"):
        assert main(["export", str(everything), "--kind", kind, "--out", str(folds / kind)]) == 0
        assert read_artifact(folds / kind).manifest.abstention == together
    assert read_float_artifact(folds / "numpy-fp32")[1].abstention == together
    assert "speakers never heard" in capsys.readouterr().out


def test_an_artifact_of_other_labels_gets_no_bar(data, runs, folds, capsys):
    f0, device = folds / "f0", folds / "device"
    saved = load_checkpoint(f0 / "checkpoint.safetensors")
    labels = tuple(reversed(saved.labels))
    shutil.copytree(f0, folds / "other")
    other = dataclasses.replace(saved, labels=labels)
    save_checkpoint(folds / "other" / "checkpoint.safetensors", other)
    assert main(["export", str(folds / "other"), "--out", str(device)]) == 0
    capsys.readouterr()
    assert calibrate(data, runs, f0, folds / "f1", "--into", device) == 2
    assert f"{device} surprised, disgust" in capsys.readouterr().err
    assert read_artifact(device).manifest.abstention is None
    assert not (f0 / "calibration.json").exists()


def test_folds_that_reach_no_bar_are_told(data, runs, folds, capsys):
    for fold in ("f0", "f1"):
        path = folds / fold / "checkpoint.safetensors"
        saved = load_checkpoint(path)
        with torch.no_grad():
            # A guess: right about one label in eight, at any bar.
            saved.model.fc2.weight.zero_()
        save_checkpoint(path, saved)
    assert calibrate(data, runs, folds / "f0", folds / "f1") == 0
    assert "at no bar are 75 % of what is answered right" in capsys.readouterr().err
    assert open_run(folds / "f0").tempering.abstention.min_probability == 0.0


@pytest.mark.parametrize("earlier", ['{"temperature": 1.5, "chosen_on": ["x"]}', "{"])
def test_what_was_chosen_before_is_replaced_without_a_word(data, runs, folds, earlier, capsys):
    path = folds / "f0" / "calibration.json"
    path.write_text(earlier)
    assert calibrate(data, runs, folds / "f0", folds / "f1") == 0
    assert str(path) not in capsys.readouterr().err
    assert open_run(folds / "f0").tempering.chosen_on == ("speaker-5fold-s0-f1",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["f0"], "two or more folds of one rule"),
        (["f0", "f0"], "two or more folds of one rule"),
        (["f0", "f1", "--also", "f1"], "holds clips out"),
        (["f0", "all"], "held nothing out"),
    ],
)
def test_what_cannot_be_calibrated_is_one_sentence(data, runs, folds, words, message, capsys):
    paths = [w if w.startswith("-") else folds / w for w in words]
    assert calibrate(data, runs, *paths) == 2
    assert message in capsys.readouterr().err
    assert not (folds / "f0" / "calibration.json").exists()
