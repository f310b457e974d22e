"""Settings of the training batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from edge.errors import ParameterError, shown
from quantize.basics.bounds import SHARE, Bounds, check_numbers

__all__ = ["BatchSettings"]

_MOST = 1_000_000
_LONGEST_S = 3600.0
_CROP = Bounds(math.ulp(0.0), _LONGEST_S, f"above 0 and at most {_LONGEST_S:g} s is wanted")
_CORPUS_SHARE = Bounds(math.ulp(0.0), 1.0, "(0, 1] is wanted")
_BOUNDS = {
    "batch_size": Bounds.whole(1, _MOST, f"at least 1 and at most {_MOST} is wanted"),
    "min_crop_s": _CROP,
    "max_crop_s": _CROP,
    "clean_share": SHARE,
    "level_db": Bounds(0.0, 100.0, "0 to 100 dB are wanted"),
    "noise": Bounds(0.0, 1000.0, "a number from 0 to 1000 is wanted"),
    "n_time_masks": Bounds.whole(0, _MOST),
    "max_time_mask": Bounds.whole(0, _MOST),
    "group_mask_share": SHARE,
    "unknown_share": SHARE,
    "exchange_share": SHARE,
    "class_balance": SHARE,
}


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
        :class:`quantize.training.mean_exchange.MeanExchange`.
    class_balance : float
        How far the emotions of a corpus weigh alike in the loss: 0 as often as they occur, 1
        alike. In SAVEE every fourth clip is neutral, in RAVDESS every fifteenth.

    Raises
    ------
    ParameterError
        If a number is none or out of its range.
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
        check_numbers(self, _BOUNDS)
        if self.min_crop_s > self.max_crop_s:
            raise ParameterError(
                f"min_crop_s {self.min_crop_s} and max_crop_s {self.max_crop_s} must be above 0 "
                "and rise"
            )
        if not isinstance(self.corpus_share, Mapping):
            raise ParameterError(
                f"corpus_share is {shown(self.corpus_share)}, a share by corpus is wanted"
            )
        shares = {
            name: _CORPUS_SHARE.check(share, f"corpus_share of {name}")
            for name, share in self.corpus_share.items()
        }
        object.__setattr__(self, "corpus_share", shares)
