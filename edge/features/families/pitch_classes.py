"""Magnitude by the nearest pitch class."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, number
from edge.features.spectrum import FrameSpectra

__all__ = ["PitchClasses", "pitch_classes"]

_N_CLASSES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class PitchClasses(Family):
    """Chroma of whole bins: each counts for the nearest pitch class (CLAF-SER, eq. 7 to 9).

    Equal temperament on A = 440 Hz; magnitudes of the Hann-tapered frame, divided by their sum.
    A silent frame stays 0.

    Parameters
    ----------
    fmin_hz : float
        Lowest frequency that counts.
    """

    NAME: ClassVar[str] = "pitch_classes"

    fmin_hz: float = number(50.0, "chroma_fmin_hz")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, C first."""
        return tuple(f"chroma_{i}" for i in range(_N_CLASSES))

    def check(self, frames: FrameGeometry) -> None:
        """Compare the lowest frequency with the Nyquist frequency."""
        if not 0 < self.fmin_hz < frames.sample_rate / 2:
            raise ParameterError(
                f"chroma_fmin_hz is {self.fmin_hz}, a frequency above 0 and below "
                f"{frames.sample_rate / 2} Hz is wanted"
            )

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _PitchClassesKernel(pitch_classes(frames.sample_rate, frames.n_fft, self.fmin_hz))


class _PitchClassesKernel(Kernel):
    def __init__(self, classes: NDArray[np.intp]) -> None:
        # Bins by class, so that each class is a run of columns: a sum by rows that, unlike a
        # matrix product, does not ask how many rows there are.
        bins = np.flatnonzero(classes >= 0)
        self._bins = bins[np.argsort(classes[bins], kind="stable")]
        present, starts = np.unique(classes[self._bins], return_index=True)
        self._present, self._starts = present, starts

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        magnitudes = np.sqrt(columns.power.take(self._bins, axis=1))
        out[:] = 0.0
        out[:, self._present] = np.add.reduceat(magnitudes, self._starts, axis=1)
        total = out.sum(axis=1, keepdims=True)
        out /= np.where(total > 0.0, total, 1.0)


def pitch_classes(sample_rate: int, n_fft: int, fmin_hz: float) -> NDArray[np.intp]:
    """Which pitch class each bin belongs to (eq. 8).

    Returns
    -------
    int [shape=(1 + n_fft // 2,)]
        0 is C; -1 for a bin below ``fmin_hz``, which belongs to none.
    """
    bins_hz = np.arange(1 + n_fft // 2) * (sample_rate / n_fft)
    counted = np.flatnonzero(bins_hz >= fmin_hz)
    semitones = np.round(_N_CLASSES * np.log2(bins_hz[counted] / 440.0)).astype(np.intp)
    classes = np.full(bins_hz.size, -1, np.intp)
    # 440 Hz is an A, nine semitones above a C.
    classes[counted] = (semitones + 9) % _N_CLASSES
    return classes
