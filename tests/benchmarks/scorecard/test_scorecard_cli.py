"""The command: a dry run, refusals, and going on from what is there."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import partial

import pytest
from scorecard_fakes import places, train_longer, write_runs

import benchmarks.scorecard.__main__ as scorecard_command
from benchmarks.scorecard.collate import collate
from benchmarks.scorecard.plan import plan
from benchmarks.scorecard.recipe_check import check_same_recipe, recipe_settings
from benchmarks.scorecard.steps import run_steps
from benchmarks.scorecard.tables import BEGIN, END
from edge.artifact import read_artifact
from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.data.sound.augment import AugmentSettings
from quantize.measure.figures.files import read_scorecard, write_scorecard
from quantize.runs.compared import shared_settings
from quantize.runs.run import open_run


def command(at, *more: str) -> list[str]:
    words = ["--data", str(at.data), "--cache", str(at.cache)]
    return [*words, "--runs", str(at.runs), "--out", str(at.runs.parent / "s.json"), *more]


def test_a_dry_run_says_what_is_done(tmp_path, capsys):
    at = places(tmp_path)
    write_runs(at, ("no-grl",))
    assert (
        scorecard_command.main(command(at, "--dry-run", "--recipes", "claf-ser-alone", "no-grl"))
        == 0
    )
    told = capsys.readouterr()
    lines = told.out.splitlines()
    n_alone, n_other = 10 + 1 + 3, 10 + 1 + 3
    assert len(lines) == n_alone + n_other
    assert all(line.startswith("to do  edge-ser-quantize ") for line in lines[:n_alone])
    assert all(line.startswith("done   edge-ser-quantize ") for line in lines[n_alone:])
    assert f"--out {at.runs}/claf-ser-alone/speaker-f0 --split speaker --fold 0" in lines[0]
    assert told.err == f"{n_alone} of {n_alone + n_other} steps to do\n"
    assert not (tmp_path / "s.json").exists()


def test_with_everything_done_it_only_collects(tmp_path, capsys):
    at = places(tmp_path)
    write_runs(at, ("baseline",))
    at.data.mkdir()
    readme = tmp_path / "R.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    assert (
        scorecard_command.main(command(at, "--recipes", "baseline", "--render", str(readme))) == 0
    )
    told = capsys.readouterr().out
    assert "0 steps run, 10 done before; 0.0 min; " in told
    assert json.loads(at.times.read_text())["steps"] == {}
    assert "not measured yet: claf-ser/speaker-torch" in told
    assert list(read_scorecard(tmp_path / "s.json")["recipes"]) == ["baseline"]
    assert "the paper's SimpleRNN" in readme.read_text()


def test_runs_of_another_recipe_than_it_is_now_are_refused(tmp_path, capsys):
    at = places(tmp_path)
    write_runs(at, ("no-grl",))
    n_epochs = train_longer(at.runs / "no-grl" / "speaker-f1")
    assert scorecard_command.main(command(at, "--dry-run", "--recipes", "no-grl")) == 2
    told = capsys.readouterr().err
    assert f"no-grl/speaker-f1 was trained with training.epochs {n_epochs}" in told
    # Not asked for, not in the way.
    assert (
        scorecard_command.main(command(at, "--dry-run", "--recipes", "no-grl", "--only", "paper"))
        == 0
    )


def test_runs_of_other_features_are_refused(tmp_path, capsys):
    at = places(tmp_path)
    write_runs(at, ("no-grl",))
    path = at.runs / "no-grl" / "speaker-f1" / "config.json"
    config = json.loads(path.read_text())
    # As of before there was a front end.
    del config["feature_spec"]["high_pass_hz"]
    path.write_text(json.dumps(config))
    assert scorecard_command.main(command(at, "--dry-run", "--recipes", "no-grl")) == 2
    told = capsys.readouterr().err
    assert "no-grl/speaker-f1 was trained with feature_spec.high_pass_hz None, the recipe" in told


def test_a_real_run_fits_its_recipe_but_for_what_was_asked(runs, tmp_path):
    at = places(tmp_path)
    step = next(s for s in plan(at) if s.name == "claf-ser-alone/speaker-f0")
    folder = at.runs / "claf-ser-alone" / "speaker-f0"
    folder.mkdir(parents=True)
    config = json.loads((runs / "f0" / "config.json").read_text())
    wanted = recipe_settings("claf-ser-alone")
    changed = {("training", "epochs"), ("run", "n_variants"), ("model", "hidden")}
    for table, name in changed:
        assert config[table][name] != wanted[table][name]
        config[table][name] = wanted[table][name]
    # Lessons are domains of the recordings, not of the recipe.
    config["model"]["n_domains"] = 6
    (folder / "config.json").write_text(json.dumps(config))
    check_same_recipe(at, [step])
    assert set(wanted["training"]) <= set(config["training"])


def test_a_run_of_before_recipes_named_their_augmentation_had_the_defaults(tmp_path, monkeypatch):
    at = places(tmp_path)
    write_runs(at, ("no-grl",))
    step = next(s for s in plan(at) if s.name == "no-grl/speaker-f1")
    path = at.runs / "no-grl" / "speaker-f1" / "config.json"
    config = json.loads(path.read_text())
    del config["augment"]
    path.write_text(json.dumps(config))
    with pytest.raises(TrainingError, match=r"augment\.music_share 0\.0, .* has 0\.1"):
        check_same_recipe(at, [step])
    changed = {**recipe_settings("no-grl"), "augment": AugmentSettings().to_dict()}
    monkeypatch.setattr("benchmarks.scorecard.recipe_check.recipe_settings", lambda _name: changed)
    check_same_recipe(at, [step])
    changed["augment"]["room_share"] = 0.5
    with pytest.raises(TrainingError, match=r"augment\.room_share 0\.25, .* has 0\.5"):
        check_same_recipe(at, [step])


def test_nothing_measured_leaves_a_scorecard_alone(tmp_path, monkeypatch):
    at = places(tmp_path)
    at.data.mkdir()
    (tmp_path / "s.json").write_text("kept")
    monkeypatch.setattr(scorecard_command, "run_steps", lambda *_args, **_more: 1)
    assert scorecard_command.main(command(at, "--recipes", "baseline", "--only", "paper-s0")) == 0
    assert (tmp_path / "s.json").read_text() == "kept"


def test_a_failing_command_is_one_sentence(tmp_path, capsys, monkeypatch):
    at = places(tmp_path)
    at.data.mkdir()
    # In place of the program, which would import torch to say the same.
    code = "import sys; sys.exit('edge-ser-quantize: error: no corpus')"
    program = (sys.executable, "-S", "-c", code)
    monkeypatch.setattr(scorecard_command, "run_steps", partial(run_steps, program=program))
    assert scorecard_command.main(command(at, "--recipes", "baseline", "--only", "paper-s0")) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("scorecard: error: baseline/paper-s0 ended with status 1 (no corpus)")
    assert "logs/baseline/paper-s0.log" in told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tables-only"], "--tables-only writes nothing without --render"),
        (["--dry-run"], "--data ROOT is wanted"),
        (["--data", "nowhere"], "--data is nowhere, an existing folder is wanted"),
        (["--data", ".", "--parallel", "0"], "--parallel is 0"),
        (["--data", ".", "--recipes", "x"], "the recipe is 'x'"),
        (["--tables-only", "--out", "no.json", "--render", "R"], "no.json is no scorecard"),
    ],
)
def test_refusals(words, sentence, capsys):
    assert scorecard_command.main([*words]) == 2
    assert sentence in capsys.readouterr().err


def test_export_carries_the_figures_and_the_hash(runs, tmp_path, capsys):
    at = places(tmp_path)
    write_runs(at, ("claf-ser",))
    scorecard = collate(at)
    # As if the runs of the scorecard had been trained as this one was.
    scorecard["recipes"]["claf-ser"]["settings"] = shared_settings([open_run(runs / "f0")])[0]
    path, out, card = tmp_path / "s.json", tmp_path / "model", tmp_path / "CARD.md"
    write_scorecard(path, scorecard)
    words = ["export", str(runs / "f0"), "--out", str(out), "--card", str(card)]
    words += ["--scorecard", str(path)]
    assert main([*words, "--recipe", "claf-ser"]) == 0
    manifest = read_artifact(out).manifest
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest.training["scorecard_sha256"] == digest
    assert {entry["kind"] for entry in manifest.accuracy} == {"numpy-int8"}
    told = card.read_text()
    assert "| speaker-5fold, ravdess | uar | 66.0 %" in told
    # Who was heard comes from the run, where it fails from the scorecard.
    assert "| speakers | clips |" in told
    assert "worst on SAVEE: UAR 44.0 %" in " ".join(told.split())
    assert digest[:12] in card.read_text()

    capsys.readouterr()
    assert main(words) == 2
    assert "the scorecard has claf-ser: name one of these" in capsys.readouterr().err
    scorecard["recipes"]["claf-ser"]["settings"]["training.epochs"] = 160
    path.write_text(json.dumps(scorecard))
    assert main([*words, "--recipe", "claf-ser"]) == 2
    told = capsys.readouterr().err
    assert "has training.epochs 2, the scorecard's claf-ser has 160" in told
