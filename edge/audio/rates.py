"""Sample rates at which speech is recorded: of files, and of samples that a caller hands over."""

from __future__ import annotations

from edge.arrays import as_whole

__all__ = ["RANGE_HZ", "checked_rate", "is_recorders"]

#: A recorder's rate: below, no speech is left (a telephone's is 8000), above, no converter is.
_LOWEST_HZ, _HIGHEST_HZ = 2000, 768_000
#: The same for a sentence.
RANGE_HZ = f"{_LOWEST_HZ} to {_HIGHEST_HZ} Hz"


def is_recorders(rate_hz: int) -> bool:
    """Tell whether a recorder has such a rate: from a few bytes others make minutes of samples."""
    return _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ


def checked_rate(sample_rate: int) -> int:
    """Return a caller's sample rate in Hz as an int, NumPy's whole numbers too.

    Raises
    ------
    ParameterError
        If it is no whole number, or no recorder's.
    """
    wanted = f"a whole number within {RANGE_HZ} is wanted"
    return as_whole(sample_rate, "sample_rate", wanted, _LOWEST_HZ, _HIGHEST_HZ)
