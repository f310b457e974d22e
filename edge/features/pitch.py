"""Fundamental frequency by YIN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.feature_spec import FeatureSpec

__all__ = ["Yin"]

_TINY = 1e-30
#: A mean difference below this share of a frame's power is the rounding of the transform
#: (float64, some 1e-15), not a signal: the flattest of 411,187 frames of the four training
#: corpora has a variance of 1e-4 of its power.
_ROUNDING = 1e-12


def _fast_length(minimum: int) -> int:
    """Smallest even length >= ``minimum`` with no prime factor above 5."""
    length = minimum + minimum % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2


class Yin:
    """YIN on the whole frame, with a voicing decision.

    The difference function compares the frame with itself, ``d(k)`` being the mean
    of ``(x[n] - x[n + k])**2`` over the ``win_length - k`` pairs that exist, so that
    it is zero for a periodic frame whatever the lag.  (librosa 0.11 leaves the energy
    of the frame's last ``k`` samples out, which lifts long lags: a steady 80 Hz never
    passes its threshold of 0.1.)

    Parameters
    ----------
    spec : FeatureSpec
        Sample rate, frame length, pitch range and thresholds.

    References
    ----------
    de Cheveigne & Kawahara (2002), JASA 111(4), equations 6-8 and steps 3-5.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.sample_rate = spec.sample_rate
        self.trough_threshold = spec.pitch_trough_threshold
        self.voicing_threshold = spec.pitch_voicing_threshold
        self.silence_rms = spec.pitch_silence_rms
        self.min_lag = int(np.floor(spec.sample_rate / spec.pitch_fmax_hz))
        self.max_lag = int(np.ceil(spec.sample_rate / spec.pitch_fmin_hz))
        self._win_length = spec.win_length
        # Long enough that no lag searched wraps round.
        self._n_fft = _fast_length(spec.win_length + self.max_lag + 1)
        lags = np.arange(1, self.max_lag + 1)
        self._n_pairs = (spec.win_length - lags).astype(np.float64)
        self._lags = lags.astype(np.float64)

    def __call__(
        self, frames: NDArray[np.float32], rms: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Pitch of every frame.

        Parameters
        ----------
        frames : float32 [shape=(n_frames, win_length)]
        rms : float32 [shape=(n_frames,)]
            Level of the frames; silence is not searched.

        Returns
        -------
        float32 [shape=(n_frames,)]
            In Hz; 0 where the frame is silent or not periodic.

        Notes
        -----
        Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
        """
        pitch_hz = np.zeros(frames.shape[0], dtype=np.float32)
        audible = np.flatnonzero(rms > self.silence_rms)
        if audible.size:
            chosen = frames if audible.size == frames.shape[0] else frames[audible]
            pitch_hz[audible] = self._search(self.normalised_difference(chosen))
        return pitch_hz

    def normalised_difference(self, frames: NDArray[np.float32]) -> NDArray[np.float64]:
        """Cumulative mean normalised difference, lags ``min_lag`` to ``max_lag``.

        Returns
        -------
        float64 [shape=(n_frames, max_lag - min_lag + 1)]
            1 throughout for a constant frame.
        """
        # float64: near a deep trough this is a small difference of large sums.
        wide = frames.astype(np.float64)
        spectrum = np.fft.rfft(wide, n=self._n_fft, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        correlation = np.fft.irfft(power, n=self._n_fft, axis=1)[:, : self.max_lag + 1]
        squares = wide * wide
        head = np.cumsum(squares[:, : self.max_lag], axis=1)
        tail = np.cumsum(squares[:, : -self.max_lag - 1 : -1], axis=1)
        difference = 2.0 * (correlation[:, :1] - correlation[:, 1:]) - head - tail
        # Rounding can leave a perfectly periodic frame a hair below zero.
        difference = np.maximum(difference, 0.0) / self._n_pairs
        mean = np.cumsum(difference, axis=1) / self._lags
        searched = slice(self.min_lag - 1, self.max_lag)
        normalised: NDArray[np.float64] = difference[:, searched] / (mean[:, searched] + _TINY)
        # A constant (an offset of the converter) repeats at every lag and has no pitch.
        constant = mean[:, -1] * self._win_length <= _ROUNDING * correlation[:, 0]
        normalised[constant] = 1.0
        return normalised

    def _search(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Absolute threshold, parabolic refinement, voicing; one value a row."""
        rows = np.arange(difference.shape[0])
        before, here, after = difference[:, :-2], difference[:, 1:-1], difference[:, 2:]
        trough = np.zeros(difference.shape, dtype=bool)
        trough[:, 1:-1] = (here < before) & (here <= after)
        trough[:, 0] = difference[:, 0] < difference[:, 1]
        trough &= difference < self.trough_threshold
        # The first trough below the threshold, or the deepest point of all.
        best = np.where(trough.any(axis=1), trough.argmax(axis=1), difference.argmin(axis=1))

        inner = np.clip(best, 1, difference.shape[1] - 2)
        left, centre, right = (difference[rows, inner + step] for step in (-1, 0, 1))
        curvature = left + right - 2.0 * centre
        slope = 0.5 * (right - left)
        # Outside one lag the parabola's bottom is no refinement of this trough.
        refine = (np.abs(slope) < np.abs(curvature)) & (inner == best)
        shift = np.where(refine, -slope / np.where(refine, curvature, 1.0), 0.0)
        pitch_hz = self.sample_rate / (self.min_lag + best + shift)
        voiced = difference[rows, best] < self.voicing_threshold
        return np.where(voiced, pitch_hz, 0.0)
