"""What a decision rests on: pitch, level, attention and posteriors of a whole clip.

Arrays alone; :mod:`edge.explain.picture` draws them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import BackendError
from edge.features import FeatureExtractor
from edge.runtimes.base import AttentiveSession, Model
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.deprecated import renamed
from edge.stream.posterior import average_posterior, counted_segments
from edge.stream.speech_gate import SILENCE_DB

__all__ = [
    "Explanation",
    "Stretch",
    "attention_over_time",
    "attentive",
    "envelope",
    "explain",
    "stretches",
]

Doubles = NDArray[np.float64]


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
        See :func:`attention_over_time`; NaN where it is quiet.
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
    corpus: str | None = None,
    window_s: float | None = None,
    language: str | None = None,
) -> Explanation:
    """Decide on a clip and keep what the decisions rest on.

    Parameters
    ----------
    classifier : Classifier
        Its model's sessions must be :class:`edge.runtimes.base.AttentiveSession`.
    samples, sample_rate, segment_s, hop_s, corpus, window_s, language
        As in :meth:`Classifier.classify`, whose decisions these are.

    Raises
    ------
    BackendError
        If the backend gives no attention weights.
    ParameterError
        As :meth:`Classifier.classify`.
    """
    segment_s = renamed("segment_s", segment_s, "window_s", window_s)
    corpus = renamed("corpus", corpus, "language", language)
    recorder = _Recorder(attentive(classifier.model))
    spec = classifier.spec
    clip = classifier.at_model_rate(samples, sample_rate)
    decisions = Classifier(classifier.artifact, recorder).classify(
        clip, spec.sample_rate, segment_s=segment_s, hop_s=hop_s, corpus=corpus
    )
    # The rows that the decisions were made on, to the last bit: features depend on the
    # samples alone and not on how they were cut into blocks.
    rows = FeatureExtractor(spec).extract(clip).astype(np.float64)
    pitch_hz = rows[:, spec.feature_names.index("pitch_hz")]
    rms = rows[:, spec.feature_names.index("rms")]
    rate_hz = spec.sample_rate / spec.hop_length
    # The model is not asked about what is quiet.
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
        posterior=average_posterior(posteriors, *_levels(decisions)),
        stretches=stretches(decisions, clip.size / spec.sample_rate),
    )


def attentive(model: Model) -> AttentiveSession:
    """Open a session that gives attention weights.

    Raises
    ------
    BackendError
        If the model's sessions give none.
    """
    session = model.session()
    if not isinstance(session, AttentiveSession):
        raise BackendError(
            f"backend {model.name!r} gives no attention weights, which explaining a decision "
            "needs: use an artifact that was exported for 'numpy', as the bundled default was"
        )
    return session


def attention_over_time(
    shares: Sequence[ArrayLike], first_rows: Sequence[int], n_frames: int
) -> Doubles:
    """Lay the attention of overlapping segments over the clip.

    Parameters
    ----------
    shares : sequence of float [shape=(n_segment_frames,)]
        Share of a segment's attention that each of its frames receives.
    first_rows : sequence of int
        Frame of the clip that each segment begins with.
    n_frames : int
        Frames of the clip.

    Returns
    -------
    float64 [shape=(n_frames,)]
        Share times the segment's number of frames, so that 1 is even attention, and of
        that the mean over the segments that hold the frame; NaN where none does.
    """
    total, n_segments = np.zeros(n_frames), np.zeros(n_frames)
    for share, first in zip(shares, first_rows, strict=True):
        values = np.asarray(share, dtype=np.float64)
        held = slice(first, first + values.size)
        total[held] += values * values.size
        n_segments[held] += 1
    mean: Doubles = np.full(n_frames, np.nan)
    np.divide(total, n_segments, out=mean, where=n_segments > 0)
    return mean


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


class _Recorder:
    """A model whose one session passes on to another and keeps the attention of every segment."""

    name = "recorder"

    def __init__(self, session: AttentiveSession) -> None:
        self.shares: list[NDArray[np.float32]] = []
        self._session = session

    def session(self) -> _Recorder:
        return self

    def infer(self, features: NDArray[np.float32], corpus: int) -> NDArray[np.float32]:
        logits, attention = self._session.infer_with_attention(features, corpus)
        self.shares.extend(attention.mean(axis=1))
        return logits
