"""Settings of the training batches."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from edge.errors import ParameterError
from quantize.basics.settings import Settings, Share, between, whole

__all__ = ["BatchSettings"]

_MOST = 1_000_000
_LONGEST_S = 3600.0

# As in a manifest (edge.artifact.budgets.MIN_VOICE_S), which a command's help need not read.
_LEAST_S = 0.1

_Crop = Annotated[
    float,
    between(math.ulp(0.0), _LONGEST_S, f"a number above 0 and at most {_LONGEST_S:g} s is wanted"),
]
_CorpusShare = Annotated[
    float, between(math.ulp(0.0), 1.0, "a number above 0 and at most 1 is wanted")
]


class BatchSettings(Settings, frozen=True):
    """How training batches are drawn.

    Parameters
    ----------
    batch_size : int
        Crops in a batch; all of a batch are equally long, so nothing is padded.
    min_crop_s, max_crop_s : float
        Range of crop lengths.
    least_speech : float
        Share of a crop's frames that must be speech, within
        :data:`quantize.data.sound.level.SPEECH_RANGE_DB` of the clip's loudest; where no crop of
        a clip holds so much, one that holds the most is drawn. 0: any.
    corpus_share : dict of str to float
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
    reference_share : float
        How often a crop has a reference for its voice, see
        :mod:`quantize.training.reference_draws`; 0: the model knows none.
    reference_prior_s : float
        Seconds of speech after which half of a voice's mean is taken away.
    class_balance : float
        How far the emotions of a corpus weigh alike in the loss: 0 as often as they occur, 1
        alike. In SAVEE every fourth clip is neutral, in RAVDESS every fifteenth.

    Raises
    ------
    ParameterError
        If a number is none or out of its range.
    """

    batch_size: Annotated[int, whole(1, _MOST)] = 32
    min_crop_s: _Crop = 1.0
    max_crop_s: _Crop = 3.0
    least_speech: Share = 0.0
    corpus_share: dict[str, _CorpusShare] = msgspec.field(default_factory=lambda: {"tess": 0.35})
    clean_share: Share = 0.3
    level_db: Annotated[float, between(0.0, 100.0, "a number from 0 to 100 dB is wanted")] = 10.0
    noise: Annotated[float, between(0.0, 1000.0, "a number from 0 to 1000 is wanted")] = 0.1
    n_time_masks: Annotated[int, whole(0, _MOST)] = 2
    max_time_mask: Annotated[int, whole(0, _MOST)] = 8
    group_mask_share: Share = 0.06
    unknown_share: Share = 0.7
    exchange_share: Share = 0.0
    reference_share: Share = 0.0
    reference_prior_s: Annotated[
        float,
        between(_LEAST_S, _LONGEST_S, f"a number from {_LEAST_S} to {_LONGEST_S:g} s is wanted"),
    ] = 3.0
    class_balance: Share = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_crop_s > self.max_crop_s:
            raise ParameterError(
                f"min_crop_s {self.min_crop_s} and max_crop_s {self.max_crop_s} must be above 0 "
                "and rise"
            )
