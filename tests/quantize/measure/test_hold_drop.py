"""Layers stay in float until the drop holds, and the recipe that comes of it gives the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from edge.artifact import read_artifact
from edge.errors import BackendError
from quantize.commands.main import main
from quantize.data.corpora.base import LABELS, Clip
from quantize.export.rounding.load import (
    load_rounding_recipe,
    parse_rounding_recipe,
    rounding_recipe_names,
)
from quantize.export.rounding.write import recipe_toml
from quantize.measure.evaluate import Evaluation
from quantize.measure.rounding_loss.keep_float import (
    Rounded,
    Step,
    keep_until,
    may_keep,
    ranked,
    steps_of,
)

N_CLIPS = 40
#: Of 40 clips, how many a layer's rounding answers wrongly.
COSTS = {"lstm.weight_ih": 8, "fc1": 4, "conv": 2}


def clips():
    return tuple(
        Clip(
            clip_id=f"tess/{i}",
            path=Path("none.wav"),
            corpus="tess",
            speaker="tess/OAF",
            gender="female",
            label=LABELS[i % 2],
            native_label=LABELS[i % 2],
            language="en",
            sentence="a",
        )
        for i in range(N_CLIPS)
    )


def answers(n_wrong):
    """The first clips are answered wrongly, the others surely."""
    posteriors = np.full((N_CLIPS, len(LABELS)), 0.01)
    for i in range(N_CLIPS):
        posteriors[i, (i + (i < n_wrong)) % 2] = 0.93
    return Evaluation(clips(), posteriors, LABELS, LABELS)


def measure(recipe, to_rank):
    rounded = [layer for layer in COSTS if not recipe.is_float(layer)]
    return Rounded(1000 - 100 * len(rounded), answers(sum(COSTS[name] for name in rounded)))


INT8 = load_rounding_recipe("numpy_weight_only_wi8")


def order():
    return ranked(INT8, may_keep(INT8), answers(0), measure)


def test_the_layer_whose_rounding_does_most_is_kept_first():
    assert order()[:3] == ["lstm.weight_ih", "fc1", "conv"]


@pytest.mark.parametrize(
    ("max_drop", "kept"),
    [
        (40, ()),
        (35, ()),
        (34.9, ("lstm.weight_ih",)),
        (15, ("lstm.weight_ih",)),
        (5, ("lstm.weight_ih", "fc1")),
        (0, ("lstm.weight_ih", "fc1", "conv")),
    ],
)
def test_as_few_layers_are_kept_as_hold_the_drop(max_drop, kept):
    found, steps = keep_until(max_drop, steps_of(INT8, order(), answers(0), measure))
    assert found is steps[-1]
    assert found.kept == kept
    assert [step.kept for step in steps] == [kept[:n] for n in range(len(kept) + 1)]
    assert found.accuracy_drop <= max_drop + 1e-6
    assert all(max(step.accuracy_drop, step.uar_drop) > max_drop for step in steps[:-1])


def test_what_holds_at_once_ranks_nothing():
    def nobody():
        raise AssertionError("was asked")
        yield

    found, _ = keep_until(100, steps_of(INT8, nobody(), answers(0), measure))
    assert found.kept == ()


def test_an_export_that_is_refused_is_a_step_that_does_not_hold():
    def broken(recipe, to_rank):
        if not recipe.is_float("fc1"):
            raise BackendError("too far away")
        return measure(recipe, to_rank)

    layers = ranked(INT8, may_keep(INT8), answers(0), broken)
    assert layers[0] == "fc1"
    found, steps = keep_until(25, steps_of(INT8, layers, answers(0), broken))
    assert steps[0] == Step(())
    assert steps[0].drop == math.inf
    assert found.kept == ("fc1",)


def test_what_no_layer_can_hold_is_not_found():
    stubborn = lambda recipe, to_rank: Rounded(1, answers(10))  # noqa: E731
    found, steps = keep_until(1, steps_of(INT8, may_keep(INT8), answers(0), stubborn))
    assert found is None
    # A recipe that rounds nothing is none.
    assert len(steps) == len(may_keep(INT8))


@pytest.mark.parametrize("name", rounding_recipe_names())
def test_a_recipe_reads_back_as_it_was_written(name):
    recipe = load_rounding_recipe(name)
    assert parse_rounding_recipe(name, recipe_toml(recipe)) == recipe
    odd = recipe.replaced(title='a "b" \\ ü\n')
    assert parse_rounding_recipe(name, recipe_toml(odd)) == odd
    for layer in may_keep(recipe):
        kept = recipe.changed(float_layers=(layer,))
        assert parse_rounding_recipe(name, recipe_toml(kept)) == kept


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("numpy_fp32", []),
        ("tflite_dynamic_wi8", []),
        ("onnx_static_wi8ai8", ["attention.query", "fc2"]),
        ("onnx_dynamic_wi8", ["lstm", "fc1"]),
        ("numpy_weight_only_wi4", ["lstm.weight_hh", "fc1", "conv"]),
    ],
)
def test_what_a_runtime_can_keep(name, wanted):
    found = may_keep(load_rounding_recipe(name))
    assert set(wanted) <= set(found)
    assert bool(found) == bool(wanted)


def quantize(data, runs, run, out, *more):
    words = ["quantize", str(run), "--out", str(out), "--segments", "4", "--data", str(data)]
    return main([*words, "--cache", str(runs / "cache"), "--workers", "1", *more])


def test_the_recipe_that_is_written_gives_the_same_artifact(data, runs, tmp_path, capsys):
    report = tmp_path / "report.json"
    more = ["--recipe", "numpy_weight_only_wi4", "--max-drop", "3", "--report", str(report)]
    assert quantize(data, runs, runs / "f0", tmp_path / "a", *more) == 0
    told = capsys.readouterr().out
    held = json.loads(report.read_text())["held"]
    assert held["chosen_on"] == f"{len(split(runs)['train'])} clips of the training side"
    assert held["chosen_on"] in told
    assert held["steps"][-1]["holds"]
    assert held["steps"][-1]["accuracy_drop"] <= 3
    recipe = tmp_path / "a" / "numpy_weight_only_wi4-max-drop-3.toml"
    assert held["recipe"] == str(recipe)
    assert quantize(data, runs, runs / "f0", tmp_path / "b", "--recipe", str(recipe)) == 0
    one, other = (read_artifact(tmp_path / name) for name in ("a", "b"))
    assert one.read_model() == other.read_model()
    assert one.manifest.quantization == other.manifest.quantization
    assert one.manifest.quantization.recipe.startswith(f"{recipe.name}@")


def split(runs):
    return json.loads((runs / "f0" / "split.json").read_text())


def test_what_cannot_be_held_is_status_1_and_says_the_best(
    data, runs, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        "quantize.measure.rounding_loss.hold_drop.steps_of",
        lambda *_: iter([Step((), 9, 0.5, 0.5, 3.0, 4.0), Step(("fc1",), 9, 0.5, 0.5, 2.0, 1.0)]),
    )
    more = ["--recipe", "numpy_weight_only_wi8", "--max-drop", "0.5"]
    assert quantize(data, runs, runs / "f0", tmp_path / "a", *more) == 1
    error = capsys.readouterr().err.splitlines()
    assert "+ fc1" in error[-2]
    assert error[-1] == (
        "edge-ser-quantize: the drop of 0.5 points cannot be held: the best is 2.00 points with "
        "fc1 in float; allow more, or round by a milder recipe"
    )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--max-drop", "1"], "name the corpora of the training with --data"),
        (["--max-drop", "101"], "--max-drop is 101, a number of percentage points from 0 to 100"),
        (["--max-drop", "nan"], "--max-drop is nan, "),
        (["--max-drop", "-1"], "--max-drop is -1"),
    ],
)
def test_without_clips_or_a_number_it_is_one_sentence(runs, tmp_path, capsys, more, sentence):
    words = ["quantize", str(runs / "f0"), "--recipe", "numpy_weight_only_wi8"]
    assert main([*words, "--out", str(tmp_path / "a"), *more]) == 2
    error = capsys.readouterr().err.strip()
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "a").exists()
