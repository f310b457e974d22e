"""The baseline's network, its training and its run folder beside CLAF-SER's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from edge.errors import ParameterError
from quantize.commands.main import main
from quantize.data.corpora import DOMAINS, LABELS, load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.data.features.simple_rnn import BASELINE_SPEC
from quantize.data.splits import paper_split
from quantize.models.config import SimpleRnnConfig
from quantize.models.simple_rnn import SimpleRnn, statistics
from quantize.runs.checkpoint import load_checkpoint
from quantize.training.crops import Example
from quantize.training.simple_rnn import (
    BaselineTrainer,
    PlainSampler,
    batch_settings,
    train_settings,
)

SMALL = {"first": 32, "second": 24, "dense": 16, "dropout": 0.0}


@pytest.fixture(scope="module")
def root(synthetic_root):
    return synthetic_root


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(root, cache_folder):
    clips, _ = load_corpora(root)
    split = paper_split(clips, seed=0)
    by_id = {c.clip_id: c for c in clips}
    rows = FeatureCache(cache_folder, BASELINE_SPEC).load(clips)
    return [by_id[i] for i in split.train], [by_id[i] for i in split.test], [rows]


def trainer(data, folder, steps="one", **changes) -> BaselineTrainer:
    train, held_out, variants = data
    return BaselineTrainer(
        folder,
        train,
        held_out,
        variants,
        spec=BASELINE_SPEC,
        config=SimpleRnnConfig(steps=steps, **SMALL),
        settings=train_settings(**{"epochs": 4, "monitor_every": 2, **changes}),
        batches=batch_settings(16),
        about={"split": "paper-s0"},
        labels=LABELS,
        domains=DOMAINS,
    )


class TestNetwork:
    def test_sizes_are_those_of_figure_1(self):
        shapes = {n: tuple(p.shape) for n, p in SimpleRnn().named_parameters() if p.ndim == 2}
        assert shapes == {
            "rnn1.weight_ih_l0": (256, 204),
            "rnn1.weight_hh_l0": (256, 256),
            "rnn2.weight_ih_l0": (128, 256),
            "rnn2.weight_hh_l0": (128, 128),
            "fc1.weight": (64, 128),
            "fc2.weight": (8, 64),
        }

    def test_a_state_is_equation_10(self):
        torch.manual_seed(0)
        model = SimpleRnn(SimpleRnnConfig(steps="frames", **SMALL)).eval()
        x = torch.randn(2, 7, 51)

        def states(rnn, inputs):
            state = torch.zeros(len(inputs), rnn.hidden_size)
            seen = []
            for t in range(inputs.shape[1]):
                state = torch.tanh(
                    state @ rnn.weight_hh_l0.T + inputs[:, t] @ rnn.weight_ih_l0.T + rnn.bias_ih_l0
                )
                seen.append(state)
            return torch.stack(seen, dim=1)

        last = states(model.rnn2, states(model.rnn1, x))[:, -1]
        expected = model.fc2(torch.relu(model.fc1(last)))
        torch.testing.assert_close(model(x).logits, expected)

    def test_one_step_does_not_see_the_order_of_frames_and_a_sequence_does(self):
        x = torch.randn(3, 9, 51)
        for steps, same in (("one", True), ("frames", False)):
            model = SimpleRnn(SimpleRnnConfig(steps=steps)).eval()
            assert torch.allclose(model(x).logits, model(x.flip(1)).logits, atol=1e-5) is same

    def test_the_level_beside_the_inputs_is_not_seen(self):
        model, x = SimpleRnn().eval(), torch.randn(2, 9, 52)
        louder = x.clone()
        louder[:, :, 51] += 3.0
        assert torch.equal(model(x).logits, model(louder).logits)

    def test_statistics(self):
        x = torch.randn(2, 11, 3)
        expected = np.concatenate(
            [f(x.numpy(), axis=1) for f in (np.mean, np.std, np.min, np.max)], 1
        )
        assert statistics(x).numpy() == pytest.approx(expected, abs=1e-6)
        assert not statistics(x[:, :1])[:, 3:6].any()

    def test_a_second_bias_is_never_learned(self):
        model = SimpleRnn()
        model(torch.randn(2, 5, 51)).logits.sum().backward()
        for rnn in (model.rnn1, model.rnn2):
            assert rnn.bias_hh_l0.grad is None
            assert not rnn.bias_hh_l0.any()

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"first": 0}, "first is 0"),
            ({"dropout": 1.0}, r"dropout is 1\.0"),
            ({"steps": "words"}, "steps is 'words'"),
        ],
    )
    def test_impossible_settings_are_refused(self, settings, message):
        with pytest.raises(ParameterError, match=message):
            SimpleRnnConfig(**settings)

    def test_config_round_trip(self):
        config = SimpleRnnConfig(steps="frames")
        assert SimpleRnnConfig.from_dict(config.to_dict()) == config
        with pytest.raises(ParameterError, match="unknown keys"):
            SimpleRnnConfig.from_dict({"hidden": 3})


def test_crops_are_rows_normalised_and_nothing_else():
    rng = np.random.default_rng(0)
    spec = BASELINE_SPEC
    examples = [Example(f"savee/{i}", "savee", "savee/a", i % 8, 1) for i in range(20)]
    rows = {e.clip_id: rng.random((60, 52)).astype("f2") + 0.5 for e in examples}
    mean, std = np.full(52, 0.7, "f4"), np.full(52, 2.0, "f4")
    draw = PlainSampler(examples, [rows], mean, std, spec, 4, batch_settings(8))
    wanted = {e.clip_id: (rows[e.clip_id].astype("f4") - mean) / std for e in examples}
    n_seen = 0
    for batch in draw.epoch(rng):
        n_frames = batch.rows.shape[1]
        for crop in batch.rows:
            assert any(
                np.allclose(crop, clip[s : s + n_frames])
                for clip in wanted.values()
                for s in range(61 - n_frames)
            )
            n_seen += 1
    assert n_seen == 20


@pytest.mark.parametrize("steps", ["one", "frames"])
def test_training_beats_chance_by_far(data, tmp_path, steps):
    run = trainer(data, tmp_path, steps, epochs=12, learning_rate=3e-3, average_decay=0.9)
    run.run()
    assert run.history[-1]["test_accuracy"] > 0.5
    assert run.history[-1]["train_loss"] < run.history[0]["train_loss"]
    assert run.history[-1]["domain_loss"] == 0.0


def test_a_killed_run_goes_on_to_the_same_weights(data, tmp_path):
    whole = trainer(data, tmp_path / "whole").run()
    killed = trainer(data, tmp_path / "killed")
    for _ in range(2):
        killed._one_epoch()
    killed._save_state()
    result = trainer(data, tmp_path / "killed").run()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, result.model.state_dict()[name]), name


@pytest.fixture(scope="module")
def run_folder(root, cache_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "baseline"
    command = ["baseline", "--data", str(root), "--cache", str(cache_folder), "--out", str(folder)]
    more = ["--split", "speaker", "--fold", "1", "--epochs", "2", "--workers", "1"]
    assert main([*command, *more]) == 0
    return folder


def test_a_run_folder_is_one_of_train(run_folder):
    names = {p.name for p in run_folder.iterdir()}
    assert names == {
        "checkpoint.safetensors",
        "class-accuracy-torch-unknown.png",
        "config.json",
        "confusion-torch-unknown.png",
        "corpora.json",
        "curves.png",
        "evaluation-torch-unknown.json",
        "history.json",
        "log.csv",
        "split.json",
    }
    figures = json.loads((run_folder / "evaluation-torch-unknown.json").read_text())
    history = json.loads((run_folder / "history.json").read_text())
    assert figures["split"] == "speaker-5fold-s0-f1"
    assert figures["accuracy"] == history[-1]["test_accuracy"]
    assert {"uar", "by_corpus", "confusion"} <= set(figures)
    saved = load_checkpoint(run_folder / "checkpoint.safetensors")
    assert saved.spec == BASELINE_SPEC
    assert saved.model.config.steps == "one"


def test_evaluate_puts_it_beside_claf_ser(root, cache_folder, run_folder, tmp_path, capsys):
    common = ["--data", str(root), "--cache", str(cache_folder), "--workers", "1"]
    other = tmp_path / "claf"
    more = ["--split", "speaker", "--fold", "1", "--epochs", "1", "--variants", "0"]
    assert main(["train", *common, "--out", str(other), "--hidden", "8", *more]) == 0
    before = json.loads((run_folder / "evaluation-torch-unknown.json").read_text())
    capsys.readouterr()
    assert main(["evaluate", *common, str(run_folder), str(other)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table[:3]] == ["run", "baseline", "claf"]
    assert json.loads((run_folder / "evaluation-torch-unknown.json").read_text()) == before


def test_it_is_not_exported(run_folder, tmp_path, capsys):
    assert main(["export", str(run_folder), "--out", str(tmp_path / "a")]) == 2
    assert "runs on no device" in capsys.readouterr().err


def test_another_training_in_the_folder_is_refused(run_folder, root, cache_folder, capsys):
    command = ["baseline", "--data", str(root), "--cache", str(cache_folder)]
    assert main([*command, "--out", str(run_folder)]) == 2
    assert "already holds a trained checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option", "role"),
    [("distill", "--teachers", "teacher"), ("train", "--teachers", "teacher"),
     ("train", "--start", "start")],
)  # fmt: skip
def test_it_is_no_teacher_and_no_start(
    command, option, role, run_folder, root, cache_folder, tmp_path, capsys
):
    out = tmp_path / "student"
    words = [command, "--data", str(root), "--cache", str(cache_folder), "--out", str(out)]
    assert main([*words, option, str(run_folder)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"{run_folder} holds the baseline, a SimpleRnn: a CLAF-SER is wanted" in error
    assert not (out / "checkpoint.safetensors").exists()
