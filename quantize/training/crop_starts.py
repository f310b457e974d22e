"""Where training crops may begin, so that they hold speech and not mostly a pause."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["starts_with_speech", "stretched"]


def stretched(speech: NDArray[np.bool_], n_frames: int) -> NDArray[np.bool_]:
    """Frames of speech of a clip, in a variant of it that is spoken faster or slower.

    Noise fills the pauses of a variant, so that its own levels do not tell them; but it is the
    clip, stretched evenly.

    Parameters
    ----------
    speech : bool [shape=(n,)]
        Of the clip as it is.
    n_frames : int
        Of the variant.

    Returns
    -------
    bool [shape=(n_frames,)]
    """
    if speech.size == n_frames:
        return speech
    at = (2 * np.arange(n_frames) + 1) * speech.size // (2 * max(1, n_frames))
    return speech[at]


def starts_with_speech(
    speech: NDArray[np.bool_], n_frames: int, least_share: float
) -> NDArray[np.intp]:
    """First frames of all crops of a clip that hold enough speech.

    Parameters
    ----------
    speech : bool [shape=(n,)]
        Which frames of the clip are speech.
    n_frames : int
        Of a crop, 1 to n.
    least_share : float
        Share of its frames that must be speech.

    Returns
    -------
    intp [shape=(n_starts,)]
        Rising; those that hold the most where none holds enough.
    """
    n_before = np.concatenate([[0], np.cumsum(speech)])
    n_spoken = n_before[n_frames:] - n_before[:-n_frames]
    # A share of 0.7 in 10 frames is 7 of them, whatever the product's last bits say.
    wanted = min(least_share * n_frames - 1e-6, float(n_spoken.max()))
    return np.flatnonzero(n_spoken >= wanted)
