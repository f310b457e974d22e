"""Labels and accuracy of a quantized model against torch, by corpus and by speaker."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import softmax
from quantize.basics.progress import progress_bar
from quantize.data.corpora import Clip
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet
from quantize.measure.evaluate import Evaluation, Runner, check_features, language_ids
from quantize.measure.scoring import Infer, score_utterances

__all__ = ["Agreement", "clip_agreement", "score_clips", "segment_agreement"]

_CHUNK = 25


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How a quantized model answers beside torch fp32, over some clips or segments.

    Parameters
    ----------
    group, name : str
        ``"all"``, ``"corpus"`` or ``"speaker"``, and which.
    unit : str
        ``"clips"`` (held out, whole) or ``"segments"``.
    n : int
        How many.
    agreement : float
        Share with the same label.
    accuracy_fp32, accuracy : float, optional
        Of clips; None where nothing was held out.
    """

    group: str
    name: str
    unit: str
    n: int
    agreement: float
    accuracy_fp32: float | None = None
    accuracy: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, with the difference of the accuracies."""
        fields = dataclasses.asdict(self)
        delta = None
        if self.accuracy is not None and self.accuracy_fp32 is not None:
            delta = self.accuracy - self.accuracy_fp32
        return {**fields, "accuracy_delta": delta}


def score_clips(
    runner: Runner,
    clips: Sequence[Clip],
    cache: FeatureCache,
    all_clips: Sequence[Clip],
    labels: Sequence[str],
    n_workers: int = 1,
) -> Evaluation:
    """Score clips as :func:`quantize.measure.evaluate.evaluate` does, with a progress bar."""
    check_features(runner, cache)
    rows = cache.load(all_clips, 0, n_workers)
    parts = [clips[first : first + _CHUNK] for first in range(0, len(clips), _CHUNK)]
    posteriors = [
        score_utterances(
            runner.infer,
            [rows[c.clip_id] for c in part],
            language_ids(part, "unknown", runner),
            window_frames=runner.window_frames,
            **runner.scoring(labels),
        )
        for part in progress_bar(parts, len(parts), f"{runner.name}, held-out clips")
    ]
    return Evaluation(tuple(clips), np.concatenate(posteriors), tuple(labels), runner.labels)


def clip_agreement(wanted: Evaluation, found: Evaluation) -> list[Agreement]:
    """Compare two models on the same clips: all of them, by corpus, and by speaker."""
    truth = wanted.truth
    same = wanted.posteriors.argmax(axis=1) == found.posteriors.argmax(axis=1)
    right_before = wanted.posteriors.argmax(axis=1) == truth
    right_after = found.posteriors.argmax(axis=1) == truth
    corpora = [c.corpus for c in wanted.clips]
    speakers = [c.speaker for c in wanted.clips]
    return _grouped(
        corpora,
        speakers,
        lambda group, name, chosen: Agreement(
            group,
            name,
            "clips",
            int(chosen.sum()),
            float(same[chosen].mean()),
            float(right_before[chosen].mean()),
            float(right_after[chosen].mean()),
        ),
    )


def segment_agreement(
    wanted: Infer, found: Infer, segments: SegmentSet, runner: Runner
) -> tuple[list[Agreement], float, float]:
    """Compare two models on single segments.

    Returns
    -------
    agreements : list of Agreement
        Without accuracies.
    largest, mean : float
        Absolute difference of the posteriors.
    """
    rows = runner.normalised(segments.rows)
    starts = range(0, len(rows), _CHUNK)
    pairs = []
    for first in progress_bar(starts, len(starts), f"{runner.name}, segments"):
        batch = rows[first : first + _CHUNK]
        logits = [infer(batch, runner.unknown) for infer in (wanted, found)]
        pairs.append([softmax(each, runner.temperature) for each in logits])
    before = np.concatenate([pair[0] for pair in pairs])
    after = np.concatenate([pair[1] for pair in pairs])
    same = before.argmax(axis=1) == after.argmax(axis=1)
    agreements = _grouped(
        segments.corpora,
        segments.speakers,
        lambda group, name, chosen: Agreement(
            group, name, "segments", int(chosen.sum()), float(same[chosen].mean())
        ),
    )
    difference = np.abs(before - after)
    return agreements, float(difference.max()), float(difference.mean())


def _grouped(
    corpora: Sequence[str],
    speakers: Sequence[str],
    compared: Callable[[str, str, NDArray[np.bool_]], Agreement],
) -> list[Agreement]:
    result = [compared("all", "all", np.ones(len(corpora), dtype=bool))]
    for group, owners in (("corpus", corpora), ("speaker", speakers)):
        names = np.array(owners)
        result += [compared(group, name, names == name) for name in sorted(set(owners))]
    return result
