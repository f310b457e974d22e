"""Energy by pitch class."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, count
from edge.features.spectrum import FrameSpectra

__all__ = ["Chroma", "chroma_filters", "normalise_chroma"]

#: Octave (counted from A0 / 2 = 13.75 Hz) and width, in octaves, of the Gaussian that
#: weighs the spectrum; librosa's and Ellis's defaults.
_CENTRE_OCTAVE = 5.0
_OCTAVE_WIDTH = 2.0
_REFERENCE_HZ = 440.0 / 16.0

#: Smaller peaks are left as they are, as librosa does.
_SILENT = np.finfo(np.float32).tiny


@dataclasses.dataclass(frozen=True, slots=True)
class Chroma(Family):
    """Energy by pitch class, divided by the largest.

    Parameters
    ----------
    n_chroma : int
        Pitch classes.
    """

    NAME: ClassVar[str] = "chroma"

    n_chroma: int = count(12, 512, "n_chroma")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, C first."""
        return tuple(f"chroma_{i}" for i in range(self.n_chroma))

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _ChromaKernel(chroma_filters(frames.sample_rate, frames.n_fft, self.n_chroma))


class _ChromaKernel(Kernel):
    def __init__(self, filters: NDArray[np.float64]) -> None:
        self.filters = filters

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        normalise_chroma(columns.filtered, out)


def chroma_filters(sample_rate: int, n_fft: int, n_chroma: int = 12) -> NDArray[np.float64]:
    """Gaussian pitch-class weights on power bins, without tuning correction.

    Returns
    -------
    float64 [shape=(1 + n_fft // 2, n_chroma)]
        Column 0 is C.

    References
    ----------
    Ellis (2007), "Chroma feature analysis and synthesis"; CLAF-SER eq. 8.
    """
    # The filters are laid over all n_fft bins and cut: the width of the last kept
    # bin looks at the next one.
    frequencies_hz = np.arange(1, n_fft) * (sample_rate / n_fft)
    position = n_chroma * np.log2(frequencies_hz / _REFERENCE_HZ)
    # 0 Hz has no octave: one and a half below the first bin, wide enough to vanish.
    position = np.concatenate(([position[0] - 1.5 * n_chroma], position))
    width = np.concatenate((np.maximum(np.diff(position), 1.0), [1.0]))

    half = np.round(n_chroma / 2)
    distance = position[:, None] - np.arange(n_chroma)
    distance = np.remainder(distance + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2.0 * distance / width[:, None]) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    octave = position[:, None] / n_chroma
    weights *= np.exp(-0.5 * ((octave - _CENTRE_OCTAVE) / _OCTAVE_WIDTH) ** 2)
    # The reference is an A; the first column is to be C.
    weights = np.roll(weights, -3 * (n_chroma // 12), axis=1)
    kept: NDArray[np.float64] = weights[: 1 + n_fft // 2]
    return kept


def normalise_chroma(
    raw: NDArray[np.floating], out: NDArray[np.floating] | None = None
) -> NDArray[np.floating]:
    """Divide every row by its largest value.

    Parameters
    ----------
    raw : float [shape=(n_frames, n_chroma)]
        Energy by pitch class, not negative.
    out : float [shape=(n_frames, n_chroma)], optional
        Where to write the result.

    Returns
    -------
    float [shape=(n_frames, n_chroma)]
        In [0, 1]; a silent row stays as it is.

    Notes
    -----
    Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
    The paper's eq. 9 divides by the sum; we keep librosa's maximum, which its
    section 3.4.1 says it used.
    """
    peak = np.maximum.reduce(raw, axis=1, keepdims=True)
    np.putmask(peak, peak < _SILENT, 1.0)
    normalised: NDArray[np.floating] = np.divide(raw, peak, out=out)
    return normalised
