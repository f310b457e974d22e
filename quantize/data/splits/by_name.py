"""Splits by the names that a command takes."""

from __future__ import annotations

from collections.abc import Sequence

from quantize.basics.errors import SplitError
from quantize.data.corpora import Clip
from quantize.data.splits.check import check_split
from quantize.data.splits.corpora import german_to_english, leave_one_corpus_out
from quantize.data.splits.given import given_split
from quantize.data.splits.rules import paper_split, speaker_folds
from quantize.data.splits.split import Split

__all__ = ["SPLITS", "make_split"]

#: Splits that hold something out, by the names that ``train --split`` takes.
SPLITS = ("paper", "speaker", "leave-one-corpus-out", "german-to-english", "given")


def make_split(
    clips: Sequence[Clip], name: str, seed: int, fold: int, n_folds: int, *, content: bool = True
) -> Split:
    """Build and check a split by its rule's name.

    Without ``content`` no recording is read: the same one under two names is not noticed.

    Raises
    ------
    SplitError
        If the name or the fold is unknown or the split leaks.
    """
    if name == "paper":
        split = paper_split(clips, seed)
        check_split(split, clips, content=content)
    elif name == "speaker":
        folds = speaker_folds(clips, n_folds)
        if not 0 <= fold < len(folds):
            raise SplitError(f"fold is {fold}, 0 to {len(folds) - 1} is wanted")
        split = folds[fold]
        check_split(split, clips)
    elif name == "leave-one-corpus-out":
        split = leave_one_corpus_out(clips, fold)
        check_split(split, clips, content=content)
    elif name == "german-to-english":
        split = german_to_english(clips)
        check_split(split, clips, content=content)
    elif name == "given":
        split = given_split(clips, content=content)
    else:
        raise SplitError(f"split is {name!r}, one of {', '.join(SPLITS)} is wanted")
    return split
