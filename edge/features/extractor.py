"""All features of a frame, offline and streaming over the same kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.errors import ParameterError
from edge.features.families.chroma import chroma_filters, normalise_chroma
from edge.features.families.mfcc import dct_matrix, log_mel_to_mfcc, mel_filters
from edge.features.families.pitch import Yin
from edge.features.families.rms import frame_rms
from edge.features.families.spectral_contrast import SpectralContrast, contrast_bands
from edge.features.spec import FeatureSpec
from edge.features.spectrum import BLOCK, TILE, Spectrum, Views, power_to_db

__all__ = ["FeatureExtractor"]


class FeatureExtractor:
    """Samples in, rows of 34 out.

    Everything that depends on the spec alone is computed once, here.  State between
    calls of :meth:`push` is the tail of the samples that later frames still need.

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
        self.spec = spec = spec or FeatureSpec()
        self._yin = Yin(spec)
        self._spectrum = Spectrum(spec.n_fft, spec.hop_length, self._yin.n_lags)
        # Chroma and mel are both linear in power: one product serves the two.
        filters = np.concatenate(
            (
                chroma_filters(spec.sample_rate, spec.n_fft, spec.n_chroma),
                mel_filters(spec.sample_rate, spec.n_fft, spec.n_mels, spec.fmin_hz, spec.fmax_hz),
            ),
            axis=1,
        )
        spectrum = self._spectrum
        self._power_filters = np.zeros((spectrum.n_columns, filters.shape[1]), np.float32)
        self._power_filters[: spectrum.n_bins] = filters / spectrum.POWER_SCALE
        self._dct = dct_matrix(spec.n_mels, spec.n_mfcc)
        bands = contrast_bands(
            spec.sample_rate,
            spec.n_fft,
            spec.n_contrast_bands,
            spec.contrast_fmin_hz,
            spec.contrast_quantile,
        )
        self._contrast = SpectralContrast(bands, spectrum.n_bins, spectrum.POWER_SCALE)
        # Columns: chroma, mel, contrast valleys and peaks.  Of all but chroma a level is taken.
        n_levels = filters.shape[1] + 2 * len(bands)
        self._levels = np.zeros((TILE // BLOCK, BLOCK, n_levels), np.float32)
        self._decibels = np.empty((TILE, n_levels - spec.n_chroma), np.float32)
        self._views: dict[int, Views] = {}
        self._tail = np.empty(0, dtype=np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        # Buffers lie over each other, which a copy of each would not.
        return _restored, (self.spec, self._tail.copy())

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
        if checked.size < self.spec.win_length:
            raise ParameterError(
                f"samples has {checked.size} samples, one frame needs at least "
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
        samples = np.concatenate((self._tail, checked)) if self._tail.size else checked
        rows = self._rows(samples)
        # A copy: the caller may reuse the block's memory, as audio callbacks do.
        self._tail = samples[len(rows) * self.spec.hop_length :].copy()
        return rows

    def reset(self) -> None:
        """Forget the samples pushed so far; equal to a fresh extractor."""
        self._tail = np.empty(0, dtype=np.float32)

    def _rows(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        spec = self.spec
        rows = np.empty((spec.n_frames(samples.size), spec.n_features), dtype=np.float32)
        for first in range(0, len(rows), TILE):
            self._fill(rows[first : first + TILE], samples[first * spec.hop_length :])
        return rows

    def _fill(self, rows: NDArray[np.float32], samples: NDArray[np.float32]) -> None:
        spec, n_frames = self.spec, len(rows)
        power, correlation, ends, energy, free = self._spectrum(samples, n_frames)
        v = self._views.get(n_frames)
        if v is None:
            v = self._views[n_frames] = self._cut(power, n_frames)
        np.matmul(v.power_blocks, self._power_filters, out=v.filtered)
        self._contrast.levels(v.power, v.extremes, free)
        power_to_db(v.levels, out=v.decibels)
        pitch, chroma = spec.n_mfcc, spec.n_mfcc + 2
        rows[:, :pitch] = log_mel_to_mfcc(v.log_mel, self._dct)
        rows[:, pitch] = self._yin(correlation, ends, energy, free)
        rows[:, pitch + 1] = frame_rms(energy, spec.win_length)
        rows[:, chroma : chroma + spec.n_chroma] = normalise_chroma(v.chroma)
        np.subtract(v.peaks, v.valleys, out=rows[:, chroma + spec.n_chroma :])

    def _cut(self, power: NDArray[np.float32], n_frames: int) -> Views:
        n_chroma, n_filters = self.spec.n_chroma, self._power_filters.shape[1]
        n_blocks = len(power) // BLOCK
        v = Views(power=power[:n_frames, : self._spectrum.n_bins])
        v.power_blocks = power.reshape(n_blocks, BLOCK, -1)
        levels = self._levels[:n_blocks]
        v.filtered, v.extremes = levels[:, :, :n_filters], levels[:, :, n_filters:]
        by_frame = levels.reshape(len(power), -1)[:n_frames]
        v.chroma, v.levels = by_frame[:, :n_chroma], by_frame[:, n_chroma:]
        v.decibels = self._decibels[:n_frames]
        v.log_mel, extremes = np.split(v.decibels, [self.spec.n_mels], axis=1)
        v.valleys, v.peaks = np.split(extremes, 2, axis=1)
        return v


def _restored(spec: FeatureSpec, tail: NDArray[np.float32]) -> FeatureExtractor:
    """Copy an extractor with its streaming state."""
    extractor = FeatureExtractor(spec)
    extractor._tail = tail
    return extractor
