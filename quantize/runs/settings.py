"""What a run folder was made from, beside its recipe."""

from __future__ import annotations

from typing import Annotated

from edge.errors import ParameterError, shown
from quantize.basics.settings import Seed, Settings, whole

__all__ = ["MOST_VARIANTS", "VALIDATION_SHARE", "RunSettings"]

#: Augmented variants of every clip.
MOST_VARIANTS = 1000

#: Of the training side's speakers, or of its clips where the sides share speakers.
VALIDATION_SHARE = 0.2

_MOST = 1000


class RunSettings(Settings, frozen=True):
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
    lessons : tuple of str
        Of these corpora, those whose clips all are learnt from and none is held out: the split is
        one of the others.
    validation : bool
        Hold out a part of the training side, :data:`VALIDATION_SHARE` of it, and leave the test
        side alone: what choices between recipes are made on.
    """

    corpora: tuple[str, ...]
    split: str = "paper"
    seed: Seed = 0
    fold: Annotated[int, whole(0, _MOST)] = 0
    n_folds: Annotated[int, whole(2, _MOST)] = 5
    n_variants: Annotated[int, whole(0, MOST_VARIANTS)] = 8
    validation: bool = False
    lessons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # NumPy comes with it, and a command's help needs none.
        from quantize.data.splits.by_name import SPLITS

        super().__post_init__()
        if self.split not in (*SPLITS, "all"):
            raise ParameterError(
                f"split is {shown(self.split)}, one of {', '.join(SPLITS)} or all is wanted"
            )
        if self.validation and self.split == "all":
            raise ParameterError(
                "--validation with --split all: a split with a test side is wanted, of whose "
                f"training side a part validates: {', '.join(SPLITS)}"
            )
