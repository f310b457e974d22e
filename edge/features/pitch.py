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
        self.trough_margin = spec.pitch_trough_margin
        self.voicing_threshold = spec.pitch_voicing_threshold
        self.silence_rms = spec.pitch_silence_rms
        self.min_lag = int(np.floor(spec.sample_rate / spec.pitch_fmax_hz))
        self.max_lag = int(np.ceil(spec.sample_rate / spec.pitch_fmin_hz))
        self._win_length = spec.win_length
        lags = np.arange(1, self.max_lag + 1)
        self._per_pair = 1.0 / (spec.win_length - lags)
        self._lags = lags[self.min_lag - 1 :].astype(np.float64)

    @property
    def n_lags(self) -> int:
        """Lags of the autocorrelation that are needed, from 0."""
        return self.max_lag + 1

    def __call__(
        self,
        frames: NDArray[np.float32],
        correlation: NDArray[np.float64],
        rms: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Pitch of every frame.

        Parameters
        ----------
        frames : float32 [shape=(n_frames, win_length)]
        correlation : float64 [shape=(n_frames, n_lags)]
            Autocorrelation of the frames.
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
        pitch_hz = np.zeros(len(frames), dtype=np.float32)
        audible = np.flatnonzero(rms > self.silence_rms)
        if audible.size == len(frames):
            pitch_hz[:] = self._search(self.normalised_difference(frames, correlation))
        elif audible.size:
            difference = self.normalised_difference(frames[audible], correlation[audible])
            pitch_hz[audible] = self._search(difference)
        return pitch_hz

    def normalised_difference(
        self, frames: NDArray[np.float32], correlation: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Cumulative mean normalised difference, lags ``min_lag`` to ``max_lag``.

        Returns
        -------
        float64 [shape=(n_frames, max_lag - min_lag + 1)]
            1 throughout for a constant frame.
        """
        # float64: near a deep trough this is a small difference of large sums.
        n_lags = self.max_lag
        head = frames[:, :n_lags].astype(np.float64)
        tail = frames[:, : -n_lags - 1 : -1].astype(np.float64)
        # A lag of k leaves the first and the last k samples of the frame without a partner.
        head *= head
        tail *= tail
        head += tail
        unpaired = np.cumsum(head, axis=1, out=head)
        power = correlation[:, 0]
        difference = np.subtract(power[:, None], correlation[:, 1:], out=tail)
        difference *= 2.0
        difference -= unpaired
        # Rounding can leave a perfectly periodic frame a hair below zero.
        np.maximum(difference, 0.0, out=difference)
        difference *= self._per_pair
        running = np.cumsum(difference, axis=1, out=head)
        constant = running[:, -1] * (self._win_length / n_lags) <= _ROUNDING * power
        searched = difference[:, self.min_lag - 1 :]
        searched *= self._lags
        normalised: NDArray[np.float64] = searched / (running[:, self.min_lag - 1 :] + _TINY)
        # A constant (an offset of the converter) repeats at every lag and has no pitch.
        if constant.any():
            normalised[constant] = 1.0
        return normalised

    def _search(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Absolute threshold, parabolic refinement, voicing; one value a row."""
        n_frames, n_lags = difference.shape
        rows = np.arange(n_frames)
        flat = difference.reshape(-1)
        first_of_row = rows * n_lags
        deepest_at = difference.argmin(axis=1)
        deepest = flat[first_of_row + deepest_at]
        # In noise the period and its multiples are equally deep but for chance: the deepest of
        # all would often be the doubled period.
        low = np.where(
            deepest < self.trough_threshold, self.trough_threshold, deepest + self.trough_margin
        )
        # A trough is lower than the lag before, where there is one, and not above the next,
        # which there must be.
        falling = difference[:, 1:] < difference[:, :-1]
        trough = np.greater(difference[:, :-1] < low[:, None], falling)
        trough[:, 1:] &= falling[:, :-1]
        first = trough.argmax(axis=1)
        # Without a trough the deepest point is the longest lag.
        best = np.where(trough[rows, first], first, deepest_at)

        inner = np.clip(best, 1, n_lags - 2)
        at = first_of_row + inner
        left, centre, right = flat[at - 1], flat[at], flat[at + 1]
        curvature = left + right - 2.0 * centre
        slope = 0.5 * (right - left)
        # Outside one lag the parabola's bottom is no refinement of this trough.
        refine = (np.abs(slope) < np.abs(curvature)) & (inner == best)
        shift = np.where(refine, -slope / np.where(refine, curvature, 1.0), 0.0)
        pitch_hz = self.sample_rate / (self.min_lag + best + shift)
        voiced = difference[rows, best] < self.voicing_threshold
        return np.where(voiced, pitch_hz, 0.0)
