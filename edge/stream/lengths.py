"""Seconds and rates that a caller asks for, checked and in frames."""

from __future__ import annotations

import math
import operator

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec

__all__ = ["checked_rate", "hop_frames", "segment_frames", "too_short"]

#: Longest segment, in seconds.  The models are trained on 1-3 s; far beyond it a
#: segment is a slip of the pen, and attention grows with its square.
_LONGEST_SEGMENT_S = 60.0


def segment_frames(spec: FeatureSpec, segment_s: float) -> int:
    """Whole frames of a segment, rounded down.

    Raises
    ------
    ParameterError
        If the segment holds no frame or is longer than a minute.
    """
    shortest_s = spec.win_length / spec.sample_rate
    if not (math.isfinite(segment_s) and shortest_s <= segment_s <= _LONGEST_SEGMENT_S):
        raise ParameterError(
            f"segment_s is {segment_s}, {shortest_s} to {_LONGEST_SEGMENT_S} s are wanted"
        )
    return spec.n_frames(round(segment_s * spec.sample_rate))


def hop_frames(spec: FeatureSpec, hop_s: float) -> int:
    """Frames from one segment to the next, rounded to the nearest; at least 1.

    Raises
    ------
    ParameterError
        If the hop is not above 0 or longer than a minute.
    """
    if not (math.isfinite(hop_s) and 0 < hop_s <= _LONGEST_SEGMENT_S):
        raise ParameterError(
            f"hop_s is {hop_s}, above 0 and up to {_LONGEST_SEGMENT_S} s is wanted"
        )
    return max(1, round(hop_s * spec.sample_rate / spec.hop_length))


def checked_rate(sample_rate: int) -> int:
    """Return a sample rate in Hz as an int, NumPy's whole numbers too.

    Raises
    ------
    ParameterError
        If it is no whole number of at least 1.
    """
    try:
        rate = 0 if isinstance(sample_rate, bool) else operator.index(sample_rate)
    except TypeError:
        rate = 0
    if rate < 1:
        raise ParameterError(
            f"sample_rate is {sample_rate!r}, a whole number of at least 1 Hz is wanted"
        )
    return rate


def too_short(what: str, n_samples: int, spec: FeatureSpec) -> str:
    """Sentence for audio that holds less than one frame.

    Parameters
    ----------
    what : str
        What is too short.
    n_samples : int
        That it has, at the model's rate.
    """
    shortest_ms = 1000 * spec.win_length / spec.sample_rate
    return (
        f"{what} has {n_samples} samples at {spec.sample_rate} Hz, {spec.win_length} or more "
        f"({shortest_ms:.0f} ms) are wanted"
    )
