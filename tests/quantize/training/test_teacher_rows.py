"""Teachers of other features than the student's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from run_commands import train

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.data.corpora import LABELS
from quantize.data.splits import read_split
from quantize.runs.checkpoint import load_checkpoint
from quantize.training.recipe import load_recipe
from quantize.training.settings import DEFAULT_RECIPE
from quantize.training.teacher_rows import Crops, TeacherRows
from quantize.training.teachers import Heard, Teachers

#: Features of the session's runs.
SPEC = load_recipe(DEFAULT_RECIPE).feature_spec()


def speechlike(n_samples: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(n_samples)
    return (noise * np.abs(np.sin(np.arange(n_samples) / 3000)) / 8).astype(np.float32)


def test_a_teacher_of_other_features_needs_rows_of_its_own(runs):
    split = read_split(runs / "f0" / "split.json")
    student = FeatureSpec(hop_length=256)
    teachers = Teachers([runs / "f0"], split, student, LABELS)
    assert [rows.spec for rows in teachers.other_rows] == [SPEC]
    x = torch.zeros(1, 20, 34)
    with pytest.raises(TrainingError, match="given no rows of its own"):
        teachers.answer(x, np.zeros(34, np.float32), np.ones(34, np.float32), 1.0)
    with pytest.raises(ParameterError, match="of 16000 Hz, the student's of 22050 Hz"):
        Teachers([runs / "f0"], split, FeatureSpec(sample_rate=22050), LABELS)


def test_a_teacher_of_other_features_hears_the_same_crop_in_its_own(runs):
    saved = load_checkpoint(runs / "f0" / "checkpoint.safetensors")
    student = FeatureSpec().with_settings(hop_length=256, n_mfcc=20)
    teachers = Teachers([runs / "f0"], read_split(runs / "f0" / "split.json"), student, LABELS)
    clips = {"a": speechlike(48_000, 0), "b": speechlike(40_000, 1)}
    rows = {name: FeatureExtractor(FeatureSpec()).extract(clip) for name, clip in clips.items()}
    other = {name: 2 * each for name, each in rows.items()}
    teachers.other_rows[0].variants = [rows, other]
    # Of the student's 100 frames every second one begins a teacher's frame.
    crops = Crops(["a", "b"], [0, 1], np.array([20, 41]), 100)
    share, partner = torch.tensor([1.0, 0.75]), torch.tensor([1, 0])
    x = torch.zeros(2, 100, 41)
    mean, std = np.zeros(41, np.float32), np.ones(41, np.float32)
    answer = teachers.answer(x, mean, std, 1.0, Heard(crops, share, partner))
    n = FeatureSpec().n_frames(student.n_samples(100))
    a, b = rows["a"][10 : 10 + n], other["b"][20 : 20 + n]
    own = (np.stack([a, 0.75 * b + 0.25 * a]) - saved.mean) / saved.std
    with torch.no_grad():
        wanted = saved.model(torch.from_numpy(own), torch.full((2,), 4)).logits.softmax(dim=1)
    torch.testing.assert_close(answer.posterior, wanted, atol=1e-4, rtol=1e-3)


def test_crops_near_the_end_of_a_clip_stay_within_it():
    rows = {"a": np.arange(30.0)[:, None], "b": np.arange(12.0)[:, None]}
    own = TeacherRows(FeatureSpec(), FeatureSpec(hop_length=1024), [rows])
    crops = Crops(["a", "b"], [0, 0], np.array([7, 16]), 20)
    # 20 frames of 512 are 10 of 1024; 7 / 2 is the fourth.
    assert own.of(crops)[..., 0].tolist() == [list(range(4, 14)), list(range(2, 12))]


def test_a_recipe_of_other_features_teaches(data, runs, tmp_path, capsys):
    mine = tmp_path / "fine.toml"
    mine.write_text(
        'title = "finer"\nextends = "claf-ser-alone"\n[model]\nhidden = 8\n'
        "[features]\nhop_length = 256\nn_mfcc = 20\n"
    )
    same_split = ["--split", "speaker", "--fold", "0"]
    command = train(data, runs / "cache", tmp_path / "teacher", "--recipe", str(mine), *same_split)
    assert main(command) == 0
    taught = load_checkpoint(tmp_path / "teacher" / "checkpoint.safetensors")
    assert (taught.spec.hop_length, taught.spec.n_features) == (256, 41)
    assert taught.model.config.n_features == 42
    teachers = ["--teachers", str(tmp_path / "teacher"), str(runs / "f0")]
    command = train(data, runs / "cache", tmp_path / "student", *same_split, *teachers)
    command[0] = "distill"
    assert main(command) == 0
    config = json.loads((tmp_path / "student" / "config.json").read_text())
    assert f"{tmp_path.name}/teacher" in config["teachers"]
    assert config["feature_spec"]["hop_length"] == 512
    capsys.readouterr()
    assert main([*command, "--recipe", str(tmp_path / "none.toml")]) == 2
    assert "none.toml cannot be read" in capsys.readouterr().err
