"""Packing, plans, losses and trainings side by side, on a toy corpus."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_levers import LABELS, SPEC, toy_clips, toy_packed, toy_rows

from benchmarks.levers.__main__ import main
from benchmarks.levers.answers import read_answers
from benchmarks.levers.crops import Picks, RowStore
from benchmarks.levers.levers import LEVERS, REFERENCES
from benchmarks.levers.objective import Objective
from benchmarks.levers.packed import Packed, read_packed, write_packed
from benchmarks.levers.plan import crop_lengths, plan_of, train_clips
from benchmarks.levers.settings import settings_of, trainings
from benchmarks.levers.side_by_side import SideBySide
from edge.errors import ParameterError
from edge.features.voice_reference import VoiceColumns
from quantize.training.corpus_labels import label_loss


@pytest.fixture(scope="module")
def packed() -> Packed:
    return toy_packed()


def test_rows_come_back_within_half_a_step(packed: Packed) -> None:
    clips, rows = toy_clips(), toy_rows(toy_clips())[0]
    store = RowStore(packed, SPEC, "cpu")
    first, n_rows = int(packed.whole_starts[0]), int(packed.whole_lengths[0])
    found = store.at(torch.arange(first, first + n_rows)).numpy()
    wanted = rows[clips[0].clip_id]
    assert found.shape == wanted.shape
    step = (packed.high - packed.low) / 127
    coarse = wanted[:, packed.coarse].clip(packed.low, packed.high)
    assert (np.abs(found[:, packed.coarse] - coarse) <= 0.75 * step).all()
    names = SPEC.feature_names
    for name, most in (("rms", 1.3), ("pitch_hz", 1000.0)):
        apart = np.abs(found[:, names.index(name)] - wanted[:, names.index(name)])
        assert apart.max() <= most / 2047


def test_lessons_are_packed_but_never_judged(packed: Packed) -> None:
    lessons = packed.corpus == packed.names.corpora.index("emovo")
    assert (packed.whole_lengths[~lessons] > 0).all()
    assert (packed.whole_lengths[lessons] == 0).all()
    assert (packed.lengths > 0).all()


def test_packed_clips_come_back_as_they_were_written(packed: Packed, tmp_path: Path) -> None:
    path = tmp_path / "packed.npz"
    write_packed(path, packed)
    found = read_packed(path)
    assert found.names == packed.names
    np.testing.assert_array_equal(found.rows[8], packed.rows[8])
    np.testing.assert_array_equal(found.folds[0].logits, packed.folds[0].logits)
    path.write_bytes(b"none")
    with pytest.raises(ParameterError, match="holds no packed clips"):
        read_packed(path)


def test_rows_are_moved_as_a_device_moves_them(packed: Packed) -> None:
    rows = toy_rows(toy_clips())[0][toy_clips()[0].clip_id]
    change = np.random.default_rng(0).standard_normal(34).astype(np.float32)
    wanted = rows.copy()
    VoiceColumns(SPEC).move(wanted, change)
    moved = RowStore(packed, SPEC, "cpu").moved(torch.from_numpy(rows), torch.from_numpy(change))
    np.testing.assert_allclose(moved.numpy(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LEVERS)
def test_every_lever_changes_what_a_training_has(name: str) -> None:
    assert settings_of(name, 0).name == name


def test_a_lever_that_is_none_is_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"there is no lever 'rope', one of base, .* is wanted"
    ):
        trainings(["rope"])


def test_a_plan_keeps_to_the_clips_and_variants_of_a_lever(packed: Packed) -> None:
    names = ["base", "no-lessons", "2-variants", "voice-8-clean-6"]
    settings = [settings_of(name, 0) for name in names]
    train = [train_clips(packed, one) for one in settings]
    plan = plan_of(packed, settings, train, crop_lengths(settings[0], SPEC), 9, 0)
    assert plan.clips.shape == (9, 4, 32)
    test = packed.folds[0].test
    assert not np.isin(plan.clips, test).any()
    lesson = packed.names.corpora.index("emovo")
    has_lessons = [(packed.corpus[plan.clips[:, m]] == lesson).any() for m in range(4)]
    assert has_lessons == [True, False, True, True]
    drawn = [set(np.unique(plan.variants[:, m]).tolist()) for m in range(4)]
    assert drawn == [{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2}, set(range(9))]
    # No crop is longer than the speech that it is cut from.
    speech = packed.lengths[plan.variants, plan.clips].min(axis=2)
    assert (plan.n_frames <= speech).all()


def test_losses_keep_to_a_corpus_labels_where_a_lever_says_so(packed: Packed) -> None:
    settings = [settings_of(name, 0) for name in ("base", "corpus-labels")]
    objective = Objective(packed, settings, "cpu")
    clip = int(packed.folds[0].train[-1])
    clips = torch.full((2, 1), clip)
    domains = torch.as_tensor(packed.corpus)[clips]
    logits = torch.randn(2, 1, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(objective(logits, clips, domains).sum(), logits)
    lacking = [i for i, name in enumerate(packed.names.labels) if name not in LABELS[:2]]
    assert (gradient[0, 0, lacking] != 0).all()
    assert (gradient[1, 0, lacking] == 0).all()


def test_shares_of_the_large_model_are_those_of_a_lever(packed: Packed) -> None:
    settings = [settings_of(n, 0) for n in ("labels-alone", "unlabelled-lessons", "corpus-labels")]
    settings[2] = dataclasses.replace(
        settings[2], training=settings[2].training.replaced(distil_share=0.0)
    )
    objective = Objective(packed, settings, "cpu")
    lesson = int(np.flatnonzero(packed.corpus == packed.names.corpora.index("emovo"))[0])
    clips = torch.full((3, 1), lesson)
    domains, logits = torch.as_tensor(packed.corpus)[clips], torch.randn(3, 1, 8)
    before = objective.of_crops(logits, clips, domains)
    everything = torch.ones(1, 8, dtype=torch.bool)
    labels = objective.labels[clips[0]]
    wanted = label_loss(logits[0], labels, settings[0].training.label_smoothing, everything)
    torch.testing.assert_close(before[0], wanted)
    # Another label changes nothing where nobody hears of it.
    objective.labels[lesson] = (objective.labels[lesson] + 2) % 8
    after = objective.of_crops(logits, clips, domains)
    assert after[1] == before[1]
    assert after[0] != before[0]


def test_steps_lower_the_loss_of_every_training(packed: Packed) -> None:
    torch.manual_seed(0)
    settings = [
        dataclasses.replace(one, batches=one.batches.replaced(max_crop_s=1.1))
        for one in (settings_of(name, 0) for name in ("base", "corpus-labels"))
    ]
    told: list[tuple[str, torch.Tensor]] = []
    trained = SideBySide(packed, settings, 6, "cpu")
    first = trained.weights.detach().clone()
    trained.run(lambda line: told.append((line, trained.loss.clone())))
    assert [line.split(",")[0] for line, _ in told] == [f"epoch {n}" for n in (1, 2, 5, 6)]
    assert (told[-1][1] < 0.8 * told[0][1]).all()
    # What is judged is the average of what was on the way.
    assert (trained.average - first).norm() < (trained.weights - first).norm()


def test_crops_are_the_rows_where_nothing_is_varied(packed: Packed) -> None:
    one = settings_of("base", 0)
    plain = {
        name: 0.0
        for name in (
            "exchange_share",
            "group_mask_share",
            "level_db",
            "noise",
            "reference_share",
            "unknown_share",
        )
    }
    one = dataclasses.replace(one, batches=one.batches.replaced(**plain, n_time_masks=0))
    trained = SideBySide(packed, [one], 1, "cpu")
    clip = int(packed.folds[0].train[0])
    n_frames = int(packed.lengths[0, clip])
    picks = Picks(
        torch.full((1, 2), clip), torch.zeros(1, 2, dtype=torch.int64), torch.full((1, 1), n_frames)
    )
    rows, languages, domains = trained.crops.drawn(picks, n_frames + 2)
    start = int(packed.starts[0, clip])
    raw = trained.store.at(torch.arange(start, start + n_frames)).numpy()
    fold = packed.folds[0]
    wanted = (raw - fold.mean) / fold.std
    np.testing.assert_allclose(rows[0, 0, :n_frames, :-1].numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(rows[0, 0, n_frames:, :-1].numpy(), wanted[[-1, -1]], atol=1e-5)
    assert (rows[..., -1] == 0).all()
    assert torch.equal(languages, domains)


def test_what_cannot_be_written_or_is_not_there_is_said_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    packed, out = str(tmp_path / "packed.npz"), tmp_path / "answers.npz"
    (tmp_path / "file").write_bytes(b"")
    for arguments, said in (
        (["--out", str(tmp_path / "file" / "a.npz")], "cannot be made a folder"),
        (["--out", str(out), "--device", "cuda"], "torch finds no GPU here"),
        (["--out", str(out), "--epochs", "0"], "--epochs is 0"),
        (["--out", str(out)], "holds no packed clips"),
    ):
        assert main(["train", packed, *arguments]) == 2
        assert said in capsys.readouterr().err


def test_trainings_on_the_command_line_end_in_answers(
    packed: Packed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "packed.npz", tmp_path / "answers.npz"
    write_packed(path, dataclasses.replace(packed, folds={f: packed.folds[0] for f in (0, 1)}))
    train = ["train", str(path), "--epochs", "1", "--device", "cpu", "--out", str(out)]
    assert main([*train, "--levers", "base", "--folds", "0", "1"]) == 0
    assert "2 trainings" in capsys.readouterr().err
    run = read_answers(out)
    assert [fold.number for fold in run.folds] == [0, 1]
    for name in REFERENCES:
        np.testing.assert_allclose(run.folds[0].posteriors[name].sum(axis=2), 1.0, atol=2e-3)
    heard = run.folds[0].posteriors
    assert not np.array_equal(heard["none"], heard["16 random"])
    assert main([*train, "--levers", "paper"]) == 2
    assert "not packed" in capsys.readouterr().err
    assert main(["table", str(out)]) == 0
    assert "EMO-DB" in capsys.readouterr().out
