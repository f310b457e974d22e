"""The two sides of a training: what is learnt from, and what is held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantize.basics.errors import SplitError
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import ContentIndex
from quantize.data.corpora.copies import refuse_copies
from quantize.data.splits import Split, validation_split
from quantize.data.splits.by_name import make_split
from quantize.runs.clips import clips_digest, sides_digests
from quantize.runs.settings import VALIDATION_SHARE, RunSettings

__all__ = ["digests_of", "heard", "sides_of"]


def sides_of(
    clips: Sequence[Clip], run: RunSettings, *, content: bool = True
) -> tuple[Split | None, list[Clip], list[Clip]]:
    """Split, training side and held-out side; no split where nothing is held out.

    Raises
    ------
    SplitError
        If the split cannot be made, or the lessons are of no corpus that is here, or of all.
    """
    found = {clip.corpus for clip in clips}
    if missing := [name for name in run.lessons if name not in found]:
        raise SplitError(
            f"--lessons names {missing[0]}, of which there is no clip: {', '.join(sorted(found))} "
            "are here"
        )
    if run.split == "all":
        return None, list(clips), []
    divided = [clip for clip in clips if clip.corpus not in run.lessons]
    if not divided:
        raise SplitError(
            "--lessons names all corpora that are here: nothing is left to hold out, leave one out"
        )
    split = make_split(divided, run.split, run.seed, run.fold, run.n_folds, content=content)
    if run.validation:
        split = validation_split(split, divided, VALIDATION_SHARE)
    by_id = {c.clip_id: c for c in divided}
    lessons = [clip for clip in clips if clip.corpus in run.lessons]
    return split, [by_id[i] for i in split.train] + lessons, [by_id[i] for i in split.test]


def digests_of(
    train: Sequence[Clip],
    held_out: Sequence[Clip],
    run: RunSettings,
    contents: ContentIndex,
    copies: Sequence[Sequence[Clip]] = (),
) -> dict[str, str]:
    """What a training keeps of the clips on its two sides, and of those that are lessons alone.

    Raises
    ------
    SplitError
        If a recording that is held out is learnt from under another name, as a lesson or as one
        of ``copies``.
    """
    lessons = [clip for clip in train if clip.corpus in run.lessons and held_out]
    own = [clip for clip in train if clip.corpus not in run.lessons or not held_out]
    sides = sides_digests(own, held_out, contents)
    if lessons:
        _refuse_held_out(lessons, held_out, contents)
        sides["lessons"] = clips_digest(lessons, contents)
    refuse_copies(train, held_out, copies)
    return sides


def heard(train: Sequence[Clip]) -> dict[str, dict[str, Any]]:
    """What a training hears of every corpus: clips, speakers where they are known, languages."""
    found = {}
    for corpus in sorted({clip.corpus for clip in train}):
        of_one = [clip for clip in train if clip.corpus == corpus]
        speakers = {clip.speaker for clip in of_one if clip.speaker_known}
        found[corpus] = {
            "n_clips": len(of_one),
            "n_speakers": len(speakers) or None,
            "languages": sorted({clip.language for clip in of_one}),
        }
    return found


def _refuse_held_out(
    lessons: Sequence[Clip], held_out: Sequence[Clip], contents: ContentIndex
) -> None:
    heard = set(contents.digests([clip.path for clip in held_out]))
    digests = contents.digests([clip.path for clip in lessons])
    for clip, digest in zip(lessons, digests, strict=True):
        if digest in heard:
            raise SplitError(
                f"{clip.path} of --lessons is a recording that the split holds out: take it out, "
                "or leave its corpus to the split"
            )
