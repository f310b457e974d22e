"""Powers to decibels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AMIN", "power_to_db"]

#: Floor of a power before its logarithm (librosa's default).
AMIN = 1e-10


def power_to_db(
    power: NDArray[np.floating],
    amin: float | NDArray[np.floating] = AMIN,
    out: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """``10 log10(max(power, amin))``, into `out` where given, without any clip-wide ceiling.

    Notes
    -----
    Causal: librosa's ``top_db`` looks at the loudest frame of the whole clip,
    also at those that have not been heard yet, so it is not offered.
    """
    decibels: NDArray[np.floating] = np.maximum(power, amin, out=out)
    np.log10(decibels, out=decibels)
    decibels *= 10.0
    return decibels
