"""The protocol ``segments``: single windows as a device judges them, one trial each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.stream.posterior import counted_segments
from quantize.data.corpora import Clip
from quantize.data.sound.level import speech_frames
from quantize.measure.evaluate import Runner, language_ids
from quantize.measure.protocols.trials import Trials
from quantize.measure.scoring import Segments, score_segments

__all__ = ["WINDOWS_S", "segment_trials", "speech_told_by"]

#: Lengths of the windows, in seconds.
WINDOWS_S = (1.0, 1.5, 2.0)


def segment_trials(
    runner: Runner,
    clips: Sequence[Clip],
    rows: Mapping[str, NDArray[Any]],
    window_s: float,
    *,
    language: str = "unknown",
    labels: Sequence[str] | None = None,
) -> Trials:
    """Judge every window of every utterance for itself, unsmoothed.

    Parameters
    ----------
    runner : Runner
    clips : sequence of Clip
        The utterances.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id.
    window_s : float
        Length of a window in seconds, rounded down to whole frames as on a device; the
        hop is the model's own.
    language, labels
        As for :func:`quantize.measure.evaluate.evaluate`.

    Returns
    -------
    Trials
        Windows count that the device's speech gate lets through and that lie within
        :data:`edge.stream.posterior.SPEECH_RANGE_DB` of their utterance's loudest, as in the
        average of a file. An utterance shorter than the window is one trial, as at the
        end of a stream. Each has its share of speech, by the runner's speech gate; where there
        is none, of frames within :data:`quantize.data.sound.level.SPEECH_RANGE_DB` of the
        utterance's loudest.

    Raises
    ------
    ParameterError
        If the window holds no frame, or no window holds speech.
    """
    window_frames = runner.spec.n_frames(round(window_s * runner.spec.sample_rate))
    if window_frames < 1:
        raise ParameterError(f"window_s is {window_s}, a window of at least one frame is wanted")
    chosen = [rows[c.clip_id] for c in clips]
    scored = score_segments(
        runner.infer,
        chosen,
        language_ids(clips, language, runner),
        window_frames=window_frames,
        **runner.scoring(labels),
    )
    shares: list[float] = []
    utterance: list[int] = []
    posteriors: list[NDArray[np.float64]] = []
    n_left_out = n_short = 0
    for at, segments in enumerate(scored):
        counted = counted_segments(segments.levels_db, segments.speech)
        of_one = _shares(runner, chosen[at], segments)
        for (first, end), heard, posterior, share in zip(
            segments.bounds, counted, segments.posteriors, of_one, strict=True
        ):
            if not heard:
                n_left_out += 1
                continue
            n_short += end - first < window_frames
            utterance.append(at)
            shares.append(share)
            posteriors.append(posterior)
    if not posteriors:
        raise ParameterError(
            f"none of {n_left_out} windows is loud enough to hold speech: check the recordings"
        )
    return Trials(
        tuple(clips),
        np.array(utterance),
        np.stack(posteriors),
        runner.labels,
        n_left_out,
        int(n_short),
        np.array(shares),
    )


def _shares(runner: Runner, rows: NDArray[Any], segments: Segments) -> list[float]:
    """Share of speech in every segment, by the runner's gate or else by level."""
    if segments.speech_shares is not None:
        return segments.speech_shares
    rms = rows[:, runner.spec.feature_names.index("rms")]
    spoken = speech_frames(np.asarray(rms, dtype=np.float64))
    return [float(spoken[first:end].mean()) for first, end in segments.bounds]


def speech_told_by(runner: Runner) -> str:
    """What tells frames of speech from others, ``"gate"`` or ``"level"``."""
    return "level" if runner.gate is None else "gate"
