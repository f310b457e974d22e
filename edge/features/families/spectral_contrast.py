"""Peaks against valleys of the spectrum, by octave."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError, how_many
from edge.features.decibels import power_to_db
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, count, number
from edge.features.spectrum import BLOCK, FrameSpectra, Spectrum

__all__ = ["ContrastBand", "ContrastKernel", "SpectralContrast", "contrast_bands"]

#: First bin, end bin (exclusive) and how many extreme bins make a peak or a valley.
ContrastBand = tuple[int, int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class SpectralContrast(Family):
    """Peaks against valleys of the spectrum, by octave, in dB.

    Parameters
    ----------
    n_bands : int
        Octave bands above the lowest; there is one feature more than this.
    fmin_hz : float
        Upper edge of the lowest band, in Hz.
    quantile : float
        Share of a band's bins taken for its peak and for its valley.
    """

    NAME: ClassVar[str] = "spectral_contrast"

    n_bands: int = count(6, 16, "n_contrast_bands")
    fmin_hz: float = number(100.0, "contrast_fmin_hz")
    quantile: float = number(0.02, "contrast_quantile")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, in rising order of frequency."""
        return tuple(f"contrast_{i}" for i in range(self.n_bands + 1))

    def check(self, frames: FrameGeometry) -> None:
        """Compare the bands with the bins and with the Nyquist frequency."""
        nyquist_hz, bin_hz = frames.sample_rate / 2, frames.sample_rate / frames.n_fft
        if self.fmin_hz < bin_hz or not 0 < self.quantile <= 0.5:
            raise ParameterError(
                f"contrast_fmin_hz {self.fmin_hz} must be at least one bin, {bin_hz} Hz, "
                f"and contrast_quantile {self.quantile} above 0 and at most 0.5"
            )
        if self.fmin_hz * 2**self.n_bands >= nyquist_hz:
            raise ParameterError(
                f"{how_many(self.n_bands, 'octave')} above contrast_fmin_hz {self.fmin_hz} "
                f"{'passes' if self.n_bands == 1 else 'pass'} the Nyquist frequency {nyquist_hz} Hz"
            )

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        bands = contrast_bands(
            frames.sample_rate, frames.n_fft, self.n_bands, self.fmin_hz, self.quantile
        )
        return ContrastKernel(bands, 1 + frames.n_fft // 2, Spectrum.POWER_SCALE)


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


@dataclasses.dataclass(slots=True)
class _SortedBand:
    """A band of several extreme bins, cut to a number of frames."""

    bins: slice
    #: The band's powers, to be sorted, and the same as whole numbers.
    ordered: NDArray[np.float32]
    bits: NDArray[np.int32]
    #: The first and the last of every row, and where they go.
    both_ends: NDArray[np.float32]
    kept: NDArray[np.float32]


@dataclasses.dataclass(slots=True)
class _Views:
    """Buffers, cut to a number of frames."""

    free: NDArray[np.float32]
    blocks: NDArray[np.float32]
    extremes: NDArray[np.float32]
    minima: NDArray[np.float32]
    maxima: NDArray[np.float32]
    bands: list[_SortedBand]


class ContrastKernel(Kernel):
    """Level of the strongest bins over that of the weakest, by band.

    Parameters
    ----------
    bands : tuple of ContrastBand
        From :func:`contrast_bands`, in rising order.
    n_bins : int
        Bins of the spectrum.
    power_scale : float
        What the power is a multiple of.

    References
    ----------
    Jiang et al. (2002), "Music type classification by spectral contrast feature".
    """

    def __init__(
        self, bands: tuple[ContrastBand, ...], n_bins: int, power_scale: float = 1.0
    ) -> None:
        # A band's minimum and maximum come from one pass over all such bands; where
        # several bins count, a whole sort is vectorised and faster than a partition.
        single = [k for k, (_, _, n_extreme) in enumerate(bands) if n_extreme == 1]
        several = [k for k, (_, _, n_extreme) in enumerate(bands) if n_extreme > 1]
        edges = [edge for k in single for edge in bands[k][:2]]
        # The last segment of a reduceat ends with the row and has no index for it; every
        # second segment lies between two bands and counts for nothing below.
        self._edges = np.array(edges[:-1] if edges[-1:] == [n_bins] else edges, dtype=np.intp)
        self._n_bands = len(bands)
        self.n_levels = 2 * len(bands)
        # Columns of the extremes: minima, maxima, then of each band weakest and strongest.
        n_segments = self._edges.size
        weights = [
            (2 * j + side * n_segments, k, side, 1) for side in (0, 1) for j, k in enumerate(single)
        ]
        at = 2 * n_segments
        self._sorted: list[tuple[slice, int, slice]] = []
        for k in several:
            first, end, n_extreme = bands[k]
            self._sorted.append((slice(first, end), n_extreme, slice(at, at + 2 * n_extreme)))
            weights += [(at + i, k, i >= n_extreme, n_extreme) for i in range(2 * n_extreme)]
            at += 2 * n_extreme
        self._views: dict[int, _Views] = {}
        self._means = np.zeros((at, 2 * len(bands)), np.float32)
        for column, k, side, n_extreme in weights:
            self._means[column, side * len(bands) + k] = power_scale**-0.5 / n_extreme

    def write_levels(
        self, power: NDArray[np.float32], out: NDArray[np.float32], free: NDArray[np.float32]
    ) -> None:
        """See :class:`~edge.features.families.base.Kernel`."""
        self.levels(power, out, free)

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        """See :class:`~edge.features.families.base.Kernel`."""
        levels, n_bands = columns.levels, self._n_bands
        np.subtract(levels[:, n_bands:], levels[:, :n_bands], out=out)

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
        decibels = power_to_db(self.levels(power)[: len(power)])
        return decibels[:, self._n_bands :] - decibels[:, : self._n_bands]

    def levels(
        self,
        power: NDArray[np.float32],
        out: NDArray[np.float32] | None = None,
        free: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Mean magnitudes of the weakest bins of every band, then of the strongest.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
        out : float32 [shape=(n_blocks, BLOCK, 2 * n_bands)], optional
            Where to write them, ``n_blocks * BLOCK`` rows for ``n_frames`` frames.
        free : float32 [shape=(at least n_frames * n_bins,)], optional
            Memory to use; without it some is allocated.

        Returns
        -------
        float32 [shape=(n_blocks * BLOCK, 2 * n_bands)]
            `out` by rows; rows from ``n_frames`` on are 0.
        """
        n_frames = len(power)
        n_rows = -(-n_frames // BLOCK) * BLOCK
        if free is None:
            free = np.empty(power.size, np.float32)
        v = self._views.get(n_frames)
        if v is None or v.free is not free:
            v = self._views[n_frames] = self._cut(n_frames, n_rows, free)
        if self._edges.size:
            np.minimum.reduceat(power, self._edges, axis=1, out=v.minima)
            np.maximum.reduceat(power, self._edges, axis=1, out=v.maxima)
        for band in v.bands:
            band.ordered[:] = power[:, band.bins]
            # Powers are in the order of their bits, which sort faster as whole numbers.
            band.bits.sort(axis=1)
            band.kept[:] = band.both_ends
        # Powers stand in the order of their magnitudes: only the extremes need a root.
        np.sqrt(v.extremes, out=v.extremes)
        blocks = np.matmul(v.blocks, self._means, out=out)
        return blocks.reshape(n_rows, -1)

    def _cut(self, n_frames: int, n_rows: int, free: NDArray[np.float32]) -> _Views:
        n_columns, n_segments = len(self._means), self._edges.size
        rows = np.zeros((n_rows, n_columns), np.float32)
        extremes = rows[:n_frames]
        bands = []
        for bins, n_extreme, columns in self._sorted:
            width = bins.stop - bins.start
            ordered = free[: n_frames * width].reshape(n_frames, width)
            # The first of a row and the last.
            both_ends = np.ndarray(
                (n_frames, 2, n_extreme),
                np.float32,
                ordered,
                0,
                (4 * width, 4 * (width - n_extreme), 4),
            )
            kept = extremes[:, columns].reshape(n_frames, 2, n_extreme)
            bands.append(_SortedBand(bins, ordered, ordered.view(np.int32), both_ends, kept))
        return _Views(
            free=free,
            blocks=rows.reshape(-1, BLOCK, n_columns),
            extremes=extremes,
            minima=extremes[:, :n_segments],
            maxima=extremes[:, n_segments : 2 * n_segments],
            bands=bands,
        )
