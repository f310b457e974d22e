"""Settings of a training run."""

from __future__ import annotations

import dataclasses

from edge.errors import ParameterError, shown
from quantize.basics.bounds import ABOVE_0, NOT_NEGATIVE, SEED, SHARE, Bounds, check_numbers

__all__ = ["TrainSettings"]

_MOST_EPOCHS = 1_000_000
_BOUNDS = {
    "epochs": Bounds.whole(1, _MOST_EPOCHS, f"at least 1 and at most {_MOST_EPOCHS} is wanted"),
    "learning_rate": ABOVE_0,
    "weight_decay": NOT_NEGATIVE,
    "warmup_share": SHARE,
    "label_smoothing": SHARE,
    "mixup": Bounds(0.0, 1000.0, "0 or a finite number above is wanted, at most 1000"),
    "distil_share": SHARE,
    "distil_temperature": Bounds(0.01, 1000.0, "a number from 0.01 to 1000 is wanted"),
    "match_weight": NOT_NEGATIVE,
    "repeat_epochs": Bounds.whole(
        0, _MOST_EPOCHS, f"0 or a number of epochs up to {_MOST_EPOCHS} is wanted"
    ),
    "max_alpha": Bounds(0.0, 1.0, "[0, 1] is wanted (eq. 24)"),
    "average_decay": SHARE,
    "seed": SEED,
    "monitor_every": Bounds.whole(1, _MOST_EPOCHS),
}


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

    Raises
    ------
    ParameterError
        If a number is none or out of its range, or two settings contradict each other.
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
        check_numbers(self, _BOUNDS)
        if self.repeat_epochs and self.mixup:
            raise ParameterError(
                f"repeat_epochs is {self.repeat_epochs} with mixup {self.mixup}: crops that are "
                "mixed do not come again, so one of them must be 0"
            )
        if self.precision not in ("fp32", "bf16"):
            raise ParameterError(
                f"precision is {shown(self.precision)}, 'fp32' or 'bf16' is wanted"
            )
