"""One windowed spectrum, shared by every spectral feature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spectrum", "power_to_db"]

#: Floor of a power before its logarithm (librosa's default).
AMIN = 1e-10


def power_to_db(power: NDArray[np.floating], amin: float = AMIN) -> NDArray[np.floating]:
    """``10 log10(max(power, amin))``, without any clip-wide ceiling.

    Notes
    -----
    Causal: librosa's ``top_db`` looks at the loudest frame of the whole clip,
    also at those that have not been heard yet, so it is not offered.
    """
    decibels: NDArray[np.floating] = 10.0 * np.log10(np.maximum(power, amin))
    return decibels


class Spectrum:
    """Magnitude spectrum of Hann-windowed frames.

    Parameters
    ----------
    n_fft : int
        Frame length in samples, even.
    """

    def __init__(self, n_fft: int) -> None:
        self.n_fft = n_fft
        # Periodic Hann: the taper of librosa's and scipy's STFT (fftbins=True).
        phase = 2 * np.pi * np.arange(n_fft) / n_fft
        # float64: in float32 the rounding noise of the transform fills the valleys that
        # spectral contrast measures (0.03 dB off on real speech instead of 1e-5).
        self._taper = 0.5 - 0.5 * np.cos(phase)

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Magnitudes.

        Parameters
        ----------
        frames : float32 [shape=(n_frames, n_fft)]

        Returns
        -------
        float32 [shape=(n_frames, 1 + n_fft // 2)]

        Notes
        -----
        Causal: row t depends on frame t alone.
        """
        return np.abs(np.fft.rfft(frames * self._taper, axis=1)).astype(np.float32, copy=False)
