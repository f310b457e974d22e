"""Teachers: trained runs whose mean posterior a student learns beside the labels.

The teachers hear the very crop that the student hears, varied alike ("consistent teaching",
Beyer et al., 2022), so what they know is asked anew at every step.  One of them is asked a
step: the loss is linear in the posterior, so over the steps its gradient is that of the mean
posterior, and three teachers cost what one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quantize.checkpoint import load_checkpoint
from quantize.errors import TrainingError
from quantize.rows import RowSpec
from quantize.splits import Split, read_split

__all__ = ["Teachers", "distillation_loss"]


class Teachers:
    """An ensemble of trained runs.

    Parameters
    ----------
    runs : sequence of path
        Run folders, of the student's split and features.
    split : Split or None
        The student's split; None: nothing is held out.
    spec : FeatureSpec
        The student's features.

    Raises
    ------
    EdgeSerError
        If a checkpoint cannot be used, has other features, or was trained on another split: a
        teacher that has heard the student's test clips would tell of them.
    """

    def __init__(self, runs: Sequence[Path], split: Split | None, spec: RowSpec) -> None:
        self._members: list[tuple[nn.Module, Tensor, Tensor]] = []
        self._digests: dict[str, str] = {}
        wanted = split.fingerprint if split else None
        for run in runs:
            path = run / "split.json"
            found = read_split(path) if path.is_file() else None
            if (found.fingerprint if found else None) != wanted:
                raise TrainingError(
                    f"the teacher {run} was trained on the split {found.id if found else 'all'}, "
                    f"the student's is {split.id if split else 'all'}: the same one is wanted, "
                    "or the student would be told of clips that it is measured on"
                )
            checkpoint = run / "checkpoint.safetensors"
            saved = load_checkpoint(checkpoint)
            if saved.spec.fingerprint != spec.fingerprint:
                raise TrainingError(
                    f"the teacher {run} was trained on other features "
                    f"({saved.spec.fingerprint[:12]}) than the student's "
                    f"({spec.fingerprint[:12]}): train it again"
                )
            self._members.append(
                (saved.model, torch.from_numpy(saved.mean), torch.from_numpy(saved.std))
            )
            # Teachers of one split are called alike, each in the folder of its recipe.
            name = f"{run.resolve().parent.name}/{run.resolve().name}"
            self._digests[name] = hashlib.sha256(checkpoint.read_bytes()).hexdigest()

    def __len__(self) -> int:
        return len(self._members)

    def to_dict(self) -> dict[str, str]:
        """SHA-256 of every teacher's checkpoint, by its run's folder and that one's parent."""
        return dict(self._digests)

    def to(self, device: torch.device) -> Teachers:
        """Move all of them; returns itself."""
        self._members = [(m.to(device), a.to(device), s.to(device)) for m, a, s in self._members]
        return self

    @torch.no_grad()
    def posterior(
        self,
        rows: Tensor,
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        temperature: float,
    ) -> Tensor:
        """Posterior of a teacher drawn by chance, who does not know the language.

        Parameters
        ----------
        rows : float32 [shape=(B, T, n_features)]
            Normalised by the student's mean and standard deviation.
        mean, std : float32 [shape=(n_features,)]
            The student's.
        temperature : float
            What the logits are divided by.

        Returns
        -------
        float32 [shape=(B, n_labels)]

        Notes
        -----
        Chance is torch's, which training seeds anew every epoch.
        """
        model, teacher_mean, teacher_std = self._members[int(torch.randint(len(self._members), ()))]
        own_mean, own_std = (torch.from_numpy(a).to(rows.device) for a in (mean, std))
        x = (rows * own_std + own_mean - teacher_mean) / teacher_std
        unknown = torch.full((len(x),), model.config.unknown_language, device=x.device)
        posterior: Tensor = (model(x, unknown).logits.float() / temperature).softmax(dim=1)
        return posterior


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
