"""Settings of a training run."""

from __future__ import annotations

from typing import Annotated, Literal

from edge.errors import ParameterError
from quantize.basics.settings import Above0, NotNegative, Seed, Settings, Share, between, whole

__all__ = ["DEFAULT_RECIPE", "TrainSettings"]

#: Of the training recipes, the one that needs no other run.
DEFAULT_RECIPE = "claf-ser-alone"

_MOST_EPOCHS = 1_000_000
_Epochs = Annotated[int, whole(1, _MOST_EPOCHS)]


class TrainSettings(Settings, frozen=True):
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
    corpus_labels : bool
        Whether losses tell a crop apart from the labels of its own corpus alone, see
        :mod:`quantize.training.corpus_labels`.
    mixup : float
        Parameter of the Beta distribution that two clips' shares in a training example are
        drawn from (Zhang et al., 2018); 0 mixes none.
    distil_share : float
        Share of the teachers in the emotion loss, where there are teachers; the rest is the
        labels'.
    distil_temperature : float
        Temperature of teachers and student in that loss.
    encoder_share : float
        How often a large model's encoder is asked, where it teaches beside trained runs.
    encoder_strength : float
        How closely its linear classifier follows the training clips, against a ridge.
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

    epochs: _Epochs = 160
    learning_rate: Above0 = 1.5e-3
    weight_decay: NotNegative = 0.05
    warmup_share: Share = 0.05
    label_smoothing: Share = 0.05
    corpus_labels: bool = False
    mixup: Annotated[float, between(0.0, 1000.0, "a number from 0 to 1000 is wanted")] = 0.0
    distil_share: Share = 0.7
    distil_temperature: Annotated[
        float, between(0.01, 1000.0, "a number from 0.01 to 1000 is wanted")
    ] = 2.0
    encoder_share: Share = 0.5
    encoder_strength: Above0 = 0.01
    match_weight: NotNegative = 0.0
    repeat_epochs: Annotated[int, whole(0, _MOST_EPOCHS)] = 0
    max_alpha: Annotated[float, between(0.0, 1.0, "a number from 0 to 1 is wanted (eq. 24)")] = 0.1
    average_decay: Share = 0.998
    seed: Seed = 0
    monitor_every: _Epochs = 10
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.repeat_epochs and self.mixup:
            raise ParameterError(
                f"repeat_epochs is {self.repeat_epochs} with mixup {self.mixup}: crops that are "
                "mixed do not come again, so one of them must be 0"
            )
