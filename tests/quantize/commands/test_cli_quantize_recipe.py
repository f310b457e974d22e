"""``edge-ser-quantize quantize`` from a run or an artifact to an artifact and a report."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from export_fakes import facts
from rounding_fakes import make_run

from edge.artifact import read_artifact
from edge.runtimes.open import open_model
from quantize.commands.main import main
from quantize.data.corpora import load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.export.gate import give_gate
from quantize.measure.rounding_loss.speech import Speech

LAYER_KEYS = {"what", "layer", "n_weights", "sqnr_db"}
GATE_KEYS = {"what", "gate", "direction", "step", "rms_error", "share"}
AGREEMENT_KEYS = {
    "what", "group", "name", "unit", "n", "agreement", "accuracy_fp32", "accuracy",
    "accuracy_delta",
}  # fmt: skip
ARTIFACT_KEYS = {
    "what", "path", "recipe", "title", "backend", "weight_bits", "granularity", "float_layers",
    "calibration", "model_bytes", "share_of_fp32", "sha256",
}  # fmt: skip
SEGMENTS_KEYS = {
    "what", "source", "n", "agreement", "max_difference", "mean_difference", "fingerprint",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("rounding") / "run")


@pytest.fixture(scope="module")
def fp32(run):
    assert main(["export", str(run), "--kind", "numpy-fp32"]) == 0
    return run / "artifacts" / "numpy-fp32"


def quantize(source, out, *more):
    return main(["quantize", str(source), "--out", str(out), "--segments", "6", *more])


def refused(capsys, *arguments) -> str:
    assert quantize(*arguments) == 2
    error = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert error.startswith("edge-ser-quantize: error: ")
    return error


def test_a_run_becomes_an_artifact_with_tables(run, tmp_path, capsys):
    assert quantize(run, tmp_path / "a", "--recipe", "numpy_weight_only_wi4") == 0
    out = capsys.readouterr().out
    assert "numpy_weight_only_wi4" in out
    assert "6 segments of generated speech" in out
    assert "No accuracy" in out
    table = out.splitlines()
    (start,) = (i for i, line in enumerate(table) if line.startswith("direction  gate"))
    assert table[start].split() == ["direction", "gate", "1", "8", "16", "32", "61"]
    assert len({len(line) for line in table[start : start + 9]}) == 1, "columns are aligned"
    backend = open_model(read_artifact(tmp_path / "a")).session()
    assert backend.infer(np.zeros((1, 5, 34), dtype=np.float32), 4).shape == (1, 8)


def test_json_lines_and_report_have_stable_keys(run, tmp_path, capsys):
    report = tmp_path / "r" / "report.json"
    more = ["--recipe", "numpy_weight_only_wi8", "--json", "--report", str(report)]
    more += ["--float", "lstm.weight_hh", "--float", "fc1", "fc2", "--granularity", "per_tensor"]
    assert quantize(run, tmp_path / "a", *more) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    keys = {"artifact": ARTIFACT_KEYS, "layer": LAYER_KEYS, "gate": GATE_KEYS,
            "segments": SEGMENTS_KEYS, "agreement": AGREEMENT_KEYS}  # fmt: skip
    assert {line["what"] for line in lines} == set(keys)
    assert all(set(line) == keys[line["what"]] for line in lines)
    exact = {x["layer"] for x in lines if x["what"] == "layer" and x["sqnr_db"] is None}
    assert exact == {"lstm.weight_hh", "fc1", "fc2"}
    quantization = read_artifact(tmp_path / "a").manifest.quantization
    assert quantization.float_layers == ("norm", "lstm.weight_hh", "fc1", "fc2")
    assert quantization.granularity == "per_tensor"
    assert quantization.calibration_fingerprint is None
    whole = json.loads(report.read_text())
    assert set(whole) == {"artifact", "layers", "gates", "segments", "agreement"}
    assert len(whole["layers"]) == 10
    assert whole["agreement"][0]["n"] == 6


def test_an_artifact_gives_what_its_run_gives(run, fp32, tmp_path):
    for source, out in ((run, "a"), (fp32, "b")):
        more = ("--recipe", "numpy_weight_only_wi4", "--name", "mine")
        assert quantize(source, tmp_path / out, *more) == 0
    one, other = (read_artifact(tmp_path / out) for out in ("a", "b"))
    assert one.read_model() == other.read_model()
    assert one.manifest.name == other.manifest.name == "mine"
    assert one.manifest.mean.tolist() == other.manifest.mean.tolist()
    assert one.manifest.training == other.manifest.training


def test_an_artifact_keeps_its_speech_gate(fp32, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(fp32, own)
    gate = read_artifact(fp32).manifest.gate
    assert gate is not None
    other = dataclasses.replace(gate, least_speech_s=gate.least_speech_s / 2)
    give_gate(own, other)
    for source, kept in ((fp32, gate), (own, other)):
        out = tmp_path / f"of-{source.name}"
        assert quantize(source, out, "--recipe", "numpy_weight_only_wi8") == 0
        assert read_artifact(out).manifest.gate == kept


def test_an_artifact_is_not_replaced_by_what_is_made_of_it(fp32, tmp_path, capsys):
    before = read_artifact(fp32).model_path.read_bytes()
    (tmp_path / "link").symlink_to(fp32)
    for out in (fp32, tmp_path / "link"):
        error = refused(capsys, fp32, out, "--recipe", "numpy_weight_only_wi4")
        assert "which is SOURCE itself" in error
    assert read_artifact(fp32).model_path.read_bytes() == before


def test_a_recipe_of_ones_own_calibrates_on_generated_speech(run, tmp_path, capsys):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'title = "mine"\nbackend = "numpy"\nmethod = "weight_only"\nweight_bits = 4\n'
        'granularity = "per_group"\ngroup_size = 16\ncompensate = true\nn_calibration = 200\n'
        "[reference]\ntolerance = 1e-4\n[verify]\nmax_difference = 0.3\nmin_agreement = 0.9\n"
    )
    more = ("--recipe", str(recipe), "--calibration", "5", "--seed", "3", "--json")
    assert quantize(run, tmp_path / "a", *more) == 0
    about = json.loads(capsys.readouterr().out.splitlines()[0])
    assert about["calibration"]["n_segments"] == 5
    assert about["calibration"]["source"] == "generated speech"
    quantization = read_artifact(tmp_path / "a").manifest.quantization
    assert re.fullmatch(r"mine\.toml@[0-9a-f]{12}", quantization.recipe)
    assert quantization.calibration_fingerprint == about["calibration"]["fingerprint"]


def test_corpora_give_accuracy_by_corpus_and_speaker(data, runs, tmp_path, capsys):
    report = tmp_path / "report.json"
    more = ["--recipe", "numpy_weight_only_wi4", "--report", str(report)]
    more += ["--data", str(data), "--cache", str(runs / "cache"), "--workers", "1"]
    assert quantize(runs / "f0", tmp_path / "a", *more) == 0
    assert "accuracy %" in capsys.readouterr().out
    found = json.loads(report.read_text())
    assert found["segments"]["source"] == "the held-out side"
    by_group = {}
    for each in found["agreement"]:
        assert each["unit"] == "clips"
        assert each["accuracy_delta"] == each["accuracy"] - each["accuracy_fp32"]
        by_group.setdefault(each["group"], []).append(each)
    test = json.loads((runs / "f0" / "split.json").read_text())["test"]
    for group in ("all", "corpus", "speaker"):
        assert sum(each["n"] for each in by_group[group]) == len(test)
    figures = json.loads((runs / "f0" / "evaluation-torch-unknown.json").read_text())
    assert by_group["all"][0]["accuracy_fp32"] == pytest.approx(figures["accuracy"])
    assert {e["name"] for e in by_group["corpus"]} == set(figures["by_corpus"])


def test_calibration_never_hears_what_was_held_out(data, runs):
    clips, _ = load_corpora(data)
    split = json.loads((runs / "f0" / "split.json").read_text())
    sides = [[c for c in clips if c.clip_id in set(split[side])] for side in ("train", "test")]
    speech = Speech(
        facts(window_frames=21),
        seed=0,
        clips=clips,
        cache=FeatureCache(runs / "cache"),
        train=sides[0],
        test=sides[1],
    )
    calibration, source = speech.calibration(30)
    assert source == "the training side"
    assert set(calibration.speakers) <= {c.speaker for c in sides[0]}
    seen, source = speech.report(30)
    assert source == "the held-out side"
    assert set(seen.speakers) <= {c.speaker for c in sides[1]}
    assert not set(seen.speakers) & set(calibration.speakers)
    nothing_out = dataclasses.replace(speech, train=clips, test=())
    assert nothing_out.report(5)[1] == "the training side (nothing was held out)"


# -- refusals ----------------------------------------------------------------------------


def test_sources_that_cannot_be_read_back(run, tmp_path, capsys):
    for kind in ("numpy-int8", "onnx-fp32"):
        assert main(["export", str(run), "--kind", kind, "--out", str(tmp_path / kind)]) == 0
        error = refused(capsys, tmp_path / kind, tmp_path / "a", "--recipe", "numpy_fp32")
        assert "whose weights are not those of the training" in error
        assert "export --kind numpy-fp32" in error
    error = refused(capsys, tmp_path / "none", tmp_path / "a", "--recipe", "numpy_fp32")
    assert "there is no checkpoint" in error
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (("--recipe", "numpy_wi3"), "recipe is 'numpy_wi3', one of numpy_compensated_wi4"),
        (("--recipe", "numpy_weight_only_wi8", "--float", "lstn"), "names the layer 'lstn', one"),
        (
            ("--recipe", "numpy_compensated_wi4", "--calibration", "0"),
            "--calibration is 0, a whole number",
        ),
        (("--recipe", "numpy_weight_only_wi8", "--calibration", "9"), "it needs no calibration"),
        (("--recipe", "onnx_fp16", "--granularity", "per_tensor"), "one of none for fp16"),
        (("--recipe", "numpy_fp32", "--data", "corpora"), "which does not tell the clips"),
        (("--recipe", "numpy_fp32", "--segments", "0"), "--segments is 0, a whole number from 1"),
    ],
)
def test_bad_wishes_write_nothing(fp32, tmp_path, capsys, more, match):
    assert match in refused(capsys, fp32, tmp_path / "a", *more)
    assert not (tmp_path / "a").exists()


def test_corpora_without_a_whole_window(data, runs, tmp_path, capsys):
    """Synthetic clips are shorter than one: they are judged as short utterances are."""
    more = ["--recipe", "numpy_compensated_wi4", "--data", str(data), "--calibration", "8"]
    more += ["--cache", str(runs / "cache"), "--workers", "1", "--segments", "8"]
    assert quantize(runs / "f0", tmp_path / "a", *more) == 0
    assert "no clip has the 61 frames of a window" in capsys.readouterr().err
    assert (tmp_path / "a" / "manifest.json").is_file()


def test_a_disk_that_fills_up_leaves_what_was_there(run, tmp_path, capsys, monkeypatch):
    more = ("--recipe", "numpy_weight_only_wi8")
    assert quantize(run, tmp_path / "a", *more) == 0
    before = (tmp_path / "a" / "manifest.json").read_bytes()
    capsys.readouterr()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.artifact.folder.create", full)
    error = refused(capsys, run, tmp_path / "a", "--recipe", "numpy_weight_only_wi4")
    assert "No space left on device; nothing was changed there" in error
    assert (tmp_path / "a" / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    refused(capsys, run, tmp_path / "b", *more)
    assert not (tmp_path / "b").exists()


def test_a_damaged_artifact(fp32, tmp_path, capsys):
    shutil.copytree(fp32, tmp_path / "bad")
    with (tmp_path / "bad" / "model.npz").open("r+b") as file:
        file.truncate(1000)
    error = refused(capsys, tmp_path / "bad", tmp_path / "a", "--recipe", "numpy_fp32")
    assert "has 1000 bytes, its manifest says" in error
