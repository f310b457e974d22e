"""Rows of samples: the constants of a spec, and the buffers to compute with."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge.features.decibels import AMIN, power_to_db
from edge.features.families.base import Columns, Kernel
from edge.features.spec import FeatureSpec
from edge.features.spectrum import BLOCK, TILE, Spectrum
from edge.scratch import Scratch

__all__ = ["RowMaker", "Seen", "row_makers"]

#: Is shown the power of the frames of a tile under a periodic Hann window, times
#: ``Spectrum.POWER_SCALE``: float32 (n_frames, n_bins), a view that the next tile overwrites.
Seen = Callable[[NDArray[np.float32]], None]


@dataclasses.dataclass(slots=True)
class _Views:
    """Buffers, cut to a number of frames."""

    power: NDArray[np.float32]
    #: Power, filters and where their product goes.
    products: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]
    levels: NDArray[np.float32]
    least: NDArray[np.float32]
    decibels: NDArray[np.float32]
    level_writers: list[tuple[Kernel, NDArray[np.float32]]]
    families: list[tuple[Kernel, slice, Columns]]


class RowMaker:
    """Computes rows; nothing of what it computed matters to the next call.

    Everything that depends on the spec alone is computed once, here.  Used by one call at a
    time, because its buffers are its own: :func:`row_makers` lends them.

    Parameters
    ----------
    spec : FeatureSpec
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        # Counted once: a spec lists its names anew whenever it is asked.
        self._n_features = spec.n_features
        self.kernels = {family.NAME: family.kernel(spec) for family in spec.families}
        kernels = list(self.kernels.values())
        self.spectrum = Spectrum(spec.n_fft, spec.hop_length, max(k.n_lags for k in kernels))
        self._layout = _Layout(kernels)
        # All filters are linear in power.
        filters = self._layout.filters
        spectrum = self.spectrum
        self.power_filters = np.zeros((spectrum.n_columns, self._layout.n_filters), np.float32)
        for kernel, columns in zip(kernels, filters, strict=True):
            if kernel.filters is not None:
                weights = kernel.filters / spectrum.POWER_SCALE
                self.power_filters[: spectrum.n_bins, columns] = weights
        #: The same in parts: columns, and weights on the first bins.
        self.parts = _parts(self.power_filters)
        n_columns = self._layout.n_columns
        self._levels = np.zeros((TILE // BLOCK, BLOCK, n_columns), np.float32)
        self._least = np.full((TILE, n_columns), AMIN, np.float32)
        self._decibels = np.empty((TILE, n_columns), np.float32)
        self._views: dict[int, _Views] = {}

    def rows(self, samples: NDArray[np.float32], seen: Seen | None = None) -> NDArray[np.float32]:
        """Compute the rows of every whole frame.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Contiguous and checked.
        seen : Seen, optional
            Whoever wants the spectra beside the rows, tile by tile.

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            A new array.
        """
        spec = self.spec
        rows = np.empty((spec.n_frames(samples.size), self._n_features), dtype=np.float32)
        for first in range(0, len(rows), TILE):
            self._fill(rows[first : first + TILE], samples[first * spec.hop_length :], seen)
        return rows

    def _fill(
        self, rows: NDArray[np.float32], samples: NDArray[np.float32], seen: Seen | None
    ) -> None:
        n_frames = len(rows)
        spectra = self.spectrum(samples, n_frames)
        v = self._views.get(n_frames)
        if v is None:
            v = self._views[n_frames] = self._cut(spectra.power, n_frames)
        for power, filters, filtered in v.products:
            np.matmul(power, filters, out=filtered)
        for kernel, out in v.level_writers:
            kernel.write_levels(v.power, out, spectra.free)
        # Those that are wanted as they are, too: one long pass takes less than one over the others.
        power_to_db(v.levels, v.least, out=v.decibels)
        for kernel, at, columns in v.families:
            kernel.fill(rows[:, at], spectra, columns)
        if seen is not None:
            seen(v.power)

    def _cut(self, power: NDArray[np.float32], n_frames: int) -> _Views:
        layout, n_blocks = self._layout, len(power) // BLOCK
        levels, decibels = self._levels[:n_blocks], self._decibels[:n_frames]
        by_frame = levels.reshape(len(power), -1)[:n_frames]
        bins = power[:n_frames, : self.spectrum.n_bins]
        blocks = power.reshape(n_blocks, BLOCK, -1)
        families, level_writers = [], []
        for at, kernel, filters, own in zip(
            self.spec.columns.values(),
            self.kernels.values(),
            layout.filters,
            layout.levels,
            strict=True,
        ):
            filtered = decibels if kernel.filters_in_db else by_frame
            families.append((kernel, at, Columns(bins, filtered[:, filters], decibels[:, own])))
            if kernel.n_levels:
                level_writers.append((kernel, levels[:, :, own]))
        return _Views(
            power=bins,
            products=[
                (blocks[:, :, : len(filters)], filters, levels[:, :, columns])
                for columns, filters in self.parts
            ],
            levels=by_frame,
            least=self._least[:n_frames],
            decibels=decibels,
            level_writers=level_writers,
            families=families,
        )


def _parts(filters: NDArray[np.float32]) -> list[tuple[slice, NDArray[np.float32]]]:
    """Filters in one or two parts, each with its columns and as few bins as it needs.

    The first filters, as those of low bands are, may weigh low bins alone; the others then are a
    multiple of 16, which BLAS multiplies the fastest.
    """
    n_bins, n_filters = filters.shape
    n_low = int(np.argmax(np.append(filters[n_bins // 4 :].any(axis=0), True)))
    n_low = max(0, n_filters - -(-(n_filters - n_low) // 16) * 16)
    cuts = [0, n_low, n_filters]
    parts = [slice(first, end) for first, end in pairwise(cuts) if first < end]
    n_used = [n_bins // 4 if part.stop == n_low else n_bins for part in parts]
    return [
        (part, np.ascontiguousarray(filters[:n, part]))
        for part, n in zip(parts, n_used, strict=True)
    ]


class _Layout:
    """Where the families' numbers stand: filters in dB, linear ones, then levels of their own."""

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        widths = [0 if k.filters is None else k.filters.shape[1] for k in kernels]
        in_db = [w if k.filters_in_db else 0 for w, k in zip(widths, kernels, strict=True)]
        linear = [w if not k.filters_in_db else 0 for w, k in zip(widths, kernels, strict=True)]
        own = [k.n_levels for k in kernels]
        self.n_filters = sum(widths)
        self.n_columns = self.n_filters + sum(own)
        ends = np.cumsum([*in_db, *linear, *own]).tolist()
        starts = [0, *ends[:-1]]
        slices = [slice(first, end) for first, end in zip(starts, ends, strict=True)]
        n = len(kernels)
        #: Of every kernel, columns of its filters and of its levels.
        self.filters = [
            slices[i] if k.filters_in_db else slices[n + i] for i, k in enumerate(kernels)
        ]
        self.levels = slices[2 * n :]


@functools.lru_cache(maxsize=4)
def row_makers(spec: FeatureSpec) -> Scratch[RowMaker]:
    """Makers of rows for whoever computes with a spec, in this process."""
    return Scratch(functools.partial(RowMaker, spec))
