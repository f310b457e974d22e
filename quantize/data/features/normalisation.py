"""Mean and standard deviation of feature rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError

__all__ = ["normalisation"]


def normalisation(rows: Iterable[NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of every feature over training rows.

    Parameters
    ----------
    rows : iterable of float [shape=(n_frames, n_features)]
        Of training clips only.

    Returns
    -------
    mean, std : float32 [shape=(n_features,)]
        A constant feature has std 1, so that dividing by it is safe.
    """
    total: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None
    n_frames = 0
    for block in rows:
        wide = block.astype(np.float64)
        total = wide.sum(axis=0) if total is None else total + wide.sum(axis=0)
        squares = (wide**2).sum(axis=0) if squares is None else squares + (wide**2).sum(axis=0)
        n_frames += len(block)
    if total is None or squares is None:
        raise AudioFileError("no feature rows to normalise by: the training side has no clip")
    mean = total / n_frames
    std = np.sqrt(np.maximum(squares / n_frames - mean**2, 0.0))
    return mean.astype(np.float32), np.where(std < 1e-8, 1.0, std).astype(np.float32)
