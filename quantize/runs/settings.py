"""What a run folder was made from, beside its recipe."""

from __future__ import annotations

import dataclasses

from edge.errors import ParameterError
from quantize.basics.bounds import SEED, Bounds, check_numbers
from quantize.data.splits.by_name import SPLITS

__all__ = ["MOST_VARIANTS", "VALIDATION_SHARE", "RunSettings"]

#: Augmented variants of every clip.
MOST_VARIANTS = 1000

#: Of the training side's speakers, or of its clips where the sides share speakers.
VALIDATION_SHARE = 0.2

_MOST = 1000
_BOUNDS = {
    "seed": SEED,
    "fold": Bounds.whole(0, _MOST),
    "n_folds": Bounds.whole(2, _MOST),
    "n_variants": Bounds.whole(0, MOST_VARIANTS, f"0 or more is wanted, at most {MOST_VARIANTS}"),
}


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What a run folder was made from; ``config.json`` holds it.

    Parameters
    ----------
    corpora : tuple of str
        Names of the corpora that were found and used.
    split : str
        One of :data:`SPLITS`, or ``"all"`` (nothing held out).
    seed : int
        Of the split ``paper``, the weights and the batches.
    fold : int
        For ``speaker`` and ``leave-one-corpus-out``.
    n_folds : int
        For ``speaker``.
    n_variants : int
        Augmented variants of every clip, beside the clip itself.
    validation : bool
        Hold out a part of the training side, :data:`VALIDATION_SHARE` of it, and leave the test
        side alone: what choices between recipes are made on.
    """

    corpora: tuple[str, ...]
    split: str = "paper"
    seed: int = 0
    fold: int = 0
    n_folds: int = 5
    n_variants: int = 8
    validation: bool = False

    def __post_init__(self) -> None:
        if self.validation and self.split == "all":
            raise ParameterError(
                "--validation with --split all: a split with a test side is wanted, of whose "
                f"training side a part validates: {', '.join(SPLITS)}"
            )
        check_numbers(self, _BOUNDS)
