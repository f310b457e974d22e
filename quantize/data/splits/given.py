"""The split that recordings came with: a table's column ``split``, or folders named as sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from quantize.basics.errors import SplitError
from quantize.data.corpora.base import Clip
from quantize.data.splits.check import check_split
from quantize.data.splits.split import Split

__all__ = ["given_split"]


def given_split(clips: Sequence[Clip], *, content: bool = True) -> Split:
    """Train on what is said to train, test on what is said to test.

    Parameters
    ----------
    clips : sequence of Clip
        Those of neither side, and those to validate with where others test, are not used.
    content : bool
        See :func:`quantize.data.splits.check.check_split`.

    Returns
    -------
    Split
        Named ``"given"``, seed 0; disjoint by speaker where all speakers are known and none is on
        both sides, else by clip.

    Raises
    ------
    SplitError
        If no clip is said to train, or none to test or to validate.
    """
    sides = Counter(clip.side for clip in clips)
    test = "test" if sides["test"] else "validation"
    if not sides["train"] or not sides[test]:
        said = ", ".join(f"{n} {side or 'of no side'}" for side, n in sorted(
            sides.items(), key=lambda entry: str(entry[0])))  # fmt: skip
        raise SplitError(
            f"--split given needs clips that are said to train and to test, there are {said}: "
            "give a table with a column split, or folders train and test above the labels"
        )
    learned = [clip for clip in clips if clip.side == "train"]
    held_out = [clip for clip in clips if clip.side == test]
    known = all(clip.speaker_known for clip in (*learned, *held_out))
    shared = {clip.speaker for clip in learned} & {clip.speaker for clip in held_out}
    split = Split(
        "given",
        0,
        None,
        "speaker" if known and not shared else "clip",
        tuple(clip.clip_id for clip in learned),
        tuple(clip.clip_id for clip in held_out),
    )
    check_split(split, clips, content=content)
    return split
