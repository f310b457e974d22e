"""All features of a frame, offline and streaming over the same kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError
from edge.feature_spec import FeatureSpec
from edge.features.chroma import chroma_filters, normalise_chroma
from edge.features.framing import as_samples, frame_view
from edge.features.mfcc import dct_matrix, log_mel_to_mfcc, mel_filters
from edge.features.pitch import Yin
from edge.features.rms import frame_rms
from edge.features.spectral_contrast import SpectralContrast, contrast_bands
from edge.features.spectrum import Spectrum

__all__ = ["FeatureExtractor"]

#: Frames computed at once (4 s): the intermediate float64 arrays are some 10 kB a frame,
#: and a device's memory must not follow the length of a recording.
_MAX_FRAMES_AT_ONCE = 128


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
        # Mel and chroma are both linear in power: one product serves the two.
        self._power_filters = np.concatenate(
            (
                mel_filters(spec.sample_rate, spec.n_fft, spec.n_mels, spec.fmin_hz, spec.fmax_hz),
                chroma_filters(spec.sample_rate, spec.n_fft, spec.n_chroma),
            ),
            axis=1,
        )
        self._dct = dct_matrix(spec.n_mels, spec.n_mfcc)
        bands = contrast_bands(
            spec.sample_rate,
            spec.n_fft,
            spec.n_contrast_bands,
            spec.contrast_fmin_hz,
            spec.contrast_quantile,
        )
        self._contrast = SpectralContrast(bands, 1 + spec.n_fft // 2)
        self._tail = np.empty(0, dtype=np.float32)

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
        return self._rows(frame_view(checked, self.spec.win_length, self.spec.hop_length))

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
        frames = frame_view(samples, self.spec.win_length, self.spec.hop_length)
        rows = self._rows(frames)
        # A copy: the caller may reuse the block's memory, as audio callbacks do.
        self._tail = samples[frames.shape[0] * self.spec.hop_length :].copy()
        return rows

    def reset(self) -> None:
        """Forget the samples pushed so far; equal to a fresh extractor."""
        self._tail = np.empty(0, dtype=np.float32)

    def _rows(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.empty((frames.shape[0], self.spec.n_features), dtype=np.float32)
        for first in range(0, frames.shape[0], _MAX_FRAMES_AT_ONCE):
            some = slice(first, first + _MAX_FRAMES_AT_ONCE)
            self._fill(rows[some], frames[some])
        return rows

    def _fill(self, rows: NDArray[np.float32], frames: NDArray[np.float32]) -> None:
        spec = self.spec
        power, correlation = self._spectrum(frames)
        # float64: BLAS adds up a product in another order for one row than for many (and for
        # two threads), which in float32 moves MFCC by 6e-5 dB between push and extract.
        filtered = power @ self._power_filters
        rms = frame_rms(correlation[:, 0], spec.win_length)
        chroma_at = spec.n_mfcc + 2
        contrast_at = chroma_at + spec.n_chroma
        rows[:, : spec.n_mfcc] = log_mel_to_mfcc(filtered[:, : spec.n_mels], self._dct)
        rows[:, spec.n_mfcc] = self._yin(frames, correlation, rms)
        rows[:, spec.n_mfcc + 1] = rms
        rows[:, chroma_at:contrast_at] = normalise_chroma(filtered[:, spec.n_mels :])
        rows[:, contrast_at:] = self._contrast(power.astype(np.float32))
