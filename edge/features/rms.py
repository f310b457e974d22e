"""Root-mean-square level of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["frame_rms"]


def frame_rms(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS of the untapered frame, linear.

    Parameters
    ----------
    frames : float32 [shape=(n_frames, win_length)]
        Samples in [-1, 1].

    Returns
    -------
    float32 [shape=(n_frames,)]

    Notes
    -----
    Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
    CLAF-SER section 3.4.1 names RMS energy; eq. 6 is its square times N.
    """
    # float64 sums: a whole-scale frame squared and summed must not lose the small samples.
    power = np.einsum("tn,tn->t", frames, frames, dtype=np.float64) / frames.shape[1]
    rms: NDArray[np.float32] = np.sqrt(power).astype(np.float32)
    return rms
