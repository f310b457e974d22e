"""What a decision rests on: pitch, level, attention and posteriors of a whole clip.

Arrays alone; :mod:`edge.explain.picture` draws them.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import AudioFileError, ParameterError
from edge.explain.attention import Recorder, attention_over_time, attentive
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from edge.stream.answering import Answering
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.deprecated import renamed
from edge.stream.file_answer import FileAnswer, Tally, named_errors, pieces
from edge.stream.lengths import too_short
from edge.stream.posterior import average_posterior, counted_segments
from edge.stream.sample_filter import SampleFilter
from edge.stream.speech_gate import SILENCE_DB
from edge.stream.stream import Stream

__all__ = [
    "Explanation",
    "Stretch",
    "envelope",
    "explain",
    "explain_file",
    "stretches",
]

Doubles = NDArray[np.float64]

#: Longest clip, in seconds.  A picture is 40 inches wide at most, where five minutes are
#: eight seconds an inch; every sample and frame of it is kept in memory.
_LONGEST_S = 300


@dataclasses.dataclass(frozen=True)
class Stretch:
    """A stretch of time that one decision stands for.

    Parameters
    ----------
    start_s, end_s : float
        From the middle between this segment's middle and the one's before to the
        middle between this and the next; the first begins with the clip and the last
        ends with it.
    label : str or None
        The decision; None where it is quiet.
    counted : bool
        Whether the segment has a part in the clip's posterior; one that is quiet, or
        much quieter than the loudest, has none.
    """

    start_s: float
    end_s: float
    label: str | None
    counted: bool


@dataclasses.dataclass(frozen=True)
class Explanation:
    """A clip, what was measured in every frame and what was decided.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        The clip at ``sample_rate``, the model's.
    sample_rate : int
        Of ``samples``, in Hz.
    labels : tuple of str
        Columns of ``posteriors``.
    frame_s : float64 [shape=(n_frames,)]
        Middle of every frame, in seconds.
    pitch_hz : float64 [shape=(n_frames,)]
        NaN where a frame is unvoiced.
    level_db : float64 [shape=(n_frames,)]
        Level of every frame in dBFS.
    attention : float64 [shape=(n_frames,)]
        See :func:`edge.explain.attention.attention_over_time`; NaN where it is quiet.
    decisions : tuple of Decision
        Those of :meth:`Classifier.classify`.
    posteriors : float64 [shape=(n_segments, n_labels)]
        Of every decision; NaN where it is quiet.
    posterior : float64 [shape=(n_labels,)] or None
        Of the clip, see :func:`edge.stream.posterior.average_posterior`; None where
        nobody speaks.
    stretches : tuple of Stretch
        One a decision, side by side over the whole clip.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    labels: tuple[str, ...]
    frame_s: Doubles
    pitch_hz: Doubles
    level_db: Doubles
    attention: Doubles
    decisions: tuple[Decision, ...]
    posteriors: Doubles
    posterior: Doubles | None
    stretches: tuple[Stretch, ...]

    @property
    def duration_s(self) -> float:
        """Length of the clip in seconds."""
        return self.samples.size / self.sample_rate


def explain(
    classifier: Classifier,
    samples: ArrayLike,
    sample_rate: int,
    *,
    segment_s: float | None = None,
    hop_s: float | None = None,
    vad: str | None = None,
    corpus: str | None = None,
    window_s: float | None = None,
    language: str | None = None,
) -> Explanation:
    """Decide on a clip and keep what the decisions rest on.

    Parameters
    ----------
    classifier : Classifier
        Its model's sessions must be :class:`edge.runtimes.base.AttentiveSession`.
    samples, sample_rate, segment_s, hop_s, vad, corpus, window_s, language
        As in :meth:`Classifier.classify`, whose decisions these are, but that each says its
        most probable label, however improbable.

    Raises
    ------
    BackendError
        If the backend gives no attention weights.
    ParameterError
        As :meth:`Classifier.classify`, or if the clip is longer than five minutes.
    """
    segment_s = renamed("segment_s", segment_s, "window_s", window_s)
    corpus = renamed("corpus", corpus, "language", language)
    recorder = Recorder(attentive(classifier.model))
    clip = classifier.at_model_rate(samples, sample_rate)
    recording = Classifier(classifier.artifact, recorder)
    stream = recording.file_stream(segment_s, hop_s, vad=vad, corpus=corpus, min_probability=0.0)
    return _explain(recorder, stream, clip)


