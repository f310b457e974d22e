"""Root-mean-square level of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["frame_rms"]


def frame_rms(energy: NDArray[np.floating], win_length: int) -> NDArray[np.float32]:
    """RMS of the untapered frames, linear.

    Parameters
    ----------
    energy : float [shape=(n_frames,)]
        Sum of the squared samples: the autocorrelation at lag 0, which YIN needs anyway.
    win_length : int
        Samples of a frame.

    Returns
    -------
    float32 [shape=(n_frames,)]

    Notes
    -----
    Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
    CLAF-SER section 3.4.1 names RMS energy; eq. 6 is its square times N.
    """
    rms: NDArray[np.float32] = np.sqrt(energy / win_length)
    return rms
