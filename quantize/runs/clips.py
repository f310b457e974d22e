"""The clips that trained runs are measured on: labelled as they were for their training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ParameterError
from quantize.basics.errors import SplitError, TrainingError
from quantize.data.corpora import Clip, Roots, load_corpora
from quantize.data.corpora.contents import ContentIndex

if TYPE_CHECKING:
    # It asks us for its clips.
    from quantize.runs.run import Run

__all__ = ["check_one_label_map", "clips_digest", "load_clips", "sides_digests"]


def load_clips(
    runs: Sequence[Run],
    data: Roots,
    corpora: Sequence[str] | None = None,
    asked: Mapping[str, str | None] | None = None,
    cache: Path | None = None,
) -> list[Clip]:
    """Load the corpora as all of some runs were trained on them, see :meth:`Run.clips`.

    Where ``cache`` is named, the folder of cached features, other recordings under the names of
    the runs' clips are refused.

    Raises
    ------
    EdgeSerError
        If they cannot be loaded, another label map is asked for, or the runs have different ones.
    """
    for run in runs:
        if asked and dict(asked) != run.label_map:
            raise ParameterError(
                f"--map-label says {_words(asked)}, {run.folder} was trained with "
                f"{_words(run.label_map)}: leave the option out, a run is measured with its own"
            )
    check_one_label_map(runs)
    own = [
        name
        for run in runs
        for name in run.settings.corpora
        if name not in run.settings.lessons or run.settings.split == "all"
    ]
    # All that the label map may have words of, so that none is unknown.
    names = list(dict.fromkeys((*own, *(corpora or ())))) if own else corpora
    try:
        clips, _ = load_corpora(data, names, runs[0].label_map)
    except ParameterError as error:
        raise ParameterError(
            f"{runs[0].folder} was trained on {', '.join(runs[0].settings.corpora)}: {error}"
        ) from error
    labels = {label for run in runs for label in run.labels}
    clips = [c for c in clips if c.label in labels and (corpora is None or c.corpus in corpora)]
    # What nothing could be learnt from can be measured on no better.
    left_out = {clip_id for run in runs for clip_id in run.left_out}
    clips = [c for c in clips if c.clip_id not in left_out]
    if cache is not None:
        contents = ContentIndex(cache)
        for run in runs:
            _check_same_clips(run, clips, contents)
    return clips


def clips_digest(clips: Sequence[Clip], contents: ContentIndex) -> str:
    """SHA-256 of the names, labels and recordings of some clips, in whatever order.

    Parameters
    ----------
    clips : sequence of Clip
    contents : ContentIndex
        Knows what the files hold.

    Raises
    ------
    AudioFileError
        If a file cannot be read.
    """
    digests = contents.digests([clip.path for clip in clips])
    entries = [
        [clip.clip_id, clip.label, digest, clip.start_s, clip.end_s]
        for clip, digest in zip(clips, digests, strict=True)
    ]
    # Its name tells a clip from every other one.
    entries.sort(key=lambda entry: str(entry[0]))
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def sides_digests(
    learned: Sequence[Clip], held_out: Sequence[Clip], contents: ContentIndex
) -> dict[str, str]:
    """What a training keeps of the clips on its two sides."""
    return {
        "learned": clips_digest(learned, contents),
        "held out": clips_digest(held_out, contents),
    }


def _check_same_clips(run: Run, clips: Sequence[Clip], contents: ContentIndex) -> None:
    """Refuse other recordings, or other labels, under the names of a run's clips.

    Parameters
    ----------
    run : Run
    clips : sequence of Clip
        A side whose clips are not all among them is not looked at.
    contents : ContentIndex

    Raises
    ------
    SplitError
        If a side is not what the run was trained on, or held out.
    """
    told = run.training.get("clips")
    split = run.split
    if not isinstance(told, dict) or split is None:
        return
    by_id = {clip.clip_id: clip for clip in clips}
    for side, ids in (("held out", split.test), ("learned", split.train)):
        if not all(clip_id in by_id for clip_id in ids):
            continue
        if clips_digest([by_id[i] for i in ids], contents) != told.get(side):
            raise SplitError(
                f"the clips that {run.folder} {side} are not those that are here: under their "
                "names lie other recordings, or they have other labels; take the corpora of the "
                "training, or train the run anew"
            )


def check_one_label_map(runs: Sequence[Run]) -> None:
    """Refuse to put figures side by side that are of differently labelled clips.

    Raises
    ------
    TrainingError
        If two runs have different label maps.
    """
    for run in runs[1:]:
        if run.label_map != runs[0].label_map:
            raise TrainingError(
                f"{run.folder} was trained with {_words(run.label_map)}, {runs[0].folder} with "
                f"{_words(runs[0].label_map)}: figures of other labels cannot be compared, name "
                "runs of one label map"
            )


def _words(label_map: Mapping[str, str | None]) -> str:
    pairs = ", ".join(f"{word}={label}" for word, label in sorted(label_map.items()))
    return f"--map-label {pairs}" if pairs else "no --map-label"
