"""Settings of a training run."""

from __future__ import annotations

import dataclasses
import math

from edge.errors import ParameterError

__all__ = ["TrainSettings"]


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """Settings of a training run.

    Parameters
    ----------
    epochs : int
        Fixed beforehand; the schedule ends with the last.
    learning_rate, weight_decay : float
        Peak rate of the cosine schedule, and AdamW's decay.
    warmup_share : float
        Share of all steps in which the rate rises.
    label_smoothing : float
        Of the emotion loss.
    mixup : float
        Parameter of the Beta distribution that two clips' shares in a training example are
        drawn from (Zhang et al., 2018); 0 mixes none.
    distil_share : float
        Share of the teachers in the emotion loss, where there are teachers; the rest is the
        labels'.
    distil_temperature : float
        Temperature of teachers and student in that loss.
    match_weight : float
        Weight of the feature matching on the teachers' attention-pooled vectors; 0: none.
    repeat_epochs : int
        After so many epochs the same crops come again, in the same batches, and what a teacher
        said of each is remembered: half the time of a small student's step is its teacher's.
        0: never.
    max_alpha : float
        Weight of the domain loss at the end; it rises linearly from 0 (eq. 24).  The
        paper lets it reach 1.
    average_decay : float
        Decay a step of the averaged weights.
    seed : int
        Seeds weights, batches and augmentation.
    monitor_every : int
        Epochs between two looks at the held-out side.
    precision : str
        ``"fp32"`` or ``"bf16"``.
    """

    epochs: int = 160
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    label_smoothing: float = 0.05
    mixup: float = 0.0
    distil_share: float = 0.7
    distil_temperature: float = 2.0
    match_weight: float = 0.0
    repeat_epochs: int = 0
    max_alpha: float = 0.1
    average_decay: float = 0.998
    seed: int = 0
    monitor_every: int = 10
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ParameterError(f"epochs is {self.epochs}, at least 1 is wanted")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ParameterError(
                f"learning_rate is {self.learning_rate}, a finite number above 0 is wanted"
            )
        if not (math.isfinite(self.mixup) and self.mixup >= 0):
            raise ParameterError(f"mixup is {self.mixup}, 0 or a finite number above is wanted")
        if not 0 <= self.distil_share <= 1:
            raise ParameterError(
                f"distil_share is {self.distil_share}, a share in [0, 1] is wanted"
            )
        if not (math.isfinite(self.distil_temperature) and self.distil_temperature > 0):
            raise ParameterError(
                f"distil_temperature is {self.distil_temperature}, a finite number above 0 is "
                "wanted"
            )
        if not (math.isfinite(self.match_weight) and self.match_weight >= 0):
            raise ParameterError(
                f"match_weight is {self.match_weight}, 0 or a finite number above is wanted"
            )
        if self.repeat_epochs < 0:
            raise ParameterError(
                f"repeat_epochs is {self.repeat_epochs}, 0 or a number of epochs is wanted"
            )
        if self.repeat_epochs and self.mixup:
            raise ParameterError(
                f"repeat_epochs is {self.repeat_epochs} with mixup {self.mixup}: crops that are "
                "mixed do not come again, so one of them must be 0"
            )
        if self.precision not in ("fp32", "bf16"):
            raise ParameterError(f"precision is {self.precision!r}, 'fp32' or 'bf16' is wanted")
        if not 0 <= self.max_alpha <= 1:
            raise ParameterError(f"max_alpha is {self.max_alpha}, [0, 1] is wanted (eq. 24)")
