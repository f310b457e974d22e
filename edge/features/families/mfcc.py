"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["dct_matrix", "hz_to_mel", "log_mel_to_mfcc", "mel_filters", "mel_to_hz"]

# Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3.0
_LOG_START_HZ = 1000.0
_LOG_START_MEL = _LOG_START_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


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
