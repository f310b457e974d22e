"""The emotion loss of trainings side by side: labels, and a large model's soft labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.levers.levers import LESSONS
from benchmarks.levers.packed import Packed
from benchmarks.levers.settings import LeverSettings
from quantize.training.corpus_labels import label_loss, labels_of_corpora, within

__all__ = ["Objective"]


class Objective:
    """Losses of crops, one training a row.

    Parameters
    ----------
    packed : Packed
    settings : sequence of LeverSettings
    device : str
    """

    def __init__(self, packed: Packed, settings: Sequence[LeverSettings], device: str) -> None:
        n_labels = len(packed.names.labels)
        self.labels = torch.as_tensor(packed.label, device=device)
        soft = np.zeros((len(settings), packed.n_clips, n_labels), np.float16)
        for number, one in enumerate(settings):
            fold = packed.folds[one.fold]
            soft[number, fold.train] = fold.logits
        self._soft = torch.as_tensor(soft, device=device)
        told = labels_of_corpora(packed.corpus, packed.label, len(packed.names.corpora), n_labels)
        self._told = torch.as_tensor(told, device=device)
        lessons = [corpus in LESSONS for corpus in packed.names.corpora]
        self._is_lesson = torch.tensor(lessons, device=device)

        def column(values: Sequence[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float32, device=device)[:, None]

        training = [one.training for one in settings]
        self._smoothing = training[0].label_smoothing
        self._temperature = column([t.distil_temperature for t in training])
        self._share = column([t.distil_share for t in training])
        self._any_label = column([float(not t.corpus_labels) for t in training]) > 0
        self._unlabelled = column([float(one.unlabelled_lessons) for one in settings]) > 0

    def __call__(self, logits: Tensor, clips: Tensor, domains: Tensor) -> Tensor:
        """Loss of every training.

        Parameters
        ----------
        logits : float32 [shape=(M, B, n_labels)]
        clips, domains : int64 [shape=(M, B)]
            Which clip each crop is of, and its corpus.

        Returns
        -------
        float32 [shape=(M,)]
        """
        return self.of_crops(logits, clips, domains).mean(1)

    def of_crops(self, logits: Tensor, clips: Tensor, domains: Tensor) -> Tensor:
        """Loss of every crop: (M, B)."""
        shape, n_labels = clips.shape, logits.shape[2]
        told = (self._told[domains] | self._any_label.unsqueeze(2)).flatten(0, 1)
        flat, labels = logits.flatten(0, 1), self.labels[clips].flatten()
        hard = label_loss(flat, labels, self._smoothing, told).view(shape)
        temperature = self._temperature.expand(shape).reshape(-1, 1)
        at = clips.unsqueeze(2).expand(*shape, n_labels)
        soft = (self._soft.gather(1, at).float().flatten(0, 1) / temperature).softmax(1)
        soft = within(soft, told, posterior=True)
        student = (within(flat, told) / temperature).log_softmax(1)
        apart = (soft * (soft.clamp(min=1e-12).log() - student)).sum(1)
        taught = (apart * temperature[:, 0] ** 2).view(shape)
        # Nobody says what a lesson's label is where only the large model is asked.
        unlabelled = self._unlabelled & self._is_lesson[domains]
        share = torch.where(unlabelled, 1.0, self._share)
        return hard * (1 - share) + share * taught
