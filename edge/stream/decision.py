"""From logits to a decision: posterior, label, and the average of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError
from edge.stream.smoothing import Smoother, SmootherSettings

__all__ = [
    "SPEECH_RANGE_DB",
    "Decision",
    "Smoother",
    "SmootherSettings",
    "average_posterior",
    "file_hop",
    "speech_segments",
]

#: A segment of a file counts when its level is within this many dB of the
#: file's loudest one.  Speech spans about 30 dB from its loudest to its softest
#: sounds, segments of whole words far less; the silence at both ends of a
#: RAVDESS clip lies 40 dB and more below.
SPEECH_RANGE_DB = 25.0


@dataclasses.dataclass(frozen=True)
class Decision:
    """What was heard in one segment.

    Parameters
    ----------
    start_s, end_s : float
        The segment, in seconds from the start of the stream.  Samples that
        were lost on the way count, so the clock of a microphone does not slip.
    label : str
        The steady label: smoothed when smoothing is on, else ``raw_label``.
    posterior : mapping of str to float
        Probability of every label, smoothed when smoothing is on.
    raw_label : str
        Most probable label of this segment alone.
    rms_db : float
        Level of the segment in dBFS.
    features_ms : float
        Time spent on features since the previous decision.
    model_ms : float
        Time spent in the backend.
    latency_ms : float
        From the arrival of the block that completed the segment to the
        decision: what the device adds to the length of the segment.
    dropped_samples : int
        Samples at the model's rate lost since the previous decision.
    speech : bool
        False when the segment is too quiet to be judged; the label is then the
        one held before.  Not part of the JSON, which has the level.
    """

    start_s: float
    end_s: float
    label: str
    posterior: Mapping[str, float]
    raw_label: str
    rms_db: float
    features_ms: float
    model_ms: float
    latency_ms: float
    dropped_samples: int
    speech: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order, rounded to what is meaningful."""
        return {
            "type": "decision",
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "label": self.label,
            "posterior": {label: round(p, 4) for label, p in self.posterior.items()},
            "raw_label": self.raw_label,
            "rms_db": round(self.rms_db, 2),
            "features_ms": round(self.features_ms, 3),
            "model_ms": round(self.model_ms, 3),
            "latency_ms": round(self.latency_ms, 3),
            "dropped_samples": self.dropped_samples,
        }


def file_hop(window_hop: int) -> int:
    """Frames from one segment of a file to the next, half of a stream's.

    Parameters
    ----------
    window_hop : int
        The artifact's hop, which paces live decisions.

    Returns
    -------
    int
        At least 1.

    Notes
    -----
    A file has time for twice the votes.  Fine hops were better than those of the stream on
    the speakers that four folds hold out, whichever the fifth.
    """
    return max(1, window_hop // 2)


def speech_segments(rms_db: ArrayLike) -> NDArray[np.bool_]:
    """Tell which segments of one file count for its average.

    Parameters
    ----------
    rms_db : float [shape=(n_segments,)]
        Level of every segment in dBFS, see
        :func:`edge.stream.speech_gate.segment_level_db`.

    Returns
    -------
    bool [shape=(n_segments,)]
        True within :data:`SPEECH_RANGE_DB` of the loudest; at least one is.

    Raises
    ------
    ParameterError
        If there is no segment, more than one dimension, or a level is NaN.
    """
    levels = np.asarray(rms_db, dtype=np.float64)
    if levels.ndim != 1 or levels.size == 0:
        raise ParameterError(
            f"rms_db has shape {levels.shape}, one level a segment and at least one is wanted"
        )
    if np.isnan(levels).any():
        raise ParameterError("rms_db holds NaN, levels in dBFS are wanted")
    mask: NDArray[np.bool_] = levels >= levels.max() - SPEECH_RANGE_DB
    return mask


def average_posterior(posteriors: ArrayLike, rms_db: ArrayLike) -> NDArray[np.float64]:
    """Posterior of a file: the mean over its segments with speech.

    Parameters
    ----------
    posteriors : float [shape=(n_segments, n_labels)]
        Unsmoothed posterior of every segment.
    rms_db : float [shape=(n_segments,)]
        Level of every segment in dBFS.

    Returns
    -------
    float64 [shape=(n_labels,)]

    Raises
    ------
    ParameterError
        If the shapes do not fit or there is no segment.

    Notes
    -----
    The command line and the evaluation on the workstation both call this.
    """
    rows = np.asarray(posteriors, dtype=np.float64)
    mask = speech_segments(rms_db)
    if rows.ndim != 2 or len(rows) != mask.size:
        raise ParameterError(
            f"posteriors have shape {rows.shape}, ({mask.size}, n_labels) is wanted: "
            "one row for every level"
        )
    mean: NDArray[np.float64] = rows[mask].mean(axis=0)
    return mean
