"""What a training minimises: labels, teachers, and the vector that they attend to.

Apart from the adversary's domain loss, which :mod:`quantize.training.trainer` adds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quantize.training.corpus_labels import label_loss, within
from quantize.training.settings import TrainSettings
from quantize.training.teacher_rows import Crops
from quantize.training.teachers import Answer, FeatureMatching, Heard, Teachers, distillation_loss

__all__ = ["Objective"]


class Objective(nn.Module):
    """The emotion loss of a batch.

    Parameters
    ----------
    settings : TrainSettings
    mean, std : float32 [shape=(n_features,)]
        Normalisation of the batches' rows.
    width : int
        Length of the model's attention-pooled vector.
    teachers : Teachers, optional
    told : bool [shape=(n_domains, n_labels)], optional
        Which labels each corpus has, where losses keep to them, see
        :mod:`quantize.training.corpus_labels`.

    Notes
    -----
    Its parameters, if it has any, are those of the feature matching: they are trained with the
    model and are not part of it.
    """

    def __init__(
        self,
        settings: TrainSettings,
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        width: int,
        teachers: Teachers | None,
        told: NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.teachers = settings, teachers
        self._mean, self._std = mean, std
        self._told = None if told is None else torch.from_numpy(told)
        self.matching: FeatureMatching | None = None
        if teachers is not None and settings.match_weight > 0:
            self.matching = FeatureMatching(width, teachers.widths)
        self._remembered: dict[tuple[int, int], Answer] = {}

    def forward(
        self,
        model: nn.Module,
        rows: Tensor,
        languages: Tensor,
        labels: Tensor,
        weights: Tensor,
        crops: Crops | None = None,
        place: tuple[int, int] | None = None,
        domains: Tensor | None = None,
    ) -> tuple[Tensor, Any]:
        """Run the model on a batch.

        Parameters
        ----------
        model : Module
        rows : float32 [shape=(B, T, n_features)]
            Normalised.
        languages, labels : int64 [shape=(B,)]
        weights : float32 [shape=(B,)]
            Of the examples.
        crops : Crops, optional
            Where the rows were cut; wanted by teachers of other features.
        place : tuple of two int, optional
            Epoch and number of a batch that comes again: a teacher is asked about it once.
        domains : int64 [shape=(B,)], optional
            Corpora of the crops; wanted where losses keep to their labels.

        Returns
        -------
        loss : float []
        output : ClafSerOutput
            The model's.
        """
        settings = self.settings
        rows, share, partner = self._mix(rows)
        # Eq. 24 weighs the domain loss by alpha, which reaches the encoder reversed.
        output = model(rows, languages, alpha=1.0)
        told = self._labels_told(domains, partner)
        losses = self._label_losses(output.logits, labels, told)
        if settings.mixup:
            others = self._label_losses(output.logits, labels[partner], told)
            losses = losses.lerp(others, 1.0 - share)
            weights = weights.lerp(weights[partner], 1.0 - share)
        if self.teachers is not None:
            heard = Heard(crops, share, partner) if crops else None
            answer = self._answer(rows, heard, place)
            losses = self._taught(losses, output, answer, told)
        return (weights * losses).mean(), output

    def _mix(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mix every crop with a weaker one of its batch: rows, shares (B,), the others' places."""
        n_rows, device = len(rows), rows.device
        if not self.settings.mixup:
            return rows, torch.ones(n_rows, device=device), torch.arange(n_rows, device=device)
        beta = torch.distributions.Beta(self.settings.mixup, self.settings.mixup)
        share = beta.sample((n_rows,)).to(device)
        # The stronger one gives the domain and the language.
        share = torch.maximum(share, 1.0 - share)
        partner = torch.randperm(n_rows, device=device)
        return rows.lerp(rows[partner], (1.0 - share)[:, None, None]), share, partner

    def _labels_told(self, domains: Tensor | None, partner: Tensor) -> Tensor | None:
        """Labels that each crop's corpus has, or that of what is mixed in: (B, n_labels)."""
        if self._told is None or domains is None:
            return None
        told = self._told.to(domains.device)[domains]
        return told | told[partner] if self.settings.mixup else told

    def _label_losses(self, logits: Tensor, labels: Tensor, told: Tensor | None) -> Tensor:
        """One loss an example."""
        if told is not None:
            return label_loss(logits, labels, self.settings.label_smoothing, told)
        return nn.functional.cross_entropy(
            logits.float(), labels, label_smoothing=self.settings.label_smoothing, reduction="none"
        )

    def _answer(self, rows: Tensor, heard: Heard | None, place: tuple[int, int] | None) -> Answer:
        """A teacher's answer, or what it once was."""
        assert self.teachers is not None, "nobody is asked where nobody teaches"
        question = (rows, self._mean, self._std, self.settings.distil_temperature, heard)
        if place is None:
            return self.teachers.answer(*question)
        if place not in self._remembered:
            # In turns: a resumed run must ask the same teacher again.
            answer = self.teachers.answer(*question, member=self.teachers.turn(sum(place)))
            # The pooled vectors are most of an answer.
            self._remembered[place] = answer if self.matching else answer._replace(pooled=None)
        return self._remembered[place]

    def _taught(self, losses: Tensor, output: Any, answer: Answer, told: Tensor | None) -> Tensor:
        """The labels' losses, (B,), with the teachers' share."""
        settings = self.settings
        logits, posterior = output.logits.float(), answer.posterior
        if told is not None:
            logits, posterior = within(logits, told), within(posterior, told, posterior=True)
        losses = losses.lerp(
            distillation_loss(logits, posterior, settings.distil_temperature),
            settings.distil_share,
        )
        if self.matching is None:
            return losses
        matched: Tensor = losses + settings.match_weight * self.matching(output.pooled, answer)
        return matched
