"""The protocol ``reference``: whole utterances, with so many clips of the same voice heard before.

The clips of a reference are held out as well and never those that are scored.  They are drawn at
random, from calm ones alone, or three calm ones in four, which is nearer to how a day sounds.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.voice_reference import VoiceColumns, VoiceReference, normalised
from quantize.data.corpora import Clip
from quantize.data.features.voices import CALM, N_CLIPS, voice_totals
from quantize.measure.evaluate import Runner
from quantize.measure.protocols.noise import utterance_trials
from quantize.measure.protocols.trials import Trials

__all__ = ["KINDS", "NO_REFERENCE", "reference_trials"]

NO_REFERENCE = "0 clips"

#: What share of them is calm, where that is said.
KINDS: dict[str, float] = {"random": 0.0, "calm": 1.0, "three in four calm": 0.75}


def reference_trials(
    runner: Runner,
    clips: Sequence[Clip],
    rows: Mapping[str, NDArray[Any]],
    *,
    language: str = "unknown",
    labels: Sequence[str] | None = None,
) -> dict[str, Trials]:
    """Judge whole utterances without a reference, then with every kind and number of clips.

    Parameters
    ----------
    runner : Runner
        Of a model that knows references.
    clips : sequence of Clip
        The utterances, and what references are drawn from.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id, not normalised.
    language, labels
        As for :func:`quantize.measure.evaluate.evaluate`.

    Returns
    -------
    dict of str to Trials
        By the name of the condition, :data:`NO_REFERENCE` first.

    Raises
    ------
    ParameterError
        If the model knows no references, or nobody says who speaks.
    """
    reference = runner.voice_reference
    if reference is None:
        raise ParameterError(
            f"the model {runner.name} knows no references for voices: train one with a recipe "
            "whose [batches] has a reference_share above 0"
        )
    if not any(clip.speaker_known for clip in clips):
        raise ParameterError(
            "nobody says who speaks in the held-out clips, and a reference is of one voice: name a "
            "corpus, or a table with a column speaker"
        )
    asked: dict[str, Any] = {"language": language, "labels": labels}
    trials = {NO_REFERENCE: utterance_trials(runner, clips, rows, **asked)}
    voices = _Voices(runner, reference, clips, rows)
    for kind, calm in KINDS.items():
        for n_clips in N_CLIPS:
            moved = {
                clip.clip_id: voices.moved(number, n_clips, calm)
                for number, clip in enumerate(clips)
            }
            name = f"{n_clips} clip{'s' * (n_clips > 1)}, {kind}"
            trials[name] = utterance_trials(runner, clips, rows, heard=moved, **asked)
    return trials


class _Voices:
    """Held-out clips by who speaks, and rows moved by references of them."""

    def __init__(
        self,
        runner: Runner,
        reference: VoiceReference,
        clips: Sequence[Clip],
        rows: Mapping[str, NDArray[Any]],
    ) -> None:
        self._columns = VoiceColumns(runner.spec)
        self._mean, self._std = runner.mean, runner.std
        self._reference = reference
        self._frame_s = runner.spec.hop_length / runner.spec.sample_rate
        self._clips, self._rows = clips, rows
        self._totals = np.stack([voice_totals(self._columns, rows[c.clip_id]) for c in clips])
        voices: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, clip in enumerate(clips):
            if clip.speaker_known:
                voices[clip.corpus, clip.speaker].append(number)
        self._voices = voices

    def moved(self, number: int, n_clips: int, calm: float) -> NDArray[np.float32]:
        """Normalised rows of a clip with a reference: (n_frames, n_features + 1)."""
        clip = self._clips[number]
        chosen = self._chosen(clip, number, n_clips, calm)
        change = self._reference.change(self._totals[chosen].sum(axis=0), self._frame_s)
        rows = self._rows[clip.clip_id].astype(np.float32)
        self._columns.move(rows, change[:-1].astype(np.float32))
        heard = normalised(rows, self._mean, self._std, rows.shape[1] + 1)
        heard[:, -1] = change[-1]
        return heard

    def _chosen(self, clip: Clip, number: int, n_clips: int, calm: float) -> list[int]:
        """Other clips of the voice: the same on every machine."""
        seed = hashlib.sha256(f"reference {clip.clip_id}".encode()).digest()
        order = np.random.default_rng(list(seed)).permutation(
            self._voices[clip.corpus, clip.speaker]
        )
        others = [int(other) for other in order if other != number]
        n_calm = -(-int(100 * calm) * n_clips // 100)
        chosen = [other for other in others if self._clips[other].label in CALM][:n_calm]
        rest = [other for other in others if other not in chosen]
        return chosen + (rest[: n_clips - n_calm] if calm < 1 else [])
