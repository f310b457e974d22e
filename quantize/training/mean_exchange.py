"""Training crops with the means of other speakers' voices and microphones.

A few dozen speakers teach a model who speaks, not only how.  Subtracting part of a speaker's
mean features and adding as much of another speaker's gives every utterance voices and rooms
that it was never said in; the movement within the utterance, which carries the feeling, stays.
The same is done with the statistics of a network's layers by MixStyle (Zhou et al., 2021).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns
from quantize.data.features.voices import voice_totals

__all__ = ["MeanExchange"]


class MeanExchange:
    """Mean features of every speaker, and crops that change hands.

    MFCC and contrast are shifted, the level in dB and the pitch by a factor; chroma, which
    folds octaves and scales by the loudest, stays.

    Parameters
    ----------
    spec : FeatureSpec
    speakers : sequence of str
        Of every clip.
    rows : sequence of float [shape=(n_frames, n_features)]
        Feature rows of every clip, not normalised.
    """

    def __init__(
        self, spec: FeatureSpec, speakers: Sequence[str], rows: Sequence[NDArray[np.floating]]
    ) -> None:
        self._columns = VoiceColumns(spec)
        sums: defaultdict[str, NDArray[np.float64]] = defaultdict(
            lambda: np.zeros((2, spec.n_features))
        )
        for speaker, each in zip(speakers, rows, strict=True):
            sums[speaker] += voice_totals(self._columns, each)
        numbers = {speaker: number for number, speaker in enumerate(sums)}
        self._speaker = np.array([numbers[speaker] for speaker in speakers])
        #: float64 [shape=(n_speakers, n_features)]: MFCC and contrast as they are, the level
        #: in dB, the natural logarithm of the pitch; 0 for chroma.
        self.means = np.stack([total / np.maximum(count, 1.0) for total, count in sums.values()])

    def exchanged(
        self,
        crops: NDArray[np.float32],
        clips: Sequence[int],
        share: float,
        rng: np.random.Generator,
        left: NDArray[np.floating] | float = 1.0,
    ) -> NDArray[np.float32]:
        """Crops of which some have a random part of another speaker's means, or of the average's.

        Parameters
        ----------
        crops : float32 [shape=(n_crops, n_frames, n_features)]
            Not normalised.
        clips : sequence of int
            Which clip each crop is of.
        share : float
            How often a crop is changed.
        rng : numpy.random.Generator
        left : float [shape=(n_crops, 1)], optional
            How much of its voice's mean a crop still has, where a reference took some away.

        Returns
        -------
        float32 [shape=(n_crops, n_frames, n_features)]
            New; unvoiced frames keep their pitch of 0.
        """
        own = self._speaker[np.asarray(clips)]
        target = self.means[rng.integers(len(self.means), size=len(own))]
        # Half of the time towards the middle of all speakers and not past it.
        target[rng.random(len(own)) < 0.5] = self.means.mean(axis=0)
        part = rng.random((len(own), 1)) * (rng.random((len(own), 1)) < share)
        change = (left * part * (target - self.means[own])).astype(np.float32)[:, None, :]
        crops = crops.copy()
        self._columns.move(crops, change)
        return crops
