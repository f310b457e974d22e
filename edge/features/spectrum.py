"""Power spectrum and autocorrelation of every frame from one transform of half frames.

A frame is two halves.  With a hop of half a frame, the second half of one frame is the
first of the next, so each half is transformed once, padded to a whole frame, and then

* ``first + (-1)**k * second`` is the spectrum of the frame: a delay by half a frame turns
  the sign of every second bin;
* ``conj(first) * second`` is the correlation of the two halves, which does not wrap round
  below a lag of half a frame: YIN needs no transform of its own but the inverse.

The periodic Hann window is three bins wide, so it is applied to the spectrum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AMIN", "Spectrum", "power_to_db"]

#: Floor of a power before its logarithm (librosa's default).
AMIN = 1e-10

# NumPy 1.26 cannot transform into a given array.
_FFT_TAKES_OUT = int(np.__version__.split(".")[0]) >= 2

#: Frames transformed at once.  Their spectra, some 8 kB each and five of them, stay near
#: a second-level cache, and their memory is used again: allocated anew, arrays of this size
#: come from the operating system page by page, which takes longer than the arithmetic.
_TILE = 32


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
    """Transforms frames; all memory it needs between calls is allocated once.

    Parameters
    ----------
    n_fft : int
        Frame length in samples, even.
    hop_length : int
        From one frame to the next, in samples.
    n_lags : int
        Lags of the autocorrelation, from 0; at most half a frame.
    """

    def __init__(self, n_fft: int, hop_length: int, n_lags: int) -> None:
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_lags = n_lags
        half = n_fft // 2
        n_bins = half + 1
        self._shared = hop_length == half
        n_halves = _TILE + 1 if self._shared else 2 * _TILE
        self._sign = np.where(np.arange(n_bins) % 2, -1.0, 1.0)
        # float64: in float32 the rounding noise of the transform fills the valleys that
        # spectral contrast measures (0.03 dB off on real speech instead of 1e-5).
        self._halves = np.zeros((n_halves, n_fft))
        self._spectra = np.empty((n_halves, n_bins), np.complex128)
        self._own = np.empty((n_halves, n_bins))
        self._delayed = np.empty((_TILE, n_bins), np.complex128)
        self._cross = np.empty((_TILE, n_bins), np.complex128)
        self._frame = np.empty((_TILE, n_bins), np.complex128)
        self._correlation = np.empty((_TILE, n_fft))

    def __call__(
        self, frames: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Power under a periodic Hann window, and autocorrelation of the untapered frame.

        Parameters
        ----------
        frames : float32 [shape=(n_frames, n_fft)]
            Frames ``hop_length`` apart.

        Returns
        -------
        power : float64 [shape=(n_frames, 1 + n_fft // 2)]
        correlation : float64 [shape=(n_frames, n_lags)]
            Sum of ``x[n] * x[n + lag]`` over the pairs within the frame.

        Notes
        -----
        Causal: row t depends on frame t alone.
        """
        power = np.empty((len(frames), 1 + self.n_fft // 2))
        correlation = np.empty((len(frames), self.n_lags))
        for start in range(0, len(frames), _TILE):
            tile = slice(start, start + _TILE)
            self._tile(frames[tile], power[tile], correlation[tile])
        return power, correlation

    def _tile(
        self,
        frames: NDArray[np.float32],
        power: NDArray[np.float64],
        correlation: NDArray[np.float64],
    ) -> None:
        n, half = len(frames), self.n_fft // 2
        n_halves = n + 1 if self._shared else 2 * n
        step = 1 if self._shared else n
        halves = self._halves[:n_halves]
        halves[:n, :half] = frames[:, :half]
        halves[n:, :half] = frames[-1:, half:] if self._shared else frames[:, half:]
        spectra = self._spectra[:n_halves]
        if _FFT_TAKES_OUT:
            np.fft.rfft(halves, axis=1, out=spectra)
        else:
            spectra[:] = np.fft.rfft(halves, axis=1)
        first, second = spectra[:n], spectra[step:]
        delayed = np.multiply(second, self._sign, out=self._delayed[:n])
        self._correlate(spectra, first, delayed, step, correlation)
        self._taper(np.add(first, delayed, out=delayed), power)

    def _correlate(
        self,
        spectra: NDArray[np.complex128],
        first: NDArray[np.complex128],
        delayed: NDArray[np.complex128],
        step: int,
        correlation: NDArray[np.float64],
    ) -> None:
        n = len(first)
        cross = np.conjugate(first, out=self._cross[:n])
        cross *= delayed
        # Pairs within a half: its own power, which is that of either end of the frame.
        own = np.multiply(spectra.real, spectra.real, out=self._own[: len(spectra)])
        imaginary = self._frame.view(np.float64).reshape(-1)[: own.size].reshape(own.shape)
        own += np.multiply(spectra.imag, spectra.imag, out=imaginary)
        ends = np.add(own[:n], own[step:], out=imaginary[:n])
        cross.real += ends
        if _FFT_TAKES_OUT:
            lags = np.fft.irfft(cross, n=self.n_fft, axis=1, out=self._correlation[:n])
        else:
            lags = np.fft.irfft(cross, n=self.n_fft, axis=1)
        correlation[:] = lags[:, : self.n_lags]

    def _taper(self, frame: NDArray[np.complex128], power: NDArray[np.float64]) -> None:
        # Window 1/2 - 1/4 exp(+) - 1/4 exp(-): a bin less the mean of its neighbours, halved.
        # Bins below 0 and above the Nyquist frequency are the conjugates of those inside.
        tapered = self._frame[: len(frame)]
        np.add(frame[:, :-2], frame[:, 2:], out=tapered[:, 1:-1])
        tapered[:, 0] = 2.0 * frame[:, 1].real
        tapered[:, -1] = 2.0 * frame[:, -2].real
        tapered *= -0.5
        tapered += frame
        parts = tapered.view(np.float64)
        parts *= parts
        np.add(parts[:, 0::2], parts[:, 1::2], out=power)
        power *= 0.25
