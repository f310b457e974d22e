"""The loop itself, on drawn rows: what is averaged, learned and drawn, and what goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from split_fakes import make_clips
from torch import nn

from edge.features.spec import FeatureSpec
from quantize.data.corpora import DOMAINS, LABELS
from quantize.models.claf_ser import ClafSerConfig
from quantize.training.batch_settings import BatchSettings
from quantize.training.objective import Objective
from quantize.training.settings import TrainSettings
from quantize.training.trainer import Trainer

SPEC = FeatureSpec()


def build(folder: Path, **changes) -> Trainer:
    """A training of clips that nobody recorded, a second of drawn rows each."""
    clips = make_clips(["ravdess/01", "savee/DC"])
    rng = np.random.default_rng(0)
    rows = {c.clip_id: rng.random((40, 34), dtype=np.float32) + 0.5 for c in clips}
    return Trainer(
        folder,
        clips,
        [],
        [rows],
        spec=SPEC,
        config=ClafSerConfig(hidden=8, n_heads=2, classifier=8, dropout=0.0),
        settings=TrainSettings(**{"epochs": 3, "learning_rate": 1e-2, **changes}),
        batches=BatchSettings(batch_size=8),
        about={},
        labels=LABELS,
        domains=DOMAINS,
    )


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.named_parameters()}


def test_what_is_kept_is_the_average_of_the_steps(tmp_path):
    run = build(tmp_path, average_decay=0.6)
    kept, n_steps = weights(run.averaged), 0
    step = run._train_step

    def watched(*arguments):
        nonlocal n_steps
        result = step(*arguments)
        n_steps += 1
        share = min(0.6, n_steps / (n_steps + 10))
        for name, new in run.model.named_parameters():
            kept[name] = share * kept[name] + (1 - share) * new.detach()
        return result

    run._train_step = watched  # type: ignore[method-assign]
    averaged = weights(run.run().model)
    assert n_steps > 10
    for name, tensor in averaged.items():
        torch.testing.assert_close(tensor, kept[name], msg=name)


def test_the_domain_loss_reaches_its_whole_weight_and_is_learned_from(tmp_path):
    run = build(tmp_path / "with", max_alpha=0.5)
    before = weights(run.model)["domain.0.weight"]
    run.run()
    assert [entry["alpha"] for entry in run.history] == [0.0, 0.25, 0.5]
    after = weights(run.model)["domain.0.weight"]
    # Weight decay alone would move each weight by less than a thousandth of itself a step.
    assert float((after - before).abs().max()) > 0.02
    without = build(tmp_path / "without", max_alpha=0.0)
    without.run()
    lstm = "lstm.weight_ih_l0"
    assert not torch.equal(weights(run.model)[lstm], weights(without.model)[lstm])


def test_a_corpus_is_told_apart_by_its_own_labels_where_that_is_set(tmp_path):
    """SAVEE has no "calm": no loss of one of its crops reaches the answer "calm"."""
    touched = {}
    for keeps in (False, True):
        run = build(tmp_path / str(keeps), corpus_labels=keeps)
        savee = next(batch for batch in run.sampler.epoch(np.random.default_rng(0)))
        of_savee = np.flatnonzero(savee.domains == DOMAINS.index("savee"))
        rows, labels, domains, languages = (
            torch.from_numpy(each[of_savee])
            for each in (savee.rows, savee.labels, savee.domains, savee.languages)
        )
        ones = torch.ones(len(of_savee))
        loss, _ = run.objective(run.model, rows, languages, labels, ones, domains=domains)
        loss.backward()
        assert run.model.fc2.weight.grad is not None
        touched[keeps] = bool(run.model.fc2.weight.grad[LABELS.index("calm")].any())
        run.model.zero_grad()
        run.run()
    assert touched == {False: True, True: False}


def drawn(folder: Path, seed: int) -> list[tuple[str, ...]]:
    run = build(folder, seed=seed, epochs=2)
    heard = []
    forward = run.objective.forward

    def listen(model, rows, languages, labels, shares, crops=None, place=None, domains=None):
        heard.append(tuple(crops.clip_ids))
        return forward(model, rows, languages, labels, shares, crops, place, domains)

    run.objective.forward = listen  # type: ignore[method-assign]
    run.run()
    return heard


def test_a_seed_draws_its_own_batches_and_every_epoch_others(tmp_path):
    first = drawn(tmp_path / "a", 0)
    assert drawn(tmp_path / "b", 0) == first
    assert drawn(tmp_path / "c", 1) != first
    half = len(first) // 2
    assert first[:half] != first[half:]


def test_a_resumed_training_steps_on_as_if_nothing_had_been(tmp_path):
    whole = build(tmp_path / "whole")
    whole.run()
    killed = build(tmp_path / "killed")
    killed._one_epoch()
    killed._save_state()
    resumed = build(tmp_path / "killed")
    resumed.run()
    assert [entry["epoch"] for entry in resumed.history] == [1, 2, 3]
    for name, tensor in weights(whole.averaged).items():
        assert torch.equal(tensor, weights(resumed.averaged)[name]), name


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mixed_clip_is_taught_both_labels_by_their_shares(seed):
    settings = TrainSettings(mixup=0.5, label_smoothing=0.0)
    objective = Objective(settings, np.zeros(3, "f4"), np.ones(3, "f4"), 0, None)
    rows = torch.arange(18, dtype=torch.float32).reshape(6, 1, 3).expand(6, 5, 3)
    labels, shares = torch.arange(6), torch.linspace(0.5, 2.0, 6)
    logits = torch.linspace(-2, 2, 48).reshape(6, 8).sin()

    def model(x, languages, alpha):
        return SimpleNamespace(logits=logits)

    torch.manual_seed(seed)
    mixed, share, partner = objective._mix(rows)
    assert float(share.min()) >= 0.5
    torch.testing.assert_close(
        mixed, share[:, None, None] * rows + (1 - share)[:, None, None] * rows[partner]
    )
    torch.manual_seed(seed)
    loss, _ = objective(model, rows, torch.zeros(6, dtype=torch.int64), labels, shares)
    own, other = (-logits.log_softmax(1)[range(6), each] for each in (labels, labels[partner]))
    wanted = (share * shares + (1 - share) * shares[partner]) * (share * own + (1 - share) * other)
    torch.testing.assert_close(loss, wanted.mean())
