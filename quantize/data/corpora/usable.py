"""Which clips a training can learn from: what is unreadable, silent or too short is left out."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import EdgeSerError, how_many
from edge.features.spec import FeatureSpec
from quantize.basics.errors import CorpusError
from quantize.basics.few import first_few
from quantize.basics.files import write_json
from quantize.basics.json_files import parse_json
from quantize.data.corpora.base import Clip
from quantize.data.corpora.contents import ContentIndex
from quantize.data.corpora.copies import copies_among, labelled_twice
from quantize.data.corpora.hearing import ClipFacts, hear_all
from quantize.data.corpora.inventory import CorpusReport
from quantize.data.corpora.walk import FAULTS

__all__ = ["Usable", "faults_of", "shortest_s", "usable_clips"]

_FORMAT = "edge-ser clips heard, 2"
_N_NAMED = 20
#: Begins the key of a file whose bytes nobody could read.
_UNREAD = "unread:"


@dataclasses.dataclass(frozen=True, slots=True)
class Usable:
    """Clips to learn from.

    Parameters
    ----------
    clips : list of Clip
        Those that are fine, in the order given.
    left_out : mapping of str to tuple of str
        Reason to the paths of the others.
    ids_left_out : tuple of str
        Ids of those others that have one.
    copies : list of list of Clip
        Clips to learn from that hold the same sound, see
        :func:`quantize.data.corpora.copies.copies_among`.
    odd : mapping of str to str
        Path of a clip to learn from to what is wrong with its file.
    """

    clips: list[Clip]
    left_out: Mapping[str, tuple[str, ...]]
    ids_left_out: tuple[str, ...]
    copies: list[list[Clip]]
    odd: Mapping[str, str]

    def remarks(self) -> list[str]:
        """What is odd about the clips to learn from: damaged files, copies of other labels."""
        said = [f"{path}: {why}" for path, why in list(self.odd.items())[:_N_NAMED]]
        if len(self.odd) > _N_NAMED:
            said.append(f"{len(self.odd) - _N_NAMED} more clips have such files")
        contradiction = labelled_twice(self.copies)
        return said + ([contradiction] if contradiction else [])

    def sentences(self) -> list[str]:
        """One for each reason, with the files' names."""
        said = []
        for reason, paths in self.left_out.items():
            named = first_few(paths, _N_NAMED)
            said.append(f"{how_many(len(paths), 'clip')} left out, {reason}: {named}")
        return said


def usable_clips(
    clips: Sequence[Clip],
    reports: Sequence[CorpusReport],
    *,
    least_s: float,
    folder: Path,
    n_workers: int = 1,
    cluster: str | None = None,
    strict: bool = False,
) -> Usable:
    """Hear every clip and leave out what nothing can be learnt from.

    Parameters
    ----------
    clips : sequence of Clip
    reports : sequence of CorpusReport
        What was found with them: files that are empty or missing are said again.
    least_s : float
        A clip that is shorter is too short.
    folder : Path
        Where what was heard is kept, for the next time.
    n_workers, cluster
        As :func:`quantize.data.corpora.hearing.hear_all`.
    strict : bool
        Refuse instead of leaving out.

    Raises
    ------
    CorpusError
        If nothing is left, or, with `strict`, something would be left out.
    """
    facts = _heard(clips, folder, n_workers, cluster)
    left_out: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        for reason, paths in report.skipped.items():
            if reason.startswith(FAULTS):
                left_out[reason] += paths
    kept, ids = [], []
    for clip in clips:
        problem = faults_of(facts[clip.clip_id], least_s)
        if problem is None:
            kept.append(clip)
        else:
            ids.append(clip.clip_id)
            left_out[problem].append(str(clip.path))
    usable = Usable(
        kept,
        {why: tuple(left_out[why]) for why in sorted(left_out)},
        tuple(ids),
        copies_among(kept, facts),
        {str(clip.path): why for clip in kept if (why := facts[clip.clip_id].odd)},
    )
    if strict and usable.left_out:
        raise CorpusError(f"--strict: {'; '.join(usable.sentences())}")
    if not kept:
        raise CorpusError(f"no clip can be learnt from: {'; '.join(usable.sentences())}")
    return usable


def shortest_s(spec: FeatureSpec) -> float:
    """Shortest clip that is taken: two frames, for a change of tempo may leave less."""
    return 2 * spec.win_length / spec.sample_rate


def faults_of(facts: ClipFacts, least_s: float) -> str | None:
    """Why nothing can be learnt from a clip; None: something can."""
    if facts.problem is not None:
        return facts.problem
    if facts.duration_s < least_s:
        return f"is shorter than {1000 * least_s:.0f} ms"
    return None


def _heard(
    clips: Sequence[Clip], folder: Path, n_workers: int, cluster: str | None
) -> dict[str, ClipFacts]:
    """Facts of every clip, by id; only what was not heard before is opened."""
    path = folder / "heard.json"
    known = _read(path)
    keys = dict(zip((c.clip_id for c in clips), _keys(clips, folder), strict=True))
    new = [clip for clip in clips if keys[clip.clip_id] not in known]
    if new:
        heard = hear_all(new, n_workers, cluster)
        for clip, facts in zip(new, heard, strict=True):
            known[keys[clip.clip_id]] = facts
        # What cannot be kept is heard again: a folder that takes no file, a full disk.
        with contextlib.suppress(OSError, EdgeSerError):
            kept = sorted(key for key in known if not key.startswith(_UNREAD))
            clips_of = {key: known[key].to_dict() for key in kept}
            write_json(path, {"format": _FORMAT, "clips": clips_of})
    return {clip.clip_id: known[keys[clip.clip_id]] for clip in clips}


def _keys(clips: Sequence[Clip], folder: Path) -> list[str]:
    """What decides the facts of each clip: the file's digest, and which part of it."""
    readable = [c.path for c in clips if c.path.is_file() and os.access(c.path, os.R_OK)]
    try:
        digests = dict(zip(readable, ContentIndex(folder).digests(readable), strict=True))
    except EdgeSerError:
        # One of them cannot be read after all. Which, hearing them tells.
        digests = {}
    return [
        f"{digests[c.path]}{_part(c)}" if c.path in digests else f"{_UNREAD}{c.clip_id}"
        for c in clips
    ]


def _part(clip: Clip) -> str:
    whole = clip.start_s is None and clip.end_s is None
    return "" if whole else f"@{clip.start_s}-{clip.end_s}"


def _read(path: Path) -> dict[str, ClipFacts]:
    try:
        content: Any = parse_json(path.read_bytes())
        if content["format"] == _FORMAT:
            return {key: ClipFacts(**facts) for key, facts in content["clips"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return {}
