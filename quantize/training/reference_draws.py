"""References for the voices of training crops: what a device could have heard of each before.

A model that is to serve from the first second on, and better the longer it has heard a voice, is
trained with references of no clip, one, two and so on of the crop's own speaker, see
:mod:`edge.features.voice_reference`.  A life is mostly calm speech, so many of them are drawn from
calm clips alone, or mostly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns, VoiceReference
from quantize.data.features.voices import N_CLIPS, voice_totals

__all__ = ["ReferenceDraws"]

#: How often a reference is of any clips, of calm ones alone, of three calm ones in four.
_KINDS = (0.4, 0.25, 0.35)


class ReferenceDraws:
    """Draws references for training crops.

    Parameters
    ----------
    spec : FeatureSpec
    speakers : sequence of str
        Of every clip, the corpus among it.
    sessions : sequence of str
        Of every clip, see :func:`quantize.data.sound.reading.session_of`.
    calm : sequence of bool
        Whether a clip is spoken calmly.
    rows : sequence of sequence of float [shape=(n_frames, n_features)]
        Feature rows of every clip, by clip and then by variant; not normalised.
    prior_s : float
        See :class:`edge.features.voice_reference.VoiceReference`.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        speakers: Sequence[str],
        sessions: Sequence[str],
        calm: Sequence[bool],
        rows: Sequence[Sequence[NDArray[np.floating]]],
        prior_s: float,
    ) -> None:
        self._columns = VoiceColumns(spec)
        self._frame_s = spec.hop_length / spec.sample_rate
        #: float64 [shape=(n_clips, n_variants, 2, n_features)]
        self._totals = np.stack(
            [np.stack([voice_totals(self._columns, each) for each in clip]) for clip in rows]
        )
        is_calm = np.array(calm, dtype=bool)
        # Clean clips of a speaker sound alike, those of a variant within a session alone.
        self._clean, self._varied = _Groups(speakers, is_calm), _Groups(sessions, is_calm)
        by_speaker = self._clean.clips.values()
        sums = np.stack([self._totals[each, 0].sum(axis=0) for each in by_speaker])
        means = sums[:, 0] / np.maximum(sums[:, 1], 1.0)
        self.reference = VoiceReference(tuple(float(m) for m in means.mean(axis=0)), prior_s)

    def changes(
        self,
        clips: Sequence[int],
        variants: Sequence[int],
        share: float,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """What is to be added to the rows of crops, and the parts.

        Parameters
        ----------
        clips, variants : sequence of int
            Which clip and which of its variants each crop is of: a device hears its voices under
            the conditions that it hears the crop under.
        share : float
            How often a crop has a reference.
        rng : numpy.random.Generator

        Returns
        -------
        float32 [shape=(n_crops, n_features + 1)]
            See :meth:`VoiceReference.change`.
        """
        totals = np.zeros((len(clips), *self._totals.shape[2:]))
        for at, (clip, variant) in enumerate(zip(clips, variants, strict=True)):
            if rng.random() < share:
                chosen = self._chosen(clip, variant, rng)
                totals[at] = self._totals[chosen, variant].sum(axis=0)
        return self.reference.change(totals, self._frame_s).astype(np.float32)

    def _chosen(self, clip: int, variant: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Other clips that the voice is heard alike in, as many as there are at most."""
        groups = self._varied if variant else self._clean
        name = groups.names[clip]
        everything, calm = groups.clips[name], groups.calm[name]
        n_clips = int(rng.choice(N_CLIPS))
        kind = int(rng.choice(len(_KINDS), p=_KINDS))
        n_calm = (0, n_clips, -(-3 * n_clips // 4))[kind]
        chosen = np.concatenate(
            [rng.permutation(calm)[:n_calm], rng.permutation(everything)[: n_clips - n_calm]]
        )
        others: NDArray[np.int64] = chosen[chosen != clip]
        return others

    def move(self, crops: NDArray[np.float32], changes: NDArray[np.float32]) -> None:
        """Move crops that are not normalised, in place: (n_crops, n_frames, n_features)."""
        self._columns.move(crops, changes[:, None, :-1])


class _Groups:
    """Clips by what they have in common, and the calm ones among them."""

    def __init__(self, names: Sequence[str], is_calm: NDArray[np.bool_]) -> None:
        members: defaultdict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(names):
            members[name].append(number)
        self.names = list(names)
        self.clips = {name: np.array(each) for name, each in members.items()}
        self.calm = {name: each[is_calm[each]] for name, each in self.clips.items()}
