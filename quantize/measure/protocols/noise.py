"""The protocol ``noise``: held-out utterances in noise, babble and rooms.

Rows under a condition are kept as all others are, in :mod:`quantize.data.features.cache`, so
that a measurement that was interrupted goes on where it was, and another artifact of the same
split is measured without computing them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.data.corpora import Clip
from quantize.measure.evaluate import Runner, language_ids
from quantize.measure.protocols.trials import Trials
from quantize.measure.scoring import score_utterances

__all__ = ["utterance_trials"]


def utterance_trials(
    runner: Runner,
    clips: Sequence[Clip],
    rows: Mapping[str, NDArray[Any]],
    *,
    language: str = "unknown",
    labels: Sequence[str] | None = None,
    heard: Mapping[str, NDArray[np.float32]] | None = None,
) -> Trials:
    """Judge whole utterances: one trial each, the mean posterior of its segments.

    Parameters
    ----------
    runner : Runner
    clips : sequence of Clip
        The utterances.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id.
    language, labels
        As for :func:`quantize.measure.evaluate.evaluate`.
    heard : mapping of str to float32 [shape=(n_frames, n_columns)], optional
        As for :func:`quantize.measure.scoring.score_segments`, by clip id.

    Returns
    -------
    Trials
    """
    posteriors = score_utterances(
        runner.infer,
        [rows[c.clip_id] for c in clips],
        language_ids(clips, language, runner),
        window_frames=runner.window_frames,
        heard=None if heard is None else [heard[c.clip_id] for c in clips],
        **runner.scoring(labels),
    )
    return Trials(tuple(clips), np.arange(len(clips)), posteriors, runner.labels)
