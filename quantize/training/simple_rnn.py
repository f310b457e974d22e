"""Training the baseline: CLAF-SER's trainer with a SimpleRNN and crops left as they are.

Where the paper is silent we chose, and say so here:

===================  ======================================================================
examples             random crops of 1 to 3 s of speech, as for CLAF-SER, because both are
                     measured on the device's segments of 2 s; every training clip once an
                     epoch
augmentation         none: the paper tells of noise for CLAF-SER only (4.6)
loss, optimiser      cross-entropy without smoothing, Adam without decay, 1e-3 at its peak,
                     half a cosine; averaged weights, gradients clipped at 1, as for CLAF-SER
epochs               100 (section 4.1), fixed beforehand: no epoch is chosen on the test side
===================  ======================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.features.spec import FeatureSpec
from quantize.models.simple_rnn import SimpleRnn
from quantize.training.batch_settings import BatchSettings
from quantize.training.crops import CropSampler
from quantize.training.settings import TrainSettings
from quantize.training.trainer import Trainer

__all__ = ["BaselineTrainer", "PlainSampler", "batch_settings", "train_settings"]


def train_settings(seed: int = 0, **changes: Any) -> TrainSettings:
    """Settings of the baseline's training, see the module's table."""
    chosen: dict[str, Any] = {
        "epochs": 100,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "max_alpha": 0.0,
        **changes,
    }
    return TrainSettings(seed=seed, **chosen)


def batch_settings(batch_size: int = 32) -> BatchSettings:
    """Settings of the baseline's batches: every clip, nothing varied."""
    return BatchSettings(
        batch_size=batch_size,
        corpus_share={},
        level_db=0.0,
        noise=0.0,
        n_time_masks=0,
        group_mask_share=0.0,
        unknown_share=1.0,
    )


class PlainSampler(CropSampler):
    """Crops that are normalised and not varied."""

    def _prepare(self, spec: FeatureSpec) -> None:
        pass

    def _vary(
        self, crops: NDArray[np.float32], rng: np.random.Generator, part: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = (crops - self._mean) / self._std
        return rows


class BaselineTrainer(Trainer):
    """The trainer of a :class:`~quantize.models.simple_rnn.SimpleRnn`."""

    model_type = SimpleRnn
    sampler_type = PlainSampler

    def _domain_loss(self, output: Any, domains: Tensor) -> Tensor:
        """No adversary."""
        return torch.zeros((), device=domains.device)
