"""Recipes: known names, inheritance, and one sentence for what is not known."""

from __future__ import annotations

import json
import os

import pytest
from run_commands import train

from quantize.basics.errors import RecipeError
from quantize.commands.main import main
from quantize.data.sound.augment import AugmentSettings
from quantize.models.claf_ser import PARTS, ClafSerConfig
from quantize.training.recipe import load_recipe, parse_recipe, recipe_names
from quantize.training.settings import DEFAULT_RECIPE, TrainSettings


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_makes_settings(name):
    recipe = load_recipe(name)
    ClafSerConfig(**recipe.model)
    TrainSettings(**recipe.training)
    assert recipe.title


def test_ablations_are_the_default_recipe_less_one_thing():
    default = load_recipe(DEFAULT_RECIPE)
    for part in PARTS:
        ablation = load_recipe(f"no-{part}")
        assert ablation.model == {**default.model, "without": [part]}
        assert (ablation.training, ablation.batches) == (default.training, default.batches)
    assert load_recipe("no-grl").training == {**default.training, "max_alpha": 0.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "x"\nspeed = 3', r"unknown keys \['speed'\]"),
        ('title = "x"\n[training]\nepoch = 3', r"unknown keys \['epoch'\] in \[training\]"),
        ('title = "x"\n[augment]\nhiss = 1', r"unknown keys \['hiss'\] in \[augment\]"),
        ('title = "x"\nextends = "nothing"', "recipe is 'nothing', one of"),
        ("title = ", "no TOML"),
        ("n_variants = 2", "has no title"),
        ('title = "x"\nmodel = 3', "mine: model is 3, a table is wanted"),
        ('title = "x"\nextends = "mine.toml"', "mine extends 'mine.toml', one of"),
        ('title = "x"\nteachers = "me"', "mine: teachers is 'me', a list of texts is wanted"),
        (
            'title = "x"\n[training]\nepochs = "many"',
            r"mine: \[training\] epochs is 'many', a whole number from 1 to 1000000 is wanted",
        ),
        (
            'title = "x"\n[training]\nlearning_rate = true',
            "learning_rate is True, a finite number above 0 is wanted",
        ),
        (
            'title = "x"\n[batches]\ncorpus_share = {tess = "all"}',
            r"\[batches\] corpus_share of tess is 'all', a number above 0 and at most 1 is wanted",
        ),
        (
            'title = "x"\n[model]\nhidden = 0',
            r"mine: \[model\] hidden is 0, a whole number from 1 to 65536 is",
        ),
        ('title = "x"\n[features]\nn_mfcc = 0', "mine: n_mfcc is 0"),
        ('title = "x"\nteachers = [{a = 1}]', "teachers is .*, a list of texts is wanted"),
        (
            'title = "x"\n[model]\nwithout = [[1.5]]',
            "without is .*, a list of 'attention', 'phonetic' or 'language' is wanted",
        ),
        (f"title = {'9' * 5000}", "no TOML"),
        ("title = " + "[" * 5000, "no TOML"),
    ],
)
def test_what_is_not_known_is_refused(text, message):
    with pytest.raises(RecipeError, match=message):
        parse_recipe("mine", text)


def test_a_recipe_names_its_augmentation_and_passes_it_on(monkeypatch):
    text = 'title = "x"\n[augment]\nroom_share = 0.5'
    base = parse_recipe("mine", text)
    assert base.augment_settings() == AugmentSettings(room_share=0.5)
    monkeypatch.setattr("quantize.training.recipe.load_recipe", lambda _name: base)
    heir = parse_recipe("heir", 'title = "x"\nextends = "mine"\n[augment]\ntempo = 0.1')
    assert heir.augment == {"room_share": 0.5, "tempo": 0.1}


def test_a_run_says_its_recipe_and_options_change_it(data, runs, tmp_path, capsys):
    out = tmp_path / "run"
    command = train(data, runs / "cache", out, "--recipe", "no-attention", "--split", "paper")
    assert main(command) == 0
    config = json.loads((out / "config.json").read_text())
    assert config["model"]["without"] == ["attention"]
    assert config["model"]["hidden"] == 16
    assert config["training"]["epochs"] == 2
    assert config["recipe"] == "no-attention"
    assert config["augment"]["babble_share"] == AugmentSettings().babble_share
    # It can be measured in torch, and no device is given half a model.
    assert main(["export", str(out)]) == 2
    assert "trained without attention" in capsys.readouterr().err
    assert not (out / "artifacts").exists()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "it is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
        (lambda path: path.mkdir(), "it is no regular file|Is a directory"),
        (lambda path: path.write_bytes(b"#" * 40_000), "it is larger than 32768 bytes"),
        (lambda path: path.write_bytes(b"\xff"), "it is no UTF-8 text"),
    ],
)
def test_what_is_no_recipe_file_is_refused_at_once(tmp_path, make, reason):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(RecipeError, match=rf"mine\.toml cannot be read: ({reason})"):
        load_recipe(str(path))


def test_a_name_with_a_nul_is_no_recipe():
    with pytest.raises(RecipeError, match=r"a\\x00\.toml cannot be read"):
        load_recipe("a\0.toml")
