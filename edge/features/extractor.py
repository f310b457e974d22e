"""All features of a frame, offline and streaming over the same kernels."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.errors import ParameterError, how_many, shown
from edge.features.decibels import power_to_db
from edge.features.families.base import Columns, Kernel
from edge.features.front_end import HighPass
from edge.features.spec import FeatureSpec
from edge.features.spectrum import BLOCK, TILE, Spectrum

__all__ = ["FeatureExtractor"]


@dataclasses.dataclass(slots=True)
class _Views:
    """Buffers, cut to a number of frames."""

    power: NDArray[np.float32]
    power_blocks: NDArray[np.float32]
    filtered: NDArray[np.float32]
    levels: NDArray[np.float32]
    decibels: NDArray[np.float32]
    level_writers: list[tuple[Kernel, NDArray[np.float32]]]
    families: list[tuple[Kernel, slice, Columns]]


class FeatureExtractor:
    """Samples in, feature rows out: 34 wide with the defaults.

    Everything that depends on the spec alone is computed once, here.  State between
    calls of :meth:`push` is the tail of the samples that later frames still need.

    An extractor is used by one thread at a time, because its work buffers are its own; a
    :class:`~edge.stream.stream.Stream` owns one.  A copy, also one by pickle, has buffers of
    its own and the same state.

    Parameters
    ----------
    spec : FeatureSpec, optional
        The defaults are the features every bundled model was trained on.

    Examples
    --------
    >>> import numpy as np
    >>> FeatureExtractor().extract(np.zeros(32_000, np.float32)).shape
    (61, 34)
    """

    def __init__(self, spec: FeatureSpec | None = None) -> None:
        if spec is not None and not isinstance(spec, FeatureSpec):
            raise ParameterError(f"spec is {shown(spec)}, a FeatureSpec or None is wanted")
        self.spec = spec = spec or FeatureSpec()
        # Counted once: a spec lists its names anew whenever it is asked.
        self._n_features = spec.n_features
        self._kernels = {family.NAME: family.kernel(spec) for family in spec.families}
        kernels = list(self._kernels.values())
        self._spectrum = Spectrum(spec.n_fft, spec.hop_length, max(k.n_lags for k in kernels))
        self._layout = _Layout(kernels)
        # All filters are linear in power: one product serves them.
        filters = self._layout.filters
        spectrum = self._spectrum
        self._power_filters = np.zeros((spectrum.n_columns, self._layout.n_filters), np.float32)
        for kernel, columns in zip(kernels, filters, strict=True):
            if kernel.filters is not None:
                weights = kernel.filters / spectrum.POWER_SCALE
                self._power_filters[: spectrum.n_bins, columns] = weights
        n_columns = self._layout.n_columns
        self._levels = np.zeros((TILE // BLOCK, BLOCK, n_columns), np.float32)
        self._decibels = np.empty((TILE, n_columns - self._layout.n_linear), np.float32)
        self._views: dict[int, _Views] = {}
        front_end = spec.front_end
        self._front_end = front_end.filter(spec.sample_rate) if front_end else None
        self._tail = np.empty(0, dtype=np.float32)

    def __repr__(self) -> str:
        spec = self.spec
        names = ", ".join(spec.order)
        return f"<FeatureExtractor of {spec.n_features} features at {spec.sample_rate} Hz: {names}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Buffers lie over each other, which a copy of each would not.
        return _restored, (self.spec, self._tail.copy(), copy.deepcopy(self._front_end))

    def extract(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Feature rows of a whole signal; the streaming state is left alone.

        Parameters
        ----------
        samples : array_like of float [shape=(n_samples,)]
            Mono at ``spec.sample_rate``, nominally in [-1, 1].

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            ``n_frames = 1 + (n_samples - win_length) // hop_length``.

        Raises
        ------
        ParameterError
            If the samples are not mono floats, hold NaN, infinity or values beyond
            1000 (unscaled integers), or are fewer than one frame.
        """
        checked = as_samples(samples)
        if self.spec.front_end is not None:
            checked = self.spec.front_end.filter(self.spec.sample_rate).process_checked(checked)
        if checked.size < self.spec.win_length:
            raise ParameterError(
                f"samples has {how_many(checked.size, 'sample')}, one frame needs at least "
                f"{self.spec.win_length} ({1000 * self.spec.win_length / self.spec.sample_rate:.0f}"
                f" ms at {self.spec.sample_rate} Hz)"
            )
        return self._rows(checked)

    def push(self, block: ArrayLike) -> NDArray[np.float32]:
        """Take a block of any length and return the rows that it completes.

        Parameters
        ----------
        block : array_like of float [shape=(n_samples,)]
            The samples that follow the last block; may be empty.

        Returns
        -------
        float32 [shape=(k, n_features)]
            k >= 0 new rows.  All rows of a signal, however it was cut into blocks,
            equal :meth:`extract`'s.

        Raises
        ------
        ParameterError
            As :meth:`extract`; the state is then unchanged.
        """
        checked = as_samples(block, "block")
        if self._front_end is not None:
            checked = self._front_end.process_checked(checked)
        return self.push_checked(checked)

    def push_checked(self, checked: NDArray[np.float32]) -> NDArray[np.float32]:
        """:meth:`push` what has been checked, and has been through a front end, already.

        A stream puts a :class:`~edge.features.front_end.DcBlocker` before a spec without a front
        end: its samples are checked there, and need not be once more.
        """
        samples = np.concatenate((self._tail, checked)) if self._tail.size else checked
        rows = self._rows(samples)
        # A copy: the caller may reuse the block's memory, as audio callbacks do.
        self._tail = samples[len(rows) * self.spec.hop_length :].copy()
        return rows

    def reset(self) -> None:
        """Forget the samples pushed so far; equal to a fresh extractor."""
        self._tail = np.empty(0, dtype=np.float32)
        if self._front_end is not None:
            self._front_end.reset()

    def _rows(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        spec = self.spec
        rows = np.empty((spec.n_frames(samples.size), self._n_features), dtype=np.float32)
        for first in range(0, len(rows), TILE):
            self._fill(rows[first : first + TILE], samples[first * spec.hop_length :])
        return rows

    def _fill(self, rows: NDArray[np.float32], samples: NDArray[np.float32]) -> None:
        n_frames = len(rows)
        spectra = self._spectrum(samples, n_frames)
        v = self._views.get(n_frames)
        if v is None:
            v = self._views[n_frames] = self._cut(spectra.power, n_frames)
        if v.filtered.size:
            np.matmul(v.power_blocks, self._power_filters, out=v.filtered)
        for kernel, out in v.level_writers:
            kernel.write_levels(v.power, out, spectra.free)
        power_to_db(v.levels, out=v.decibels)
        for kernel, at, columns in v.families:
            kernel.fill(rows[:, at], spectra, columns)

    def _cut(self, power: NDArray[np.float32], n_frames: int) -> _Views:
        layout, n_blocks = self._layout, len(power) // BLOCK
        levels, decibels = self._levels[:n_blocks], self._decibels[:n_frames]
        by_frame = levels.reshape(len(power), -1)[:n_frames]
        bins = power[:n_frames, : self._spectrum.n_bins]

        def seen(columns: slice) -> NDArray[np.float32]:
            start, stop = columns.start - layout.n_linear, columns.stop - layout.n_linear
            return by_frame[:, columns] if start < 0 else decibels[:, start:stop]

        families, level_writers = [], []
        for at, kernel, filters, own in zip(
            self.spec.columns.values(),
            self._kernels.values(),
            layout.filters,
            layout.levels,
            strict=True,
        ):
            families.append((kernel, at, Columns(bins, seen(filters), seen(own))))
            if kernel.n_levels:
                level_writers.append((kernel, levels[:, :, own]))
        return _Views(
            power=bins,
            power_blocks=power.reshape(n_blocks, BLOCK, -1),
            filtered=levels[:, :, : layout.n_filters],
            levels=by_frame[:, layout.n_linear :],
            decibels=decibels,
            level_writers=level_writers,
            families=families,
        )


class _Layout:
    """Where the families' numbers stand: linear filters, filters in dB, then levels of their own.

    All but the first become dB in one go.
    """

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        widths = [0 if k.filters is None else k.filters.shape[1] for k in kernels]
        linear = [w if not k.filters_in_db else 0 for w, k in zip(widths, kernels, strict=True)]
        in_db = [w if k.filters_in_db else 0 for w, k in zip(widths, kernels, strict=True)]
        own = [k.n_levels for k in kernels]
        self.n_linear, self.n_filters = sum(linear), sum(widths)
        self.n_columns = self.n_filters + sum(own)
        ends = np.cumsum([*linear, *in_db, *own]).tolist()
        starts = [0, *ends[:-1]]
        slices = [slice(first, end) for first, end in zip(starts, ends, strict=True)]
        n = len(kernels)
        #: Of every kernel, columns of its filters and of its levels.
        self.filters = [
            slices[n + i] if k.filters_in_db else slices[i] for i, k in enumerate(kernels)
        ]
        self.levels = slices[2 * n :]


def _restored(
    spec: FeatureSpec, tail: NDArray[np.float32], front_end: HighPass | None
) -> FeatureExtractor:
    """Copy an extractor with its streaming state."""
    extractor = FeatureExtractor(spec)
    extractor._tail, extractor._front_end = tail, front_end
    return extractor
