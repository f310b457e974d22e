"""Settings of the training batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from edge.errors import ParameterError

__all__ = ["BatchSettings"]


@dataclasses.dataclass(frozen=True)
class BatchSettings:
    """How training batches are drawn.

    Parameters
    ----------
    batch_size : int
        Crops in a batch; all of a batch are equally long, so nothing is padded.
    min_crop_s, max_crop_s : float
        Range of crop lengths.
    corpus_share : mapping of str to float
        Share of a corpus's clips drawn in an epoch, 1 where not named.
    clean_share : float
        How often a clip is drawn as it is and not as one of its augmented variants.
    level_db : float
        Largest random change of level, either way.
    noise : float
        Standard deviation of Gaussian noise on normalised rows.
    n_time_masks, max_time_mask : int
        Stretches of frames set to the mean, and the longest of them.
    group_mask_share : float
        How often each feature group of a crop is set to the mean.
    unknown_share : float
        How often the language id is replaced by "unknown".
    exchange_share : float
        How often a crop gets part of another speaker's mean features, see
        :class:`quantize.exchange.MeanExchange`.
    class_balance : float
        How far the emotions of a corpus weigh alike in the loss: 0 as often as they occur, 1
        alike. In SAVEE every fourth clip is neutral, in RAVDESS every fifteenth.
    """

    batch_size: int = 32
    min_crop_s: float = 1.0
    max_crop_s: float = 3.0
    corpus_share: Mapping[str, float] = dataclasses.field(default_factory=lambda: {"tess": 0.35})
    clean_share: float = 0.3
    level_db: float = 10.0
    noise: float = 0.1
    n_time_masks: int = 2
    max_time_mask: int = 8
    group_mask_share: float = 0.06
    unknown_share: float = 0.7
    exchange_share: float = 0.0
    class_balance: float = 0.0

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ParameterError(f"batch_size is {self.batch_size}, at least 1 is wanted")
        if not 0 < self.min_crop_s <= self.max_crop_s:
            raise ParameterError(
                f"min_crop_s {self.min_crop_s} and max_crop_s {self.max_crop_s} must be above 0 "
                "and rise"
            )
        if not 0 <= self.exchange_share <= 1:
            raise ParameterError(
                f"exchange_share is {self.exchange_share}, a share in [0, 1] is wanted"
            )
        if not 0 <= self.class_balance <= 1:
            raise ParameterError(
                f"class_balance is {self.class_balance}, a share in [0, 1] is wanted"
            )
        for name, share in self.corpus_share.items():
            if not 0 < share <= 1:
                raise ParameterError(f"corpus_share of {name} is {share}, (0, 1] is wanted")
