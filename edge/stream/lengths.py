"""Lengths and times that a caller gives, checked: seconds in frames, arrivals, gaps."""

from __future__ import annotations

import math

from edge.arrays import as_number, as_whole
from edge.errors import ParameterError, how_many
from edge.features.spec import FeatureSpec

__all__ = [
    "LATEST_S",
    "check_hop",
    "checked_arrival",
    "checked_gap",
    "hop_frames",
    "segment_frames",
    "too_short",
]

#: Longest segment, in seconds.  The models are trained on 1-3 s; far beyond it a
#: segment is a slip of the pen, and attention grows with its square.
_LONGEST_SEGMENT_S = 60.0

#: Samples that a gap may have: a double still tells every sample of such a clock apart.
_LONGEST_GAP = 2**52

#: Of a clock in seconds: a latency to it is a number in milliseconds, too.
LATEST_S = 1e15


def segment_frames(spec: FeatureSpec, segment_s: float) -> int:
    """Whole frames of a segment, rounded down.

    Raises
    ------
    ParameterError
        If the segment holds no frame or is longer than a minute.
    """
    shortest_s = spec.win_length / spec.sample_rate
    wanted = f"{shortest_s} to {_LONGEST_SEGMENT_S} s are wanted"
    length_s = as_number(segment_s, "segment_s", wanted, shortest_s, _LONGEST_SEGMENT_S)
    return spec.n_frames(round(length_s * spec.sample_rate))


def hop_frames(spec: FeatureSpec, hop_s: float) -> int:
    """Frames from one segment to the next, rounded to the nearest; at least 1.

    Raises
    ------
    ParameterError
        If the hop is not above 0 or longer than a minute.
    """
    wanted = f"above 0 and up to {_LONGEST_SEGMENT_S} s is wanted"
    length_s = as_number(hop_s, "hop_s", wanted, math.ulp(0.0), _LONGEST_SEGMENT_S)
    return max(1, round(length_s * spec.sample_rate / spec.hop_length))


def check_hop(hop_s: float, segment_s: float) -> None:
    """Refuse a hop that is longer than the segment.

    Raises
    ------
    ParameterError
    """
    if hop_s > segment_s:
        raise ParameterError(
            f"a hop of {hop_s:.3f} s over a segment of {segment_s:.3f} s leaves audio unheard: a "
            "hop no longer than the segment is wanted"
        )


def checked_arrival(arrived_s: float) -> float:
    """When a block was there, in seconds.

    Raises
    ------
    ParameterError
        If it is no time of a clock.
    """
    return as_number(arrived_s, "arrived_s", "a time in seconds is wanted", -LATEST_S, LATEST_S)


def checked_gap(n_samples: int) -> int:
    """Samples that were lost.

    Raises
    ------
    ParameterError
        If they cannot be counted.
    """
    wanted = f"a whole number from 0 to {_LONGEST_GAP} is wanted"
    return as_whole(n_samples, "n_samples", wanted, 0, _LONGEST_GAP)


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
        f"{what} has {how_many(n_samples, 'sample')} at {spec.sample_rate} Hz, "
        f"{spec.win_length} or more ({shortest_ms:.0f} ms) are wanted"
    )