def explain_file(
    classifier: Classifier,
    path: str | os.PathLike[str],
    *,
    segment_s: float | None = None,
    hop_s: float | None = None,
    vad: str | None = None,
    corpus: str | None = None,
    min_probability: float | None = None,
    labels: Sequence[str] | None = None,
) -> tuple[FileAnswer, Explanation]:
    """Decide on a file and keep what the decisions rest on.

    Parameters
    ----------
    classifier : Classifier
        As for :func:`explain`.
    path, segment_s, hop_s, vad, corpus, min_probability, labels
        As in :meth:`Classifier.classify_file`, whose answer comes first.  The explanation is of
        all labels.

    Raises
    ------
    AudioFileError
        If the file cannot be read, holds less than one frame or more than minutes.
    BackendError, ParameterError, MissingDependencyError
        As :func:`explain` and :meth:`Classifier.classify_file`.
    """
    started_s = time.perf_counter()
    answering = Answering(classifier.labels, classifier.abstention, min_probability, labels)
    recorder = Recorder(attentive(classifier.model))
    recording = Classifier(classifier.artifact, recorder)
    stream = recording.file_stream(segment_s, hop_s, vad=vad, corpus=corpus, min_probability=0.0)
    spec = classifier.spec
    warnings: list[str] = []
    tally = Tally(len(classifier.labels), answering)
    with named_errors(path) as name:
        parts, n_samples = [], 0
        for piece in pieces(name, spec.sample_rate, warnings):
            parts.append(piece)
            n_samples += piece.size
            _check_length(n_samples, spec)
        if n_samples < spec.win_length:
            raise AudioFileError(too_short("it", n_samples, spec))
        explanation = _explain(recorder, stream, np.concatenate(parts))
    tally.add(explanation.decisions)
    warnings += stream.warnings()
    return tally.answer(name, explanation.duration_s, warnings, started_s), explanation


def _check_length(n_samples: int, spec: FeatureSpec) -> None:
    if n_samples > _LONGEST_S * spec.sample_rate:
        raise ParameterError(
            f"more than {_LONGEST_S} s cannot be explained in one picture: cut out the part that "
            "is of interest"
        )


def _explain(recorder: Recorder, stream: Stream, clip: NDArray[np.float32]) -> Explanation:
    classifier = stream.classifier
    spec = classifier.spec
    _check_length(clip.size, spec)
    decisions = stream.push(clip) + stream.flush()
    # The rows that the decisions were made on, to the last bit: features depend on the
    # samples alone and not on how they were cut into blocks.
    heard = SampleFilter(spec).process_checked(clip)
    rows = FeatureExtractor(spec).extract(heard).astype(np.float64)
    pitch_hz = rows[:, spec.feature_names.index("pitch_hz")]
    rms = rows[:, spec.feature_names.index("rms")]
    rate_hz = spec.sample_rate / spec.hop_length
    # The model is not asked where nobody speaks.
    first_rows = [round(decision.start_s * rate_hz) for decision in decisions if decision.speech]
    nothing = [np.nan] * len(classifier.labels)
    posteriors = np.array(
        [list(each.posterior.values()) if each.posterior else nothing for each in decisions]
    )
    return Explanation(
        samples=clip,
        sample_rate=spec.sample_rate,
        labels=classifier.labels,
        frame_s=(np.arange(len(rows)) * spec.hop_length + spec.win_length / 2) / spec.sample_rate,
        pitch_hz=np.where(pitch_hz > 0, pitch_hz, np.nan),
        level_db=20 * np.log10(np.maximum(rms, 10 ** (SILENCE_DB / 20))),
        attention=attention_over_time(recorder.shares, first_rows, len(rows)),
        decisions=tuple(decisions),
        posteriors=posteriors,
        posterior=average_posterior(posteriors, *_levels(decisions), _shares(decisions)),
        stretches=stretches(decisions, clip.size / spec.sample_rate),
    )


def stretches(decisions: Sequence[Decision], duration_s: float) -> tuple[Stretch, ...]:
    """Part a clip among its decisions, see :class:`Stretch`.

    Parameters
    ----------
    decisions : sequence of Decision
        At least one, in the order of time.
    duration_s : float
        Length of the clip.
    """
    middles = [(decision.start_s + decision.end_s) / 2 for decision in decisions]
    inner = [(before + after) / 2 for before, after in pairwise(middles)]
    edges = [0.0, *inner, duration_s]
    counted = counted_segments(*_levels(decisions)).tolist()
    return tuple(
        Stretch(start_s, end_s, decision.label, is_counted)
        for (start_s, end_s), decision, is_counted in zip(
            pairwise(edges), decisions, counted, strict=True
        )
    )


def _shares(decisions: Sequence[Decision]) -> list[float]:
    """Share of speech in every segment, 1 where nothing tells."""
    return [1.0 if each.speech_share is None else each.speech_share for each in decisions]


def _levels(decisions: Sequence[Decision]) -> tuple[list[float], list[bool]]:
    """Level and speech of every segment; a clip has no gaps."""
    levels_db = [np.nan if each.level_db is None else each.level_db for each in decisions]
    return levels_db, [each.speech for each in decisions]


def envelope(
    samples: NDArray[np.float32], n_columns: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest sample of each of at most ``n_columns`` pieces.

    Returns
    -------
    first : int64 [shape=(n,)]
        Number of the first sample of each piece; the pieces are equally long but for
        the last.
    low, high : float32 [shape=(n,)]
    """
    first = np.arange(0, samples.size, max(1, -(-samples.size // n_columns)))
    return first, np.minimum.reduceat(samples, first), np.maximum.reduceat(samples, first)
