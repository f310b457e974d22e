"""Teachers: trained runs whose mean posterior a student learns beside the labels.

The teachers hear the very crop that the student hears, varied alike ("consistent teaching",
Beyer et al., 2022), so what they know is asked anew at every step.  One of them is asked a
step: the loss is linear in the posterior, so over the steps its gradient is that of the mean
posterior, and many teachers cost what one does.  Of crops that come again one of them is asked
once (``repeat_epochs`` of :class:`~quantize.training.settings.TrainSettings`).

A teacher of other features hears the same crop in its own, see
:mod:`quantize.training.teacher_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.data.splits import Split
from quantize.models.claf_ser import CLAFSER
from quantize.runs.leaned_on import leaned_on, same_labels
from quantize.training.encoder_teacher import EncoderTeacher
from quantize.training.teacher_rows import Crops, TeacherRows

__all__ = ["Answer", "FeatureMatching", "Teachers", "distillation_loss"]


class Answer(NamedTuple):
    """What a teacher says of a batch."""

    member: int  #: which of the teachers it was
    posterior: Tensor  #: (B, n_labels), at the temperature asked for
    pooled: Tensor | None  #: (B, width), its attention-pooled vector or an encoder's components


class Heard(NamedTuple):
    """What a batch's rows were made of."""

    crops: Crops
    share: Tensor  #: (B,), of the crop itself, 1 where none is mixed in
    partner: Tensor  #: int64 (B,), which crop has the rest


class Teachers:
    """An ensemble of trained runs.

    Parameters
    ----------
    runs : sequence of path
        Run folders, of the student's split.
    split : Split or None
        The student's split; None: nothing is held out.
    spec : FeatureSpec
        The student's features.
    labels : sequence of str
        The student's: a teacher of others cannot say how probable they are.
    clips : mapping, optional
        The student's, see :func:`quantize.runs.clips.sides_digests`.
    encoder : EncoderTeacher, optional
        One more, the last of them.
    encoder_share : float
        How often it is asked, where there are others too.

    Raises
    ------
    EdgeSerError
        If one cannot be used, see :func:`quantize.runs.leaned_on.leaned_on`.
    """

    def __init__(
        self,
        runs: Sequence[Path],
        split: Split | None,
        spec: FeatureSpec,
        labels: Sequence[str],
        clips: Mapping[str, str] | None = None,
        *,
        encoder: EncoderTeacher | None = None,
        encoder_share: float = 0.5,
    ) -> None:
        self.encoder = encoder
        self._encoder_share = 0.0 if encoder is None else encoder_share if runs else 1.0
        earlier = [leaned_on(run, split, None, "teacher", clips) for run in runs]
        for run in earlier:
            same_labels(run, labels, "teacher")
        self._members: list[tuple[CLAFSER, Tensor, Tensor]] = [
            (saved.model, torch.from_numpy(saved.mean), torch.from_numpy(saved.std))
            for saved in (each.checkpoint for each in earlier)
        ]
        self._digests = {each.name: each.digest for each in earlier}
        specs = [each.checkpoint.spec for each in earlier]
        others = {s.fingerprint: s for s in specs if s.fingerprint != spec.fingerprint}
        self._rows = {mark: TeacherRows(spec, other) for mark, other in others.items()}
        # None: the student's rows are the teacher's.
        self._rows_of = [self._rows.get(s.fingerprint) for s in specs]

    def __len__(self) -> int:
        return len(self._members) + (self.encoder is not None)

    def to_dict(self) -> dict[str, str]:
        """Digest of every trained run, by its folder and that one's parent."""
        return dict(self._digests)

    def to(self, device: torch.device) -> Teachers:
        """Move all of them; returns itself."""
        self._members = [(m.to(device), a.to(device), s.to(device)) for m, a, s in self._members]
        if self.encoder:
            self.encoder.to(device)
        return self

    @property
    def other_rows(self) -> list[TeacherRows]:
        """Of every features that some teachers have and the student has not: to be filled."""
        return list(self._rows.values())

    @property
    def widths(self) -> list[int]:
        """Length of every teacher's attention-pooled vector, and of an encoder's components."""
        own = [2 * model.config.hidden for model, _, _ in self._members]
        return [*own, self.encoder.width] if self.encoder else own

    def turn(self, number: int) -> int:
        """Whose turn it is where they take turns: each as often as by chance."""
        n_before = int(number * self._encoder_share)
        if int((number + 1) * self._encoder_share) > n_before:
            return len(self._members)
        return (number - n_before) % len(self._members)

    def _drawn(self) -> int:
        if self.encoder is None:
            return int(torch.randint(len(self._members), ()))
        if not self._members or float(torch.rand(())) < self._encoder_share:
            return len(self._members)
        return int(torch.randint(len(self._members), ()))

    @torch.no_grad()
    def answer(
        self,
        rows: Tensor,
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        temperature: float,
        heard: Heard | None = None,
        member: int | None = None,
    ) -> Answer:
        """Ask a teacher, who does not know the language.

        Parameters
        ----------
        rows : float32 [shape=(B, T, n_features)]
            Normalised by the student's mean and standard deviation.
        mean, std : float32 [shape=(n_features,)]
            The student's.
        temperature : float
            What the logits are divided by.
        heard : Heard, optional
            What the rows were made of; wanted by teachers of other features.
        member : int, optional
            Which teacher; by default one is drawn by chance.

        Returns
        -------
        Answer

        Notes
        -----
        Chance is torch's, which training seeds anew every epoch.
        """
        if member is None:
            member = self._drawn()
        if member == len(self._members):
            return self._encoder_answer(member, temperature, heard)
        model, teacher_mean, teacher_std = self._members[member]
        other, n_features = self._rows_of[member], len(teacher_mean)
        if other is None:
            own_mean, own_std = (torch.from_numpy(a).to(rows.device) for a in (mean, std))
            raw = rows[..., :n_features] * own_std + own_mean
        else:
            raw = _mixed_rows(other, heard).to(rows.device)
        x = (raw - teacher_mean) / teacher_std
        # One that hears the clip as it is has no reference, which is how its model takes it.
        if other is None and model.config.n_features > n_features:
            x = torch.cat([x, rows[..., n_features:]], dim=2)
        unknown = torch.full((len(x),), model.config.unknown_language, device=x.device)
        output = model(x, unknown)
        posterior = (output.logits.float() / temperature).softmax(dim=1)
        return Answer(member, posterior, output.pooled.float())

    def _encoder_answer(self, member: int, temperature: float, heard: Heard | None) -> Answer:
        assert self.encoder is not None, "no encoder is among them"
        assert heard is not None, "an encoder heard clips, not rows"
        ids, share, partner = heard.crops.clip_ids, heard.share, heard.partner
        return Answer(member, *self.encoder.answer(ids, temperature, share, partner))


