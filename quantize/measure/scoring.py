"""Posteriors of whole utterances, segment by segment, as the device forms them."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import softmax
from edge.artifact import TrainedGate
from edge.features.spec import FeatureSpec
from edge.jobs import run_in_order
from edge.stream.posterior import average_posterior, counted_segments, file_hop
from edge.stream.speech_gate import SpeechGate, segment_level_db
from edge.stream.trained_gate import TrainedSpeechGate
from quantize.data.features.windows import segment_bounds

__all__ = [
    "Infer",
    "Segments",
    "counted",
    "score_files",
    "score_segments",
    "score_utterances",
    "utterance_posterior",
]

#: Normalised rows (B, T, F) and one language id to logits (B, n_labels).
Infer = Callable[[NDArray[np.float32], int], NDArray[np.floating]]

_BATCH = 64

#: Batches from which on processes are started for them.
_MANY = 32


@dataclasses.dataclass(frozen=True)
class Segments:
    """Scores of one utterance's segments, in order of time.

    Parameters
    ----------
    bounds : list of (int, int)
        First and end row of every segment.
    posteriors : float64 [shape=(n_segments, n_labels)]
        Unsmoothed.
    levels_db : list of float
        Level of every segment in dBFS.
    speech : list of bool
        Whether the device's speech gate lets the segment through.
    speech_shares : list of float, optional
        Share of every segment's frames that hold speech; None where nothing tells.
    """

    bounds: list[tuple[int, int]]
    posteriors: NDArray[np.float64]
    levels_db: list[float]
    speech: list[bool]
    speech_shares: list[float] | None = None


def score_segments(
    infer: Infer,
    rows: Sequence[NDArray[np.floating]],
    languages: Sequence[int],
    *,
    spec: FeatureSpec,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    window_frames: int,
    window_hop: int,
    temperature: float = 1.0,
    classes: Sequence[int] | None = None,
    gate: TrainedGate | None = None,
    heard: Sequence[NDArray[np.float32]] | None = None,
    n_jobs: int = 1,
    cluster: str | None = None,
) -> list[Segments]:
    """Posterior of every segment of every utterance.

    Parameters
    ----------
    infer : callable
        Runs the model; segments of one length and language come in batches.
    rows : sequence of float [shape=(n_frames, n_features)]
        Feature rows of each utterance, not normalised.
    languages : sequence of int
        Language id of each utterance.
    spec, mean, std, window_frames, window_hop, temperature
        As in the artifact's manifest.
    classes : sequence of int, optional
        Label numbers that may be answered; None: all. The posterior of the others is 0
        and the rest is renormalised, so that across corpora a model does not lose by
        answering a class that the test corpus cannot contain.
    gate : TrainedGate, optional
        Tells the share of speech in every segment; None: nothing does.
    heard : sequence of float32 [shape=(n_frames, n_columns)], optional
        What the model hears of each utterance, normalised, where that is not `rows`: level and
        gate are told by the rows all the same.
    n_jobs, cluster
        Who runs the model, see :func:`edge.jobs.run_in_order`: batches are the same for any
        number. Few are run here: starting processes would take longer.

    Returns
    -------
    list of Segments
        One an utterance.
    """
    rms_column = spec.feature_names.index("rms")
    normalised = heard or [((r - mean) / std).astype(np.float32) for r in rows]
    bounds = [segment_bounds(len(r), window_frames, window_hop) for r in rows]
    waiting: Mapping[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for at, places_of_one in enumerate(bounds):
        for number, (first, end) in enumerate(places_of_one):
            waiting[end - first, languages[at]].append((at, number, first))
    posteriors: list[list[NDArray[np.float64]]] = [[np.empty(0)] * len(b) for b in bounds]
    parts = [
        (n_frames, language, places[start : start + _BATCH])
        for (n_frames, language), places in waiting.items()
        for start in range(0, len(places), _BATCH)
    ]
    batches = (
        (np.stack([normalised[at][first : first + n_frames] for at, _, first in part]), language)
        for n_frames, language, part in parts
    )
    many = len(parts) >= _MANY
    everyone = run_in_order(
        functools.partial(_run, infer),
        batches,
        n_jobs=n_jobs if many else 1,
        cluster=cluster if many else None,
    )
    for (_, _, part), logits in zip(parts, everyone, strict=True):
        scores = _posteriors(logits, temperature, classes)
        for (at, number, _), posterior in zip(part, scores, strict=True):
            posteriors[at][number] = posterior
    loud = SpeechGate()
    frame_gate = None if gate is None else TrainedSpeechGate(gate, spec)
    segments = []
    for places_of_one, scored, of_one in zip(bounds, posteriors, rows, strict=True):
        frame_rms = [of_one[first:end, rms_column] for first, end in places_of_one]
        shares = None
        if frame_gate is not None:
            frame_gate.reset()
            spoken = frame_gate.push(np.zeros(0, dtype=np.float32), of_one.astype(np.float32))
            shares = [float(spoken[first:end].mean()) for first, end in places_of_one]
        segments.append(
            Segments(
                places_of_one,
                np.stack(scored),
                [segment_level_db(levels) for levels in frame_rms],
                [loud.is_speech(levels) for levels in frame_rms],
                shares,
            )
        )
    return segments


def _run(infer: Infer, batch: tuple[NDArray[np.float32], int]) -> NDArray[np.floating]:
    return infer(*batch)


def _posteriors(
    logits: NDArray[np.floating], temperature: float, classes: Sequence[int] | None
) -> NDArray[np.float64]:
    if classes is None:
        return softmax(logits, temperature)
    # Leaving logits out before the softmax is the renormalised posterior, without its
    # division by what may have been rounded to nothing.
    posterior = np.zeros(logits.shape)
    posterior[:, classes] = softmax(logits[:, classes], temperature)
    return posterior


def score_files(
    infer: Infer,
    rows: Sequence[NDArray[np.floating]],
    languages: Sequence[int],
    *,
    window_hop: int,
    **settings: Any,
) -> list[Segments]:
    """Posterior of every segment that ``edge-ser classify`` averages over a file.

    Parameters
    ----------
    infer, rows, languages, **settings
        As for :func:`score_segments`.
    window_hop : int
        The artifact's; the segments lie as :func:`edge.stream.posterior.file_hop` says.

    Returns
    -------
    list of Segments
        One an utterance.
    """
    return score_segments(infer, rows, languages, window_hop=file_hop(window_hop), **settings)


def score_utterances(
    infer: Infer,
    rows: Sequence[NDArray[np.floating]],
    languages: Sequence[int],
    **settings: Any,
) -> NDArray[np.float64]:
    """Posterior of every utterance, as ``edge-ser classify`` gives it.

    See :func:`utterance_posterior`.

    Parameters
    ----------
    infer, rows, languages, **settings
        As for :func:`score_files`.

    Returns
    -------
    float64 [shape=(n_utterances, n_labels)]
    """
    scored = score_files(infer, rows, languages, **settings)
    return np.stack([utterance_posterior(each, each.posteriors) for each in scored])


def utterance_posterior(
    segments: Segments, posteriors: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Posterior of an utterance: the weighed mean over its segments, as on a device.

    Parameters
    ----------
    segments : Segments
    posteriors : float [shape=(n_segments, n_labels)]
        Of the segments, their own or at another temperature.

    Returns
    -------
    float64 [shape=(n_labels,)]

    Notes
    -----
    Where the device would hear nobody it gives no answer. Every clip of a test set has a
    truth and is judged by it: then all segments near the loudest count.
    """
    posterior = average_posterior(
        posteriors, segments.levels_db, counted(segments), segments.speech_shares
    )
    assert posterior is not None
    return posterior


def counted(segments: Segments) -> NDArray[np.bool_]:
    """Tell which segments of an utterance count, see :func:`utterance_posterior`.

    Returns
    -------
    bool [shape=(n_segments,)]
        True at least once.
    """
    mask = counted_segments(segments.levels_db, segments.speech)
    if mask.any():
        return mask
    return counted_segments(segments.levels_db, [True] * len(segments.speech))
