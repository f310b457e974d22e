"""Training: learns, resumes to the same weights, refuses what it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.basics.errors import CheckpointError, TrainingError
from quantize.data.corpora import DOMAINS, LABELS, load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.data.splits import paper_split
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from quantize.runs.header import content_digest, read_header
from quantize.training.batch_settings import BatchSettings
from quantize.training.settings import TrainSettings
from quantize.training.teachers import Answer
from quantize.training.trainer import Trainer

SMALL = ClafSerConfig(hidden=16, n_heads=2, classifier=32, dropout=0.0)


@pytest.fixture(scope="module")
def sides(synthetic_root, runs):
    """Clips of a synthetic corpus, their rows and a split."""
    clips, _ = load_corpora(synthetic_root)
    # The rows that the session's runs were trained with.
    cache = FeatureCache(runs / "cache")
    variants = [cache.load(clips, v) for v in range(2)]
    split = paper_split(clips, seed=0)
    by_id = {c.clip_id: c for c in clips}
    return [by_id[i] for i in split.train], [by_id[i] for i in split.test], variants


class TwoTeachers:
    """Of fixed opinions; counts who was asked."""

    widths = (4, 4)

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 2

    def to(self, _device):
        return self

    def turn(self, number):
        return number % 2

    def answer(self, rows, _mean, _std, _temperature, _heard, member=None):
        member = int(torch.randint(2, ())) if member is None else member
        self.asked.append(member)
        posterior = torch.full((len(rows), 8), 0.01)
        posterior[:, member] = 0.93
        return Answer(member, posterior, torch.zeros(len(rows), 4))


def trainer(sides, folder: Path, teachers: TwoTeachers | None = None, **changes) -> Trainer:
    train, held_out, variants = sides
    settings = TrainSettings(**{"epochs": 4, "monitor_every": 2, **changes})
    return Trainer(
        folder,
        train,
        held_out,
        variants,
        spec=FeatureSpec(),
        config=SMALL,
        settings=settings,
        batches=BatchSettings(batch_size=16),
        about={"split": "paper-s0"},
        labels=LABELS,
        domains=DOMAINS,
        teachers=teachers,  # type: ignore[arg-type]
    )


def test_training_beats_chance_by_far(sides, tmp_path):
    run = trainer(sides, tmp_path, epochs=25, learning_rate=5e-3, average_decay=0.9)
    run.run()
    assert run.history[-1]["test_accuracy"] > 0.5
    assert run.history[-1]["train_loss"] < run.history[0]["train_loss"]
    assert [e["alpha"] for e in run.history][:2] == [0.0, pytest.approx(0.1 / 24)]
    assert json.loads((tmp_path / "history.json").read_text()) == run.history
    assert not (tmp_path / "training_state.pt").exists()


@pytest.mark.parametrize(("teacher", "repeat"), [(None, 0), (TwoTeachers, 0), (TwoTeachers, 3)])
def test_a_killed_run_goes_on_to_the_same_weights(sides, tmp_path, teacher, repeat):
    def begin(folder: str) -> Trainer:
        return trainer(sides, tmp_path / folder, teacher and teacher(), repeat_epochs=repeat)

    whole = begin("whole").run()
    killed = begin("killed")
    saved = killed._save_state

    def die_after_the_second_epoch() -> None:
        saved()
        if killed.epoch == 2:
            raise KeyboardInterrupt

    killed._save_state = die_after_the_second_epoch  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    resumed = begin("killed")
    result = resumed.run()
    assert [e["epoch"] for e in resumed.history] == [1, 2, 3, 4]
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, result.model.state_dict()[name]), name


@pytest.mark.parametrize("repeat", [0, 2])
def test_crops_that_come_again_are_asked_about_once(sides, tmp_path, repeat):
    teachers = TwoTeachers()
    run = trainer(sides, tmp_path, teachers, repeat_epochs=repeat, epochs=5)
    forward, heard = run.objective.forward, []

    def listen(model, rows, *rest):
        heard.append(rows.clone())
        return forward(model, rows, *rest)

    run.objective.forward = listen  # type: ignore[method-assign]
    run.run()
    n_batches = len(heard) // 5
    epochs = [heard[at * n_batches : (at + 1) * n_batches] for at in range(5)]

    def alike(one: int, other: int) -> bool:
        return all(torch.equal(a, b) for a, b in zip(epochs[one], epochs[other], strict=True))

    assert not alike(0, 1)
    assert alike(0, 2) == alike(1, 3) == alike(0, 4) == bool(repeat)
    assert len(teachers.asked) == (repeat or 5) * n_batches
    assert set(teachers.asked) == {0, 1}


def test_what_a_teacher_said_is_what_is_learned_again(sides, tmp_path):
    run = trainer(sides, tmp_path, TwoTeachers(), repeat_epochs=2, distil_share=1.0)
    rows, unknown = torch.zeros(4, 9, 34), torch.full((4,), 4)
    question = (rows, unknown, torch.zeros(4, dtype=torch.int64), torch.ones(4))
    run.model.eval()
    first, other, again = (
        float(run.objective(run.model, *question, None, place)[0].detach())
        for place in ((0, 0), (0, 1), (0, 0))
    )
    # Its two teachers say different things, and are asked in turns.
    assert first == again != other


def test_a_folder_with_other_settings_is_not_resumed(sides, tmp_path):
    first = trainer(sides, tmp_path)
    first._save_state()
    with pytest.raises(TrainingError, match="other settings"):
        trainer(sides, tmp_path, seed=1).run()


def test_a_damaged_state_is_one_sentence(sides, tmp_path):
    (tmp_path / "training_state.pt").write_bytes(b"half a file")
    with pytest.raises(TrainingError, match=r"cannot be read .* delete it"):
        trainer(sides, tmp_path).run()


def test_divergence_stops_the_run(sides, tmp_path):
    run = trainer(sides, tmp_path)
    with torch.no_grad():
        run.model.fc2.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="the loss is nan in epoch 1"):
        run.run()


def test_normalisation_is_that_of_the_training_side(sides, tmp_path):
    train, held_out, variants = sides
    before = trainer(sides, tmp_path).mean
    louder = {
        k: v + (5 if k in {c.clip_id for c in held_out} else 0) for k, v in variants[0].items()
    }
    after = trainer((train, held_out, [louder, variants[1]]), tmp_path).mean
    assert np.array_equal(before, after)


def test_mixing_keeps_the_stronger_clip_first(sides, tmp_path):
    run = trainer(sides, tmp_path, mixup=0.5)
    labels = torch.arange(64)
    x = labels.float().reshape(64, 1, 1).expand(64, 5, 3)
    torch.manual_seed(0)
    mixed, share, others = run.objective._mix(x)
    assert share.shape == (64,)
    assert float(share.min()) >= 0.5
    assert float(share.max()) <= 1.0
    assert 0.5 < float(share.mean()) < 0.95
    assert sorted(others.tolist()) == labels.tolist()
    assert others.tolist() != labels.tolist()
    expected = share * labels + (1 - share) * others
    torch.testing.assert_close(mixed, expected[:, None, None].expand(64, 5, 3))


def test_without_mixing_a_batch_is_left_alone(sides, tmp_path):
    run = trainer(sides, tmp_path)
    x = torch.randn(4, 5, 3)
    mixed, share, others = run.objective._mix(x)
    assert mixed is x
    assert others.tolist() == [0, 1, 2, 3]
    assert torch.equal(share, torch.ones(4))


def test_training_learns_from_mixed_clips(sides, tmp_path):
    run = trainer(sides, tmp_path, epochs=25, learning_rate=5e-3, average_decay=0.9, mixup=0.4)
    run.run()
    assert run.history[-1]["test_accuracy"] > 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"max_alpha": 2.0}, "max_alpha is 2.0"),
        ({"mixup": -0.1}, "mixup is -0.1"),
        ({"mixup": float("nan")}, "mixup is nan"),
        ({"repeat_epochs": -1}, "repeat_epochs is -1"),
        ({"repeat_epochs": 5, "mixup": 0.2}, r"repeat_epochs is 5 with mixup 0\.2"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        TrainSettings(**settings)


class TestCheckpoint:
    @pytest.fixture
    def checkpoint(self):
        torch.manual_seed(0)
        mean, std = np.arange(34, dtype="f4"), np.ones(34, "f4")
        about = {"split": "all"}
        return Checkpoint(CLAFSER(SMALL).eval(), mean, std, FeatureSpec(), about, LABELS, DOMAINS)

    def test_round_trip(self, checkpoint, tmp_path):
        save_checkpoint(tmp_path / "c.safetensors", checkpoint)
        again = load_checkpoint(tmp_path / "c.safetensors")
        assert again.model.config == SMALL
        assert again.training == {"split": "all"}
        assert again.spec == FeatureSpec()
        assert np.array_equal(again.mean, checkpoint.mean)
        x, language = torch.randn(1, 9, 34), torch.tensor([4])
        assert torch.equal(again.model(x, language).logits, checkpoint.model(x, language).logits)
        assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]

    def test_missing(self, tmp_path):
        with pytest.raises(CheckpointError, match="there is no checkpoint"):
            load_checkpoint(tmp_path / "none.safetensors")

    def test_truncated(self, checkpoint, tmp_path):
        path = tmp_path / "c.safetensors"
        save_checkpoint(path, checkpoint)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(CheckpointError, match="no whole safetensors"):
            load_checkpoint(path)

    def test_one_changed_bit(self, checkpoint, tmp_path):
        path = tmp_path / "c.safetensors"
        save_checkpoint(path, checkpoint)
        content = path.read_bytes()
        in_labels = content.index(b"surprised")
        for place, bit in ((len(content) - 100, 1), (in_labels, 2)):
            changed = bytearray(content)
            changed[place] ^= bit
            path.write_bytes(changed)
            with pytest.raises(CheckpointError, match="not as it was written, its SHA-256"):
                load_checkpoint(path)
        path.write_bytes(content)
        load_checkpoint(path)

    def test_one_of_before_there_was_a_digest(self, checkpoint, tmp_path):
        from safetensors.torch import load_file, save_file

        path = tmp_path / "c.safetensors"
        save_checkpoint(path, checkpoint)
        digest = content_digest(path)
        metadata = read_header(path).metadata
        del metadata["sha256"]
        save_file(load_file(path), path, metadata=metadata)
        assert load_checkpoint(path).labels == LABELS
        assert content_digest(path) == digest

    def test_nan_weights(self, checkpoint, tmp_path):
        with torch.no_grad():
            checkpoint.model.fc1.weight[0, 0] = float("nan")
        save_checkpoint(tmp_path / "c.safetensors", checkpoint)
        with pytest.raises(CheckpointError, match=r"NaN or infinite values in fc1\.weight"):
            load_checkpoint(tmp_path / "c.safetensors")

    def test_another_architecture(self, tmp_path):
        from safetensors.torch import save_file

        save_file({"w": torch.zeros(2)}, str(tmp_path / "c.safetensors"))
        with pytest.raises(CheckpointError, match="another architecture"):
            load_checkpoint(tmp_path / "c.safetensors")
