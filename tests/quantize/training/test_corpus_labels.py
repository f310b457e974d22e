"""Losses among the labels that a crop's corpus has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from quantize.training.corpus_labels import label_loss, labels_of_corpora, within
from quantize.training.objective import Objective
from quantize.training.settings import TrainSettings

#: Corpus 0 has all three labels, corpus 1 lacks the last.
TOLD = np.array([[True, True, True], [True, True, False]])


def test_a_corpus_has_the_labels_of_its_clips() -> None:
    domains, labels = np.nonzero(TOLD)
    np.testing.assert_array_equal(labels_of_corpora(domains, labels, 2, 3), TOLD)


def test_all_labels_told_is_the_ordinary_loss() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    wanted = torch.nn.functional.cross_entropy(
        logits, labels, label_smoothing=0.1, reduction="none"
    )
    found = label_loss(logits, labels, 0.1, torch.ones(5, 3, dtype=torch.bool))
    torch.testing.assert_close(found, wanted)


def test_a_label_that_the_corpus_lacks_is_neither_right_nor_wrong() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    told = torch.from_numpy(TOLD[[0, 1, 1, 1]])
    label_loss(logits, torch.tensor([0, 0, 1, 1]), 0.05, told).sum().backward()
    assert logits.grad is not None
    assert logits.grad[1:, 2].tolist() == [0.0, 0.0, 0.0]
    assert abs(float(logits.grad[0, 2])) > 0


def test_a_teachers_answer_is_shared_among_the_others() -> None:
    posterior = torch.tensor([[0.2, 0.2, 0.6], [0.2, 0.2, 0.6], [0.0, 0.0, 1.0]])
    told = torch.from_numpy(TOLD[[0, 1, 1]])
    found = within(posterior, told, posterior=True)
    wanted = [[0.2, 0.2, 0.6], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    assert found.tolist() == [pytest.approx(row) for row in wanted]


class _Says(torch.nn.Module):
    """A model of one weight a label."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(3))

    def forward(self, rows: torch.Tensor, *_: object, **__: object) -> object:
        class Output:
            logits = self.logits.expand(len(rows), 3)
            pooled = None

        return Output


@pytest.mark.parametrize("mixup", [0.0, 0.3])
@pytest.mark.parametrize("keeps", [False, True])
def test_the_objective_keeps_to_them(keeps: bool, mixup: float) -> None:
    """Trained on the corpus without it alone, a model does not unlearn the third label."""
    settings = TrainSettings(mixup=mixup)
    zero = np.zeros(3, np.float32)
    objective = Objective(settings, zero, zero + 1, 0, None, TOLD if keeps else None)
    model = _Says()
    ones = torch.ones(6, dtype=torch.int64)
    loss, _ = objective(
        model, torch.zeros(6, 4, 3), ones, ones * 0, torch.ones(6), None, None, ones
    )
    loss.backward()
    assert model.logits.grad is not None
    assert (float(model.logits.grad[2]) == 0.0) == keeps
