"""Energy by pitch class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["chroma_filters", "normalise_chroma"]

#: Octave (counted from A0 / 2 = 13.75 Hz) and width, in octaves, of the Gaussian that
#: weighs the spectrum; librosa's and Ellis's defaults.
_CENTRE_OCTAVE = 5.0
_OCTAVE_WIDTH = 2.0
_REFERENCE_HZ = 440.0 / 16.0

#: Smaller peaks are left as they are, as librosa does.
_SILENT = np.finfo(np.float32).tiny


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


def normalise_chroma(raw: NDArray[np.floating]) -> NDArray[np.floating]:
    """Divide every row by its largest value.

    Parameters
    ----------
    raw : float [shape=(n_frames, n_chroma)]
        Energy by pitch class, not negative.

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
    normalised: NDArray[np.floating] = raw / peak
    return normalised
