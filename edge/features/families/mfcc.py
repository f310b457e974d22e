"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, count, number
from edge.features.spectrum import FrameSpectra

__all__ = ["Mfcc", "dct_matrix", "hz_to_mel", "log_mel_to_mfcc", "mel_filters", "mel_to_hz"]

# Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3.0
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


@dataclasses.dataclass(frozen=True, slots=True)
class Mfcc(Family):
    """Mel-frequency cepstral coefficients.

    Parameters
    ----------
    n_mels, n_mfcc : int
        Mel bands (Slaney scale and area norm) and cepstral coefficients kept.
    fmin_hz, fmax_hz : float
        Edges of the mel bands, in Hz.
    """

    NAME: ClassVar[str] = "mfcc"

    n_mels: int = count(40, 512, "n_mels")
    n_mfcc: int = count(13, 512, "n_mfcc")
    fmin_hz: float = number(50.0, "fmin_hz")
    fmax_hz: float = number(8000.0, "fmax_hz")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, from the mean level on."""
        return tuple(f"mfcc_{i}" for i in range(self.n_mfcc))

    def check(self, frames: FrameGeometry) -> None:
        """Compare the counts, and the bands with the Nyquist frequency."""
        nyquist_hz = frames.sample_rate / 2
        if self.n_mfcc > self.n_mels:
            raise ParameterError(f"n_mfcc {self.n_mfcc} is more than n_mels {self.n_mels}")
        if not 0 <= self.fmin_hz < self.fmax_hz <= nyquist_hz:
            raise ParameterError(
                f"fmin_hz {self.fmin_hz} and fmax_hz {self.fmax_hz} must rise within 0 and "
                f"{nyquist_hz} Hz"
            )

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _MfccKernel(
            mel_filters(frames.sample_rate, frames.n_fft, self.n_mels, self.fmin_hz, self.fmax_hz),
            dct_matrix(self.n_mels, self.n_mfcc),
        )


class _MfccKernel(Kernel):
    filters_in_db = True

    def __init__(self, filters: NDArray[np.float64], dct: NDArray[np.float64]) -> None:
        self.filters = filters
        self._dct = dct

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        log_mel = columns.filtered
        # BLAS multiplies a single row in another order than several: silence, whose coefficients
        # are rounding and nothing else, would tell how it was cut into blocks.
        if len(log_mel) == 1:
            log_mel = log_mel.repeat(2, axis=0)
        out[:] = log_mel_to_mfcc(log_mel, self._dct)[: len(out)]


def hz_to_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hz to Slaney mels."""
    frequency_hz = np.asarray(frequency_hz, dtype=np.float64)
    above = np.log(np.maximum(frequency_hz, _LOG_START_HZ) / _LOG_START_HZ) / _LOG_STEP
    return np.where(
        frequency_hz < _LOG_START_HZ, frequency_hz / _HZ_PER_MEL, _LOG_START_MEL + above
    )


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney mels to Hz."""
    mel = np.asarray(mel, dtype=np.float64)
    above = _LOG_START_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _LOG_START_MEL) - _LOG_START_MEL))
    return np.where(mel < _LOG_START_MEL, mel * _HZ_PER_MEL, above)


def mel_filters(
    sample_rate: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float
) -> NDArray[np.float64]:
    """Triangular filters on power bins, each of area one (Slaney).

    Returns
    -------
    float64 [shape=(1 + n_fft // 2, n_mels)]
    """
    bins_hz = np.arange(1 + n_fft // 2) * (sample_rate / n_fft)
    lo, hi = hz_to_mel(np.array([fmin_hz, fmax_hz]))
    edges_hz = mel_to_hz(np.linspace(lo, hi, n_mels + 2))
    left, centre, right = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - left) / (centre - left)
    falling = (right - bins_hz[:, None]) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: NDArray[np.float64] = triangles * (2.0 / (right - left))
    return filters


def dct_matrix(n_in: int, n_out: int) -> NDArray[np.float64]:
    """Orthonormal DCT-II as a matrix [shape=(n_in, n_out)]; CLAF-SER eq. 1."""
    k, m = np.arange(n_out), np.arange(n_in)
    matrix = np.cos(np.pi * k * (2 * m[:, None] + 1) / (2 * n_in)) * np.sqrt(2.0 / n_in)
    matrix[:, 0] /= np.sqrt(2.0)
    return np.asarray(matrix, dtype=np.float64)


def log_mel_to_mfcc(
    log_mel_db: NDArray[np.floating], dct: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Mel levels to cepstral coefficients.

    Parameters
    ----------
    log_mel_db : float [shape=(n_frames, n_mels)]
        In dB.
    dct : float [shape=(n_mels, n_mfcc)]

    Returns
    -------
    float [shape=(n_frames, n_mfcc)]
        In dB (coefficient 0 is the mean level times ``sqrt(n_mels)``).

    Notes
    -----
    Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.

    References
    ----------
    Davis & Mermelstein (1980), IEEE TASSP 28(4); CLAF-SER eq. 1.
    """
    coefficients: NDArray[np.floating] = log_mel_db @ dct
    return coefficients
