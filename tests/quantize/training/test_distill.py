"""Teachers: their posterior, who may teach whom, and that a student learns it."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from run_commands import hold_nothing_out, train

from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.data.corpora import LABELS
from quantize.data.splits import read_split
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.runs.artifacts import export_run
from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
from quantize.runs.run import open_run
from quantize.training.objective import Objective
from quantize.training.recipe import load_recipe
from quantize.training.settings import DEFAULT_RECIPE, TrainSettings
from quantize.training.teachers import Answer, FeatureMatching, Teachers, distillation_loss

SPEC = load_recipe(DEFAULT_RECIPE).feature_spec()


def test_the_loss_is_zero_for_a_student_that_agrees_and_pulls_one_that_does_not():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]], requires_grad=True)
    same = (logits.detach() / 3.0).softmax(dim=1)
    assert distillation_loss(logits, same, 3.0).tolist() == pytest.approx([0.0, 0.0], abs=1e-5)
    wanted = torch.tensor([[0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    loss = distillation_loss(logits, wanted, 3.0)
    assert (loss > 0).all()
    loss.sum().backward()
    # Towards the class that the teachers prefer.
    assert (logits.grad[:, 1] < 0).all()


def test_the_gradient_is_as_large_at_every_temperature():
    wanted_logits = torch.tensor([[0.3, -0.2, 0.1]])
    sizes = []
    for temperature in (1.0, 4.0):
        logits = torch.zeros(1, 3, requires_grad=True)
        posterior = (wanted_logits / temperature).softmax(dim=1)
        distillation_loss(logits, posterior, temperature).sum().backward()
        sizes.append(float(logits.grad.norm()))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


def test_teachers_see_the_rows_by_their_own_normalisation(runs):
    run = runs / "f0"
    saved = load_checkpoint(run / "checkpoint.safetensors")
    teachers = Teachers([run, run], read_split(run / "split.json"), SPEC, LABELS)
    assert len(teachers) == 2
    raw = saved.mean + saved.std * np.random.default_rng(0).standard_normal((3, 20, 34))
    raw = raw.astype(np.float32)
    other_mean, other_std = saved.mean + 1.0, saved.std * 2.0
    x = torch.from_numpy((raw - other_mean) / other_std)
    answer = teachers.answer(x, other_mean, other_std, 2.0)
    own = torch.from_numpy((raw - saved.mean) / saved.std)
    with torch.no_grad():
        wanted = saved.model(own, torch.full((3,), 4))
    posterior = (wanted.logits / 2.0).softmax(1)
    torch.testing.assert_close(answer.posterior, posterior, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(answer.pooled, wanted.pooled, atol=1e-4, rtol=1e-3)
    assert teachers.widths == [wanted.pooled.shape[1]] * 2


def test_every_teacher_is_asked_and_told_by_its_recipe_and_run(runs, tmp_path):
    for recipe in ("one", "two"):
        shutil.copytree(runs / "f0", tmp_path / recipe / "f0")
    folders = [tmp_path / recipe / "f0" for recipe in ("one", "two")]
    saved = load_checkpoint(folders[1] / "checkpoint.safetensors")
    with torch.no_grad():
        saved.model.fc2.bias += torch.arange(8.0)
    save_checkpoint(folders[1] / "checkpoint.safetensors", saved)
    teachers = Teachers(folders, read_split(folders[0] / "split.json"), SPEC, LABELS)
    assert list(teachers.to_dict()) == ["one/f0", "two/f0"]
    assert len(set(teachers.to_dict().values())) == 2
    x = torch.randn(2, 20, 34, generator=torch.Generator().manual_seed(0))
    asked = []
    for folder in folders:
        model = load_checkpoint(folder / "checkpoint.safetensors").model
        with torch.no_grad():
            asked.append(model(x, torch.full((2,), 4)).logits.softmax(dim=1))
    torch.manual_seed(3)
    answers = [teachers.answer(x, saved.mean, saved.std, 1.0).posterior for _ in range(60)]
    n_each = [sum(torch.allclose(answer, one, atol=1e-5) for answer in answers) for one in asked]
    assert sum(n_each) == 60
    assert min(n_each) > 15


def test_only_runs_of_the_same_split_may_teach(runs, tmp_path):
    split = read_split(runs / "f0" / "split.json")
    with pytest.raises(TrainingError, match="told of clips that it is measured on"):
        Teachers([runs / "f0", runs / "f1"], split, SPEC, LABELS)
    with pytest.raises(TrainingError, match="this training's is all"):
        Teachers([runs / "f0"], None, SPEC, LABELS)
    shutil.copytree(runs / "f0", tmp_path / "all")
    hold_nothing_out(tmp_path / "all")
    with pytest.raises(TrainingError, match="was trained on the split all"):
        Teachers([tmp_path / "all"], split, SPEC, LABELS)
    assert len(Teachers([tmp_path / "all"], None, SPEC, LABELS)) == 1


def test_a_teacher_of_other_recordings_under_the_same_names_is_refused(
    data, runs, tmp_path, capsys
):
    """What it learned from may be what the student is measured on."""
    files = sorted(data.rglob("*.wav"))
    for file, other in zip(files, files[7:] + files[:7], strict=True):
        place = tmp_path / "data" / file.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(other, place)
    for role in ("--teachers", "--start"):
        place = ("--split", "speaker", "--fold", "0", role, str(runs / "f0"))
        words = train(tmp_path / "data", runs / "cache", tmp_path / "student", *place)
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "held out other recordings, or other labels, under the names" in said
    assert not (tmp_path / "student").exists()


def test_a_student_comes_closer_to_its_teacher_and_says_who_taught(data, runs, tmp_path):
    teacher = runs / "f0"
    common = ["--split", "speaker", "--fold", "0", "--epochs", "12", "--learning-rate", "0.005"]
    for name, more in (
        ("alone", []),
        ("taught", ["--teachers", str(teacher), "--distil-share", "1.0"]),
    ):
        command = train(data, runs / "cache", tmp_path / name, *common, *more, "--seed", "7")
        assert main(command) == 0
    taught = load_checkpoint(tmp_path / "taught" / "checkpoint.safetensors")
    config = json.loads((tmp_path / "taught" / "config.json").read_text())
    assert list(config["teachers"]) == [f"{teacher.parent.name}/f0"]
    assert taught.training["teachers"] == config["teachers"]
    assert "teachers" not in load_checkpoint(tmp_path / "alone" / "checkpoint.safetensors").training
    rows = torch.randn(64, 40, 34, generator=torch.Generator().manual_seed(0))
    logits = {}
    for name, folder in (
        ("teacher", teacher),
        ("alone", tmp_path / "alone"),
        ("taught", tmp_path / "taught"),
    ):
        model = load_checkpoint(folder / "checkpoint.safetensors").model
        with torch.no_grad():
            logits[name] = model(rows, torch.full((64,), 4)).logits
    wanted = logits["teacher"].softmax(dim=1)
    far, near = (
        float(distillation_loss(logits[n], wanted, 1.0).mean()) for n in ("alone", "taught")
    )
    assert near < 0.7 * far


def test_a_training_goes_on_from_another(data, runs, tmp_path):
    common = ["--split", "speaker", "--fold", "0", "--seed", "7"]
    losses = {}
    for name, more in (("anew", []), ("on", ["--start", str(runs / "f0")])):
        command = train(data, runs / "cache", tmp_path / name, *common, *more)
        assert main([*command, "--epochs", "1", "--learning-rate", "0.000001"]) == 0
        losses[name] = json.loads((tmp_path / name / "history.json").read_text())[0]["test_loss"]
    before = json.loads((runs / "f0" / "history.json").read_text())[-1]["test_loss"]
    # At hardly any learning rate it is the model that it began with.
    assert losses["on"] == pytest.approx(before, abs=0.01)
    assert abs(losses["anew"] - before) > 0.05
    start, on, anew = (
        load_checkpoint(folder / "checkpoint.safetensors")
        for folder in (runs / "f0", tmp_path / "on", tmp_path / "anew")
    )
    np.testing.assert_array_equal(on.mean, start.mean)
    np.testing.assert_array_equal(on.std, start.std)
    config = json.loads((tmp_path / "on" / "config.json").read_text())
    assert list(config["start"]) == list(on.training["start"]) == [f"{runs.name}/f0"]
    assert "start" not in anew.training


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--fold", "1"], "the start {run} was trained on the split speaker-5fold-s0-f0"),
        (["--fold", "0", "--hidden", "24"], "the same sizes are wanted"),
    ],
)
def test_a_start_that_does_not_fit_is_one_sentence(data, runs, tmp_path, capsys, more, sentence):
    command = train(data, runs / "cache", tmp_path / "run", "--split", "speaker", *more)
    assert main([*command, "--start", str(runs / "f0")]) == 2
    told = capsys.readouterr().err
    assert sentence.format(run=runs / "f0") in told.replace("\n", " ")
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_teacher_that_is_not_there_is_one_sentence_and_nothing_is_written(
    data, runs, tmp_path, capsys
):
    command = train(data, runs / "cache", tmp_path / "run", "--split", "paper")
    assert main([*command, "--teachers", str(runs / "f0")]) == 2
    assert "the same one is wanted" in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_student_that_takes_two_frames_a_step(data, runs, tmp_path):
    out = tmp_path / "student"
    sizes = ["--hidden", "8", "--n-heads", "2", "--classifier", "12", "--conv-channels", "4"]
    command = distil(data, runs, out, *sizes, "--frame-stack", "2", "--epochs", "2")
    assert main(command) == 0
    saved = load_checkpoint(out / "checkpoint.safetensors")
    config = saved.model.config
    assert (config.hidden, config.n_heads, config.classifier, config.conv_channels) == (8, 2, 12, 4)
    assert (config.frame_stack, saved.model.lstm.input_size) == (2, 70)
    # The device's rows and windows are those of every other model.
    assert saved.spec == SPEC
    artifact = export_run(open_run(out), "numpy-int8", tmp_path / "artifact")
    assert artifact.manifest.architecture.frame_stack == 2
    assert (artifact.manifest.window_frames, artifact.manifest.window_hop) == (61, 16)


@pytest.mark.parametrize("place", [None, (0, 0)])
def test_matching_brings_the_pooled_vectors_together(runs, place):
    saved = load_checkpoint(runs / "f0" / "checkpoint.safetensors")
    split = read_split(runs / "f0" / "split.json")
    rows = torch.randn(96, 20, 34, generator=torch.Generator().manual_seed(0))
    labels, unknown, weights = torch.arange(96) % 8, torch.full((96,), 4), torch.ones(96)
    left = {}
    for match_weight in (0.0, 5.0):
        torch.manual_seed(0)
        teachers = Teachers([runs / "f0"], split, SPEC, LABELS)
        settings = TrainSettings(match_weight=match_weight)
        model = CLAFSER(ClafSerConfig(frame_stack=2, hidden=8, dropout=0.0))
        objective = Objective(settings, saved.mean, saved.std, 16, teachers)
        optimizer = torch.optim.Adam([*model.parameters(), *objective.parameters()], lr=0.01)
        for _ in range(50):
            optimizer.zero_grad()
            objective(model, rows, unknown, labels, weights, None, place)[0].backward()
            optimizer.step()
        with torch.no_grad():
            pooled = model(rows, unknown).pooled
            left[match_weight] = unexplained(pooled, saved.model(rows, unknown).pooled)
    assert left[5.0] < 0.6 * left[0.0]


def test_a_map_that_fits_leaves_no_distance():
    torch.manual_seed(0)
    pooled = torch.randn(5, 6)
    matching = FeatureMatching(6, [6, 9])
    with torch.no_grad():
        matching.maps[0].weight.copy_(torch.eye(6))
        matching.maps[0].bias.zero_()
    normal = torch.nn.functional.layer_norm(pooled, (6,))
    # A teacher's own scale does not count.
    answer = Answer(0, torch.empty(5, 8), 7.0 * normal)
    assert matching(normal, answer).tolist() == pytest.approx([0.0] * 5, abs=1e-4)
    assert (matching(pooled + 1.0, answer) > 0.1).all()


def distil(data, runs, out, *more):
    command = train(data, runs / "cache", out, "--split", "speaker", "--fold", "0", *more)
    command[0] = "distill"
    return [*command, "--teachers", str(runs / "f0")]


def unexplained(pooled, wanted):
    """Share of the teacher's vectors that no linear map of the student's gives."""
    x = torch.cat([pooled, torch.ones(len(pooled), 1)], dim=1)
    wanted = torch.nn.functional.layer_norm(wanted, wanted.shape[1:])
    found = x @ torch.linalg.lstsq(x, wanted).solution
    return float((found - wanted).square().mean() / wanted.var(dim=0, unbiased=False).mean())


def test_a_teacher_that_heard_other_recordings_is_said_to_have(runs):
    split = read_split(runs / "f0" / "split.json")
    other = dataclasses.replace(split, test=split.test[1:], train=(*split.train, split.test[0]))
    with pytest.raises(TrainingError, match=f"other clips than this training's {split.id}"):
        Teachers([runs / "f0"], other, SPEC, LABELS)
