"""Training and measuring with what a device has heard of the speaker before."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.adaptation import Adaptation, AdaptedColumns, Statistics
from edge.feature_spec import FeatureSpec
from edge.manifest import AdaptationSpec
from quantize.corpora import Clip

__all__ = ["MEMORY_FRAMES", "PRIOR_FRAMES", "Past", "adaptation_spec", "adapted_rows"]

#: Speech frames that the training speakers' mean weighs as much as: 3.2 s.
PRIOR_FRAMES = 100

#: Speech frames after which older ones fade: two minutes.
MEMORY_FRAMES = 3750


def adaptation_spec(
    clips: Sequence[Clip], rows: Mapping[str, NDArray[Any]], spec: FeatureSpec
) -> AdaptationSpec:
    """Mean of the speakers' means: every speaker counts alike.

    Parameters
    ----------
    clips : sequence of Clip
        Training side.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id, not augmented.
    spec : FeatureSpec
    """
    columns = AdaptedColumns(spec)
    speakers: dict[str, Statistics] = {}
    for clip in clips:
        heard = columns.statistics(rows[clip.clip_id])
        if clip.speaker in speakers:
            speakers[clip.speaker].add(heard)
        else:
            speakers[clip.speaker] = heard
    means = np.mean([each.means for each in speakers.values()], axis=0)
    return AdaptationSpec(tuple(float(f"{m:.6g}") for m in means), PRIOR_FRAMES, MEMORY_FRAMES)


class Past:
    """What a device may have heard before a training crop.

    Parameters
    ----------
    spec : FeatureSpec
    settings : AdaptationSpec
    max_history : int
        Clips heard before, at most.
    """

    def __init__(self, spec: FeatureSpec, settings: AdaptationSpec, max_history: int) -> None:
        self.columns = AdaptedColumns(spec)
        self._settings, self._max_history = settings, max_history
        self._reference = np.array(settings.reference)

    def listen(
        self, speakers: Sequence[str], rows: Sequence[Sequence[NDArray[np.floating]]]
    ) -> None:
        """Take the statistics of every clip and variant.

        Parameters
        ----------
        speakers : sequence of str
            Of every clip.
        rows : sequence of sequence of float [shape=(n_frames, n_features)]
            By clip, then by variant; the first variant is the clip itself.
        """
        heard = [[self.columns.statistics(v) for v in variants] for variants in rows]
        self._sums = np.array([clip[0].sums for clip in heard])
        self._counts = np.array([clip[0].counts for clip in heard])
        # An augmented clip stands for a session in which everything was changed as it was.
        self._change = [[v.means - clip[0].means for v in clip] for clip in heard]
        mates = defaultdict(list)
        for at, speaker in enumerate(speakers):
            mates[speaker].append(at)
        self._mates = [np.array(mates[speaker]) for speaker in speakers]

    def offset(
        self, clip: int, variant: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], float]:
        """Correction after a random number of the speaker's clips, and how far it goes.

        Returns
        -------
        offset : float64 [shape=(n_features,)]
        weight : float
            Share of a change of level that is corrected.
        """
        mates = self._mates[clip]
        n_heard = round(math.exp(rng.uniform(0.0, math.log(self._max_history))))
        chosen = mates[rng.integers(mates.size, size=n_heard)]
        counts = self._counts[chosen].sum(axis=0)
        means = self._sums[chosen].sum(axis=0) / np.maximum(counts, 1e-12)
        weight = counts / (counts + self._settings.prior_frames)
        offset: NDArray[np.float64] = weight * (
            means + self._change[clip][variant] - self._reference
        )
        return offset, float(weight[self.columns.rms])


def adapted_rows(
    clips: Sequence[Clip],
    rows: Mapping[str, NDArray[Any]],
    spec: FeatureSpec,
    settings: AdaptationSpec,
    seed: int = 0,
) -> dict[str, NDArray[np.float32]]:
    """Rows as a device corrects them that hears each speaker's clips one after the other.

    Parameters
    ----------
    clips : sequence of Clip
        Those that are measured; nothing else is heard.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id, not normalised.
    spec : FeatureSpec
    settings : AdaptationSpec
    seed : int
        Of the order in which a speaker's clips are heard.

    Returns
    -------
    dict of str to float32 [shape=(n_frames, n_features)]
        By clip id. A clip is corrected by those before it alone, so the first of every
        speaker stays as it was; labels take no part.
    """
    by_speaker = defaultdict(list)
    for clip in sorted(clips, key=lambda c: c.clip_id):
        by_speaker[clip.corpus, clip.speaker].append(clip.clip_id)
    rng = np.random.default_rng(seed)
    result = {}
    for _, names in sorted(by_speaker.items()):
        adaptation = Adaptation(spec, settings)
        for at in rng.permutation(len(names)):
            each = np.asarray(rows[names[at]], dtype=np.float32)
            result[names[at]] = adaptation.correct(each)
            adaptation.hear(each)
    return result
