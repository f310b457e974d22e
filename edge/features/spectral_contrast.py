"""Peaks against valleys of the spectrum, by octave."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge.features.spectrum import power_to_db

__all__ = ["ContrastBand", "contrast_bands", "spectral_contrast"]

#: First bin, end bin (exclusive) and how many extreme bins make a peak or a valley.
ContrastBand = tuple[int, int, int]


def contrast_bands(
    sample_rate: int, n_fft: int, n_bands: int, fmin_hz: float, quantile: float
) -> tuple[ContrastBand, ...]:
    """Lay the ``n_bands + 1`` octave bands over the FFT bins.

    The lowest band ends at ``fmin_hz``, the highest at the Nyquist frequency.
    Bands overlap by one bin at their lower edge, as librosa's do, and the number
    of extreme bins counts a band's upper edge although the band leaves it out.
    """
    bins_hz = np.arange(1 + n_fft // 2) * (sample_rate / n_fft)
    edges_hz = np.concatenate(([0.0], fmin_hz * 2.0 ** np.arange(n_bands + 1)))
    bands: list[ContrastBand] = []
    for k, (low_hz, high_hz) in enumerate(pairwise(edges_hz)):
        inside = np.flatnonzero((bins_hz >= low_hz) & (bins_hz <= high_hz))
        first = int(inside[0]) - (k > 0)
        last = bins_hz.size - 1 if k == n_bands else int(inside[-1])
        n_extreme = max(1, int(np.rint(quantile * (last - first + 1))))
        bands.append((first, last + (k == n_bands), n_extreme))
    return tuple(bands)


def spectral_contrast(
    magnitude: NDArray[np.float32], bands: tuple[ContrastBand, ...]
) -> NDArray[np.floating]:
    """Level of the strongest bins over that of the weakest, by band.

    Parameters
    ----------
    magnitude : float32 [shape=(n_frames, 1 + n_fft // 2)]
    bands : tuple of ContrastBand
        From :func:`contrast_bands`.

    Returns
    -------
    float [shape=(n_frames, len(bands))]
        ``10 log10`` of the ratio of magnitudes, as librosa defines it; 0 where
        all bins are below 1e-10.

    Notes
    -----
    Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.

    References
    ----------
    Jiang et al. (2002), "Music type classification by spectral contrast feature".
    """
    peak = np.empty((magnitude.shape[0], len(bands)), dtype=magnitude.dtype)
    valley = np.empty_like(peak)
    for k, (first, end, n_extreme) in enumerate(bands):
        if n_extreme == 1:
            band = magnitude[:, first:end]
            valley[:, k], peak[:, k] = band.min(axis=1), band.max(axis=1)
        else:
            n_bins = end - first
            ordered = np.partition(
                magnitude[:, first:end], (n_extreme - 1, n_bins - n_extreme), axis=1
            )
            valley[:, k] = ordered[:, :n_extreme].mean(axis=1)
            peak[:, k] = ordered[:, -n_extreme:].mean(axis=1)
    return power_to_db(peak) - power_to_db(valley)
