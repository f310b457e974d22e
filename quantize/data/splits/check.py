"""The leak checker: what a split must never do."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edge.errors import how_many
from quantize.basics.errors import SplitError
from quantize.basics.few import first_few
from quantize.data.corpora.base import Clip
from quantize.data.splits.split import Split

__all__ = ["check_split"]


def _some(items: Iterable[str]) -> str:
    return first_few(sorted(items), 3)


def check_split(split: Split, clips: Sequence[Clip], content: bool = False) -> None:
    """Refuse a split that leaks or does not fit the clips.

    Parameters
    ----------
    split : Split
        What to check.
    clips : sequence of Clip
        The clips it is about; clips on neither side are fine.
    content : bool
        Also read every file and compare SHA-256: the same recording under two names
        must not be on both sides.

    Raises
    ------
    SplitError
        If a side is empty, a clip id is unknown or given twice, a clip is on both
        sides, a speaker is on both sides of a split that is disjoint by speaker, or
        (with `content`) two byte-identical files are on both sides or one is unreadable.
    """
    by_id = {clip.clip_id: clip for clip in clips}
    if len(by_id) != len(clips):
        raise SplitError(
            f"another clip has the id of {how_many(len(clips) - len(by_id), 'clip')}, too."
        )
    for side, ids in (("training", split.train), ("test", split.test)):
        if not ids:
            raise SplitError(f"the {side} side of the split {split.id!r} is empty.")
        if len(set(ids)) != len(ids):
            raise SplitError(f"the {side} side of the split {split.id!r} names a clip twice.")
        unknown = set(ids) - by_id.keys()
        if unknown:
            raise SplitError(
                f"the split {split.id!r} names clips that are not here: {_some(unknown)}; load "
                "the corpora that it was made of."
            )
    both = set(split.train) & set(split.test)
    if both:
        raise SplitError(f"the split {split.id!r} has clips on both sides: {_some(both)}.")
    if split.disjoint == "speaker":
        shared = {by_id[i].speaker for i in split.train} & {by_id[i].speaker for i in split.test}
        if shared:
            raise SplitError(f"the split {split.id!r} has speakers on both sides: {_some(shared)}.")
    if content:
        _check_content(split, by_id)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SplitError(f"cannot read {str(path)!r}: {error.strerror}.") from error


def _check_content(split: Split, by_id: Mapping[str, Clip]) -> None:
    paths = {by_id[clip_id].path for clip_id in (*split.train, *split.test)}
    digests = {path: _digest(path) for path in sorted(paths)}
    train: dict[str, list[Clip]] = defaultdict(list)
    for clip_id in split.train:
        train[digests[by_id[clip_id].path]].append(by_id[clip_id])
    for clip_id in split.test:
        clip = by_id[clip_id]
        for twin in train.get(digests[clip.path], ()):
            if not _overlap(twin, clip):
                continue
            where = f"the split {split.id!r} has the same audio on both sides: {twin.clip_id} "
            if twin.path == clip.path:
                raise SplitError(
                    f"{where}(training) and {clip_id} (test) overlap; give them other times."
                )
            raise SplitError(
                f"{where}(training) and {clip_id} (test) are byte-identical; delete one of the "
                "files."
            )


def _overlap(one: Clip, other: Clip) -> bool:
    """Tell whether two clips of the same bytes have sound in common."""
    starts = max(one.start_s or 0.0, other.start_s or 0.0)
    ends = min(end for clip in (one, other) for end in (clip.end_s or math.inf,))
    return starts < ends
