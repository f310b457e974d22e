"""Root-mean-square level of a frame."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.features.families.base import Columns, Family, FrameGeometry, Kernel
from edge.features.spectrum import FrameSpectra

__all__ = ["Rms", "frame_rms"]


@dataclasses.dataclass(frozen=True, slots=True)
class Rms(Family):
    """Root-mean-square of the untapered frame, linear; it has no settings."""

    NAME: ClassVar[str] = "rms"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The one column's."""
        return ("rms",)

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _RmsKernel(frames.win_length)


class _RmsKernel(Kernel):
    def __init__(self, win_length: int) -> None:
        self._win_length = win_length

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        out[:, 0] = frame_rms(spectra.energy, self._win_length)


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
