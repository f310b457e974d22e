"""Reports and run folders become one dictionary, which says what it lacks."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from scorecard_fakes import places, train_longer, write_runs

from benchmarks.scorecard.collate import collate
from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.plan import plan, select
from benchmarks.scorecard.recipes import RECIPES
from edge.errors import ParameterError
from quantize.basics.errors import TrainingError
from quantize.data.features.conditions import EVERY_CONDITION
from quantize.data.sound.augment import AugmentSettings
from quantize.export import KINDS
from quantize.measure.figures.entries import scorecard_entries
from quantize.measure.figures.files import read_scorecard, write_scorecard
from quantize.runs.checkpoint import load_checkpoint
from quantize.runs.compared import training_facts
from quantize.runs.run import open_run


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    found = places(tmp_path_factory.mktemp("scorecard"))
    write_runs(found)
    return found


@pytest.fixture(scope="module")
def scorecard(at):
    return collate(at)


def test_everything_is_there(scorecard):
    assert scorecard["missing"] == []
    assert list(scorecard["recipes"]) == list(RECIPES)
    assert scorecard["commits"] == {"trained": ["a" * 12], "measured": ["b" * 12]}
    protocols = scorecard["recipes"]["claf-ser"]["protocols"]
    assert list(protocols) == [
        "paper",
        "speaker-5fold",
        "validation",
        "segments/speaker-5fold",
        "segments/paper",
        "conditions/speaker-5fold",
        "reference/speaker-5fold",
    ]
    alone = scorecard["recipes"]["claf-ser-alone"]["protocols"]
    assert list(alone) == [
        "paper",
        "speaker-5fold",
        "validation",
        "leave-one-corpus-out",
        "german-to-english",
    ]
    assert list(protocols["paper"]) == ["torch", "numpy-int8", "onnx-int8"]
    heard = protocols["conditions/speaker-5fold"]["numpy-int8"]["figures"]["conditions"]
    assert list(heard) == ["clean", *EVERY_CONDITION]
    referred = protocols["reference/speaker-5fold"]["numpy-int8"]["figures"]["conditions"]
    assert referred["16 clips, random"]["by_corpus"]["emo-db"]["uar_drop"] == pytest.approx(-0.045)


def test_seeds_are_averaged_and_their_clips_counted_together(scorecard):
    entry = scorecard["recipes"]["claf-ser"]["protocols"]["paper"]["torch"]
    accuracies = [run["accuracy"] for run in entry["runs"]]
    figures = entry["figures"]
    assert entry["figures_are"] == "mean"
    assert figures["accuracy"] == pytest.approx(np.mean(accuracies))
    assert figures["accuracy_sd"] == pytest.approx(0.01)
    assert "accuracy_ci95" not in figures
    assert figures["by_corpus"]["tess"]["accuracy"] == pytest.approx(0.91)
    assert sum(map(sum, figures["confusion"])) == figures["n"] == 300
    assert figures["per_class"]["neutral"]["support"] == 150


def test_folds_are_pooled_and_one_seed_has_its_interval(scorecard):
    entry = scorecard["recipes"]["claf-ser"]["protocols"]["speaker-5fold"]["numpy-int8"]
    assert entry["figures_are"] == "pooled"
    assert entry["figures"]["by_corpus"]["ravdess"]["uar"] == pytest.approx(0.66)
    assert [run["split_fingerprint"][0] for run in entry["runs"]] == list("01234")
    one = scorecard["recipes"]["no-grl"]["protocols"]["paper"]["torch"]
    assert one["figures_are"] == "one run"
    assert len(one["figures"]["accuracy_ci95"]) == 2


def test_sentences_that_are_shared_stand_beside_their_corpus(scorecard):
    protocols = scorecard["recipes"]["claf-ser"]["protocols"]
    folds = protocols["speaker-5fold"]["torch"]["figures"]
    assert list(folds["shared_sentences"]) == ["savee"]
    assert folds["shared_sentences"]["savee"]["uar"] == pytest.approx(0.34)
    seeds = protocols["paper"]["torch"]["figures"]["shared_sentences"]["savee"]
    assert seeds["uar"] == pytest.approx(0.35)
    assert seeds["uar_sd"] == pytest.approx(0.01)


def test_every_left_out_corpus_is_told_for_itself(scorecard):
    entry = scorecard["recipes"]["no-grl"]["protocols"]["leave-one-corpus-out"]["torch"]
    told = [list(run["by_corpus"]) for run in entry["runs"]]
    assert told == [["ravdess"], ["savee"], ["emo-db"], ["tess"]]


def test_a_figure_names_its_command_without_this_machine(scorecard, at):
    entry = scorecard["recipes"]["baseline"]["protocols"]["paper"]["torch"]
    assert entry["command"] == (
        "edge-ser-quantize evaluate runs/baseline/paper-s0 runs/baseline/paper-s1 "
        "runs/baseline/paper-s2 --data CORPORA --cache cache --kind torch --no-pictures --output "
        "runs/baseline/reports/paper-torch.json"
    )
    assert str(at.runs.parent) not in json.dumps(scorecard)


def test_settings_are_those_that_runs_share(scorecard):
    recipe = scorecard["recipes"]["claf-ser"]
    names = [name for name in recipe["settings"] if not name.startswith("augment.")]
    assert names == ["run.n_variants", "training.epochs"]
    assert recipe["settings_that_differ"] == []
    assert recipe["n_parameters"] == 2000
    assert recipe["model_bytes"] == {"numpy-int8": 503896}
    run = recipe["runs"]["speaker-f2"]
    assert (run["seconds"], run["temperature"]) == (90.0, 1.25)
    assert "temperature" not in recipe["runs"]["paper-s0"]


def test_a_run_of_before_recipes_named_their_augmentation_fits_a_younger_one(tmp_path):
    at = places(tmp_path)
    write_runs(at, ("no-phonetic",))
    for path in (at.runs / "no-phonetic").glob("*/config.json"):
        config = json.loads(path.read_text())
        del config["augment"]
        path.write_text(json.dumps(config))
    young = at.runs / "no-phonetic" / "speaker-f1" / "config.json"
    config = json.loads(young.read_text())
    config["augment"] = AugmentSettings().to_dict()
    # Younger than the others: what was not there to be chosen did not happen.
    del config["augment"]["codec_share"]
    config["run"]["validation"] = True
    young.write_text(json.dumps(config))
    recipe = collate(at)["recipes"]["no-phonetic"]
    assert recipe["settings_that_differ"] == []
    assert recipe["settings"]["augment.room_share"] == AugmentSettings().room_share
    young.write_text("{}")
    with pytest.raises(TrainingError, match="is not what training writes"):
        collate(at)


def test_settings_that_differ_are_named(tmp_path):
    at = places(tmp_path)
    write_runs(at, ("no-phonetic",))
    path = at.runs / "no-phonetic" / "speaker-f1" / "config.json"
    train_longer(path.parent)
    config = json.loads(path.read_text())
    # Whom a run leans on is its job's own.
    config |= {"teachers": {"other/speaker-f1": "1f"}, "start": {"other/speaker-f1": "1f"}}
    path.write_text(json.dumps(config))
    recipe = collate(at)["recipes"]["no-phonetic"]
    assert recipe["settings_that_differ"] == ["training.epochs"]
    assert "training.epochs" not in recipe["settings"]


def test_what_is_missing_or_out_of_date_is_named(tmp_path):
    at = places(tmp_path)
    write_runs(at, ("no-language",))
    write_runs(at, ("claf-ser-tiny",))
    asked = [s.name for s in select(plan(at), None, None) if s.words[0] == "evaluate"]
    scorecard = collate(at)
    assert list(scorecard["recipes"]) == ["claf-ser-tiny", "no-language"]
    # What runs only when it is named is not missed.
    assert scorecard["missing"] == [name for name in asked if "tiny" not in name]
    assert "claf-ser/validation-torch" not in scorecard["missing"]
    # Calibrated anew, it is to be measured anew.
    for name in ("claf-ser-tiny", "no-language"):
        os.utime(at.runs / name / "speaker-f0" / "calibration.json")
    scorecard = collate(at)
    assert "claf-ser-tiny/speaker-torch" in scorecard["missing"]
    assert "no-language/speaker-torch" not in scorecard["missing"]
    assert list(scorecard["recipes"]["no-language"]["protocols"]) == ["paper"]


def test_a_damaged_report_is_named(tmp_path):
    at = places(tmp_path)
    write_runs(at, ("baseline",))
    path = at.report(RECIPES["baseline"], RECIPES["baseline"].measurements[0])
    path.write_text("{}")
    with pytest.raises(TrainingError, match=r"paper-torch\.json is no report"):
        collate(at)


def test_the_file_is_the_same_each_time(scorecard, at, tmp_path):
    for name in ("a.json", "b.json"):
        write_scorecard(tmp_path / name, collate(at))
    first = (tmp_path / "a.json").read_bytes()
    assert first == (tmp_path / "b.json").read_bytes()
    assert first.startswith(b'{\n "schema_version": 1,\n')
    assert read_scorecard(tmp_path / "a.json") == scorecard


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 7}'])
def test_another_file_is_no_scorecard(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"s\.json (is no scorecard|has the schema version 7)"):
        read_scorecard(path)


def test_facts_of_a_real_run_folder(runs):
    facts = training_facts(open_run(runs / "f0"))
    model = load_checkpoint(runs / "f0" / "checkpoint.safetensors").model
    assert facts["n_parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["epochs"] == 2
    epochs = json.loads(open_run(runs / "f0").files.history.read_text(encoding="utf-8"))
    assert facts["seconds"] == round(sum(epoch["seconds"] for epoch in epochs), 1)
    assert all(epoch["seconds"] > 0 for epoch in epochs)
    assert facts["split"].startswith("speaker-5fold-s0-f0")


@pytest.mark.parametrize("kind", KINDS)
def test_entries_for_a_manifest_are_few_and_small(scorecard, kind):
    entries = scorecard_entries(scorecard, "claf-ser", kind)
    assert len(entries) < 30
    assert len(json.dumps(entries)) < 12_000
    told = {entry["split"]: entry for entry in entries if entry["metric"] == "uar"}
    fold = told["speaker-5fold, ravdess"]
    # A kind that the scorecard does not measure carries the figures of torch, and says so.
    assert fold["kind"] == (kind if kind in ("numpy-int8", "onnx-int8") else "torch")
    assert fold["of"] == "5 runs of the recipe pooled, not of this model"
    assert fold["command"] == (
        'python -m benchmarks.scorecard --data "$CORPORA" --recipes claf-ser --only speaker'
    )
    alone = scorecard_entries(scorecard, "claf-ser-alone", kind)
    assert any(entry["split"] == "SAVEE, trained on the other corpora" for entry in alone)
    assert ("speaker-5fold, ravdess, babble noise at 10 dB" in told) == (kind == "numpy-int8")
    assert [e["split"] for e in entries if e["metric"] == "ece"] == ["speaker-5fold"]


def test_entries_of_a_recipe_that_is_not_there(scorecard):
    with pytest.raises(ParameterError, match="the recipe is 'runs', the scorecard has claf-ser"):
        scorecard_entries(scorecard, "runs", "numpy-int8")


def test_fakes_have_every_step(at):
    assert all(step.is_done(Ledger(at.ledger)) for step in plan(at))
