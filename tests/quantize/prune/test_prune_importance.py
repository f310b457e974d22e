"""Importance: both ways find units that were planted dead, or that alone matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from export_fakes import SIZES, random_model

from edge.errors import ParameterError
from quantize.models.claf_ser import CLAFSER
from quantize.prune.importance import Importance, kept_units, magnitude, taylor
from quantize.training.crops import Batch


def batches(n: int = 3, seed: int = 0) -> list[Batch]:
    rng = np.random.default_rng(seed)
    return [
        Batch(
            rng.standard_normal((8, 15, 34)).astype(np.float32),
            np.ones(8, np.float32),
            rng.integers(0, 8, 8),
            rng.integers(0, 4, 8),
            rng.integers(0, 5, 8),
        )
        for _ in range(n)
    ]


def scored(kind: str, model: CLAFSER) -> Importance:
    return magnitude(model) if kind == "magnitude" else taylor(model, batches())


@pytest.mark.parametrize("kind", ["magnitude", "taylor"])
def test_units_that_nothing_reads_score_nothing(kind):
    model = random_model(SIZES["small"])
    hidden = model.config.hidden
    with torch.no_grad():
        for direction, suffix in enumerate(("", "_reverse")):
            unit = 3 + direction
            model.attention.in_proj_weight[:, direction * hidden + unit] = 0.0
            getattr(model.lstm, f"weight_hh_l0{suffix}")[:, unit] = 0.0
        model.attention.out_proj.weight[:, hidden:] = 0.0
        model.fc1.weight[:, 2 * hidden + 5] = 0.0
        model.fc2.weight[:, 7] = 0.0
    scores = scored(kind, model)
    dead = [
        (scores.lstm[0], 3),
        (scores.lstm[1], 4),
        (scores.heads, 1),
        (scores.conv, 5),
        (scores.classifier, 7),
    ]
    for group, place in dead:
        assert group[place] == 0.0
        # Of the classifier's units some are silent behind their ReLU for every clip.
        n_alive = int((group > 0).sum())
        assert n_alive > 0.7 * len(group) - 1
        assert place not in kept_units(group, n_alive)


def test_taylor_sees_what_magnitude_cannot():
    # Large weights around a unit that is never awake: its ReLU is shut.
    model = random_model(SIZES["small"])
    with torch.no_grad():
        model.fc2.weight[:, 4] *= 10.0
        model.norm.weight[4] = 0.1
        model.norm.bias[4] = -10.0
        model.fc1.weight[4] *= 50.0
    scores = taylor(model, batches())
    assert scores.classifier[4] == 0.0
    assert magnitude(model).classifier[4] > magnitude(model).classifier.median()


def test_taylor_is_the_slope_of_the_loss_along_a_silenced_unit():
    model = random_model(SIZES["small"])
    (batch,) = batches(1)
    x, labels, languages = map(torch.from_numpy, (batch.rows, batch.labels, batch.languages))
    hidden, step = model.config.hidden, 1e-3

    def loss(scale: float) -> float:
        with torch.no_grad():
            column = model.attention.in_proj_weight[:, hidden + 2]
            recurrent = model.lstm.weight_hh_l0_reverse[:, 2]
            kept = column.clone(), recurrent.clone()
            column *= scale
            recurrent *= scale
            value = torch.nn.functional.cross_entropy(model(x, languages).logits, labels)
            column.copy_(kept[0])
            recurrent.copy_(kept[1])
        return float(value)

    model = model.double()
    x = x.double()
    slope = (loss(1 + step) - loss(1 - step)) / (2 * step)
    model = model.float()
    assert float(taylor(model, [batch]).lstm[1, 2]) == pytest.approx(abs(slope), rel=1e-3)


def test_scoring_leaves_the_model_alone_and_is_the_same_twice():
    model = random_model(SIZES["small"])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first, second = taylor(model, batches()), taylor(model, batches())
    assert torch.equal(first.lstm, second.lstm)
    assert all(p.grad is None for p in model.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_no_batches_are_one_sentence():
    with pytest.raises(ParameterError, match="there is no batch"):
        taylor(random_model(SIZES["small"]), [])
