"""Peaks against valleys of the spectrum, by octave."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge.features.spectrum import power_to_db

__all__ = ["ContrastBand", "SpectralContrast", "contrast_bands"]

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


class SpectralContrast:
    """Level of the strongest bins over that of the weakest, by band.

    Parameters
    ----------
    bands : tuple of ContrastBand
        From :func:`contrast_bands`, in rising order.
    n_bins : int
        Bins of the spectrum.

    References
    ----------
    Jiang et al. (2002), "Music type classification by spectral contrast feature".
    """

    def __init__(self, bands: tuple[ContrastBand, ...], n_bins: int) -> None:
        # A band's minimum and maximum come from one pass over all such bands; where
        # several bins count, a whole sort is vectorised and faster than a partition.
        single = [k for k, (_, _, n_extreme) in enumerate(bands) if n_extreme == 1]
        several = [k for k, (_, _, n_extreme) in enumerate(bands) if n_extreme > 1]
        edges = [edge for k in single for edge in bands[k][:2]]
        # The last segment of a reduceat ends with the row and has no index for it.
        self._edges = np.array(edges[:-1] if edges[-1:] == [n_bins] else edges, dtype=np.intp)
        self._sorted = [bands[k] for k in several]
        counts = [bands[k][2] for k in [*single, *several]]
        self._n_single = len(single)
        self._n_extremes = sum(counts)
        self._starts = np.cumsum([0, *counts, *counts[:-1]])
        self._counts = np.array(counts + counts, dtype=np.float32)
        self._order = np.argsort([*single, *several])

    def __call__(self, power: NDArray[np.float32]) -> NDArray[np.floating]:
        """Contrast of every frame.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]

        Returns
        -------
        float [shape=(n_frames, n_bands)]
            ``10 log10`` of the ratio of magnitudes, as librosa defines it; 0 where
            all bins are below 1e-10.

        Notes
        -----
        Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
        """
        extremes = np.empty((len(power), 2 * self._n_extremes), dtype=np.float32)
        weak, strong = extremes[:, : self._n_extremes], extremes[:, self._n_extremes :]
        at = self._n_single
        if at:
            weak[:, :at] = np.minimum.reduceat(power, self._edges, axis=1)[:, ::2]
            strong[:, :at] = np.maximum.reduceat(power, self._edges, axis=1)[:, ::2]
        for first, end, n_extreme in self._sorted:
            ordered = np.sort(power[:, first:end], axis=1)
            weak[:, at : at + n_extreme] = ordered[:, :n_extreme]
            strong[:, at : at + n_extreme] = ordered[:, -n_extreme:]
            at += n_extreme
        # Powers stand in the order of their magnitudes: only the extremes need a root.
        np.sqrt(extremes, out=extremes)
        means = np.add.reduceat(extremes, self._starts, axis=1)
        means /= self._counts
        decibels = power_to_db(means)
        n_bands = len(self._order)
        contrast = decibels[:, n_bands:] - decibels[:, :n_bands]
        in_order: NDArray[np.floating] = contrast[:, self._order]
        return in_order
