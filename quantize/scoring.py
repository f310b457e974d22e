"""Posteriors of whole utterances, segment by segment, as the device forms them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision import average_posterior, softmax
from edge.feature_spec import FeatureSpec
from edge.speech_gate import segment_level_db

__all__ = ["WINDOW_FRAMES", "WINDOW_HOP", "Infer", "score_utterances", "segment_bounds"]

#: The device's segments with the default FeatureSpec: 2 s, one every 0.512 s.
WINDOW_FRAMES, WINDOW_HOP = 61, 16

#: Normalised rows (B, T, F) and one language id to logits (B, n_labels).
Infer = Callable[[NDArray[np.float32], int], NDArray[np.floating]]

_BATCH = 64


def segment_bounds(n_rows: int, window_frames: int, window_hop: int) -> list[tuple[int, int]]:
    """First and end row of every segment of an utterance.

    The segments of :meth:`edge.classifier.Classifier.classify`: whole windows a hop
    apart, and one more that ends with the last row when it would go unheard.
    """
    ends = list(range(window_frames, n_rows + 1, window_hop))
    if n_rows and (not ends or ends[-1] != n_rows):
        ends.append(n_rows)
    return [(max(0, end - window_frames), end) for end in ends]


def score_utterances(
    infer: Infer,
    rows: Sequence[NDArray[np.float32]],
    languages: Sequence[int],
    *,
    spec: FeatureSpec,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    window_frames: int,
    window_hop: int,
    temperature: float = 1.0,
) -> NDArray[np.float64]:
    """Posterior of every utterance: the mean over its segments with speech.

    Parameters
    ----------
    infer : callable
        Runs the model; segments of one length and language come in batches.
    rows : sequence of float32 [shape=(n_frames, n_features)]
        Feature rows of each utterance, not normalised.
    languages : sequence of int
        Language id of each utterance.
    spec, mean, std, window_frames, window_hop, temperature
        As in the artifact's manifest.

    Returns
    -------
    float64 [shape=(n_utterances, n_labels)]
    """
    rms_column = spec.feature_names.index("rms")
    normalised = [((r - mean) / std).astype(np.float32) for r in rows]
    levels: list[list[float]] = []
    waiting: Mapping[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for at, utterance in enumerate(rows):
        bounds = segment_bounds(len(utterance), window_frames, window_hop)
        levels.append([segment_level_db(utterance[a:b, rms_column]) for a, b in bounds])
        for number, (first, end) in enumerate(bounds):
            waiting[end - first, languages[at]].append((at, number, first))
    segments: list[list[NDArray[np.float64]]] = [[np.empty(0)] * len(each) for each in levels]
    for (n_frames, language), places in waiting.items():
        for start in range(0, len(places), _BATCH):
            part = places[start : start + _BATCH]
            batch = np.stack([normalised[at][first : first + n_frames] for at, _, first in part])
            posteriors = softmax(infer(batch, language), temperature)
            for (at, number, _), posterior in zip(part, posteriors, strict=True):
                segments[at][number] = posterior
    return np.stack(
        [average_posterior(each, db) for each, db in zip(segments, levels, strict=True)]
    )
