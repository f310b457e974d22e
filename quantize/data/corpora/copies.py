"""Clips that hold the same sound: copies under other names, or in a format that loses nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from edge.errors import how_many
from quantize.basics.errors import SplitError
from quantize.basics.few import first_few
from quantize.data.corpora.base import Clip
from quantize.data.corpora.hearing import ClipFacts

__all__ = ["copies_among", "labelled_twice", "refuse_copies"]

_N_NAMED = 3


def copies_among(clips: Sequence[Clip], heard: Mapping[str, ClipFacts]) -> list[list[Clip]]:
    """Clips that hold the same samples, those of one recording together, by their ids.

    Parameters
    ----------
    clips : sequence of Clip
    heard : mapping of str to ClipFacts
        By clip id; of whatever was not heard no copy is known.
    """
    same: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.clip_id in heard and heard[clip.clip_id].content:
            same[heard[clip.clip_id].content].append(clip)
    groups = [sorted(group, key=lambda c: c.clip_id) for group in same.values() if len(group) > 1]
    return sorted(groups, key=lambda group: group[0].clip_id)


def labelled_twice(copies: Sequence[Sequence[Clip]]) -> str | None:
    """Say of which recordings one copy has another label than the next; None: of none."""
    odd = [group for group in copies if len({clip.label for clip in group}) > 1]
    if not odd:
        return None
    each = [" = ".join(f"{clip.clip_id} ({clip.label})" for clip in g[:_N_NAMED]) for g in odd]
    return (
        f"{how_many(len(odd), 'recording')} under different labels, of which one at most is "
        f"right: {first_few(each, _N_NAMED, '; ')}"
    )


def refuse_copies(
    train: Sequence[Clip], held_out: Sequence[Clip], copies: Sequence[Sequence[Clip]]
) -> None:
    """Refuse to measure on a recording that is learnt from, whoever is said to speak in it.

    Raises
    ------
    SplitError
        If a clip of one side is a copy of one of the other.
    """
    learned = {clip.clip_id for clip in train}
    measured = {clip.clip_id for clip in held_out}
    for group in copies:
        ids = [clip.clip_id for clip in group]
        one = next((name for name in ids if name in learned), None)
        other = next((name for name in ids if name in measured), None)
        if one and other:
            raise SplitError(
                f"the same sound is on both sides of the split: {one} (training) and {other} "
                "(held out); delete one of the files."
            )