def _mixed_rows(other: TeacherRows, heard: Heard | None) -> Tensor:
    """The crops in a teacher's features, mixed as the student's were."""
    if heard is None or not other.variants:
        raise TrainingError(
            "a teacher has other features than the student and was given no rows of its own"
        )
    rows = torch.from_numpy(other.of(heard.crops))
    share, partner = heard.share.cpu(), heard.partner.cpu()
    return rows.lerp(rows[partner], (1.0 - share)[:, None, None])


class FeatureMatching(nn.Module):
    """Feature matching on the attention-pooled vector (FitNets, Romero et al., 2015).

    A linear map of the student's vector is to be the teacher's, whose scale is taken out: a
    teacher's vectors are as long as its own classifier liked them.

    Parameters
    ----------
    width : int
        Length of the student's vector.
    widths : sequence of int
        Of the teachers'; each has a map of its own.
    """

    def __init__(self, width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(width, wanted) for wanted in widths)

    def forward(self, pooled: Tensor, answer: Answer) -> Tensor:
        """Mean squared distance: (B, width) and a teacher's answer -> (B,)."""
        assert answer.pooled is not None, "a remembered answer has none and is not matched"
        wanted = nn.functional.layer_norm(answer.pooled, answer.pooled.shape[1:])
        found: Tensor = self.maps[answer.member](pooled.float())
        return (found.float() - wanted).square().mean(dim=1)


def distillation_loss(logits: Tensor, posterior: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of a student from its teachers (Hinton et al., 2015).

    Parameters
    ----------
    logits : float [shape=(B, n_labels)]
        The student's.
    posterior : float [shape=(B, n_labels)]
        The teachers', at the same temperature.
    temperature : float
        The square of it scales the loss, so that its gradient is as large as that of the labels.

    Returns
    -------
    float [shape=(B,)]
    """
    student = (logits.float() / temperature).log_softmax(dim=1)
    divergence = nn.functional.kl_div(student, posterior, reduction="none").sum(dim=1)
    return divergence * temperature**2
