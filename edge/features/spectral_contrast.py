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
    power: NDArray[np.float32], bands: tuple[ContrastBand, ...]
) -> NDArray[np.floating]:
    """Level of the strongest bins over that of the weakest, by band.

    Parameters
    ----------
    power : float32 [shape=(n_frames, 1 + n_fft // 2)]
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
    # A sort is vectorised in NumPy and faster than a partition.  Powers stand in the order
    # of their magnitudes, so that only the extremes need a root.
    ordered = [np.sort(power[:, first:end], axis=1) for first, end, _ in bands]
    counts = [n_extreme for _, _, n_extreme in bands]
    weakest = [rows[:, :n] for rows, n in zip(ordered, counts, strict=True)]
    strongest = [rows[:, -n:] for rows, n in zip(ordered, counts, strict=True)]
    extremes = np.sqrt(np.concatenate(weakest + strongest, axis=1))
    starts = np.cumsum([0, *counts, *counts[:-1]])
    means = np.add.reduceat(extremes, starts, axis=1) / np.array(counts + counts, np.float32)
    decibels = power_to_db(means)
    contrast: NDArray[np.floating] = decibels[:, len(bands) :] - decibels[:, : len(bands)]
    return contrast
