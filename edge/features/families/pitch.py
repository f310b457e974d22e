"""Fundamental frequency by YIN."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, choice, number
from edge.features.spectrum import BLOCK, TILE, FrameSpectra

__all__ = ["Pitch", "Yin", "check_pitch_range"]

#: So little that no sound (see ``pitch_silence_rms``) notices it.
_TINY = np.float32(1e-30)


@dataclasses.dataclass(frozen=True, slots=True)
class Pitch(Family):
    """Fundamental frequency, 0 where there is none.

    Parameters
    ----------
    method : str
        ``"yin"``: depends on its own frame alone, unlike pYIN.
    fmin_hz, fmax_hz : float
        Search range, in Hz.
    trough_threshold : float
        YIN's absolute threshold on the normalised difference function.
    trough_margin : float
        Where no trough is below the threshold, as in noise, the first one within this of
        the deepest is taken: the doubled period is as deep as the period but for chance.
    voicing_threshold : float
        A frame whose best trough is above this is unvoiced: pitch 0.
    silence_rms : float
        A frame at or below this RMS is silence: pitch 0 and no search.
    """

    NAME: ClassVar[str] = "pitch"

    method: str = choice("yin", "pitch_method")
    fmin_hz: float = number(60.0, "pitch_fmin_hz")
    fmax_hz: float = number(600.0, "pitch_fmax_hz")
    trough_threshold: float = number(0.1, "pitch_trough_threshold")
    trough_margin: float = number(0.03, "pitch_trough_margin")
    voicing_threshold: float = number(0.5, "pitch_voicing_threshold")
    silence_rms: float = number(1e-5, "pitch_silence_rms")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The one column's."""
        return ("pitch_hz",)

    def check(self, frames: FrameGeometry) -> None:
        """Compare the range with the frame."""
        check_pitch_range(self.fmin_hz, self.fmax_hz, frames)

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return Yin(self, frames)


def check_pitch_range(
    fmin_hz: float, fmax_hz: float, frames: FrameGeometry, prefix: str = "pitch_"
) -> None:
    """Refuse a range of which the frame does not hold the periods.

    Raises
    ------
    ParameterError
        Naming the settings as ``prefix`` before ``fmin_hz`` and ``fmax_hz``.
    """
    nyquist_hz = frames.sample_rate / 2
    if not 0 < fmin_hz < fmax_hz <= nyquist_hz:
        raise ParameterError(
            f"{prefix}fmin_hz {fmin_hz} and {prefix}fmax_hz {fmax_hz} "
            f"must rise within 0 and {nyquist_hz} Hz"
        )
    shortest_lag, longest_lag = frames.sample_rate / fmax_hz, frames.sample_rate / fmin_hz
    if longest_lag > frames.win_length // 2 - 2:
        raise ParameterError(
            f"{prefix}fmin_hz {fmin_hz} needs a frame of at least "
            f"{2 * longest_lag + 4:.1f} samples, win_length is {frames.win_length}"
        )
    # A trough is found between two neighbours.
    if math.ceil(longest_lag) - math.floor(shortest_lag) < 2:
        raise ParameterError(
            f"{prefix}fmin_hz {fmin_hz} and {prefix}fmax_hz {fmax_hz} span "
            f"less than two samples of lag at {frames.sample_rate} Hz: widen the range"
        )


@dataclasses.dataclass(slots=True)
class _Views:
    """Buffers, cut to a number of frames."""

    correlation: NDArray[np.float32]
    free: NDArray[np.float32]
    at_lag_0: NDArray[np.float32]
    at_lags: NDArray[np.float32]
    values: NDArray[np.float32]
    sums: NDArray[np.float32]
    #: Constants of the lags, for every frame: a pass over arrays of one size is the fastest.
    per_pair: NDArray[np.float32]
    lags: NDArray[np.float32]
    tiny: NDArray[np.float32]
    end_blocks: NDArray[np.float32]
    value_blocks: NDArray[np.float32]
    sum_blocks: NDArray[np.float32]
    block_sums: NDArray[np.float32]
    flat: NDArray[np.float32]
    here: NDArray[np.float32]
    after: NDArray[np.float32]


class Yin(Kernel):
    """YIN on the whole frame, with a voicing decision.

    The difference function compares the frame with itself, ``d(k)`` being the mean
    of ``(x[n] - x[n + k])**2`` over the ``win_length - k`` pairs that exist, so that
    it is zero for a periodic frame whatever the lag.  (librosa 0.11 leaves the energy
    of the frame's last ``k`` samples out, which lifts long lags: a steady 80 Hz never
    passes its threshold of 0.1.)

    Parameters
    ----------
    settings : Pitch
        Pitch range and thresholds.
    frames : FrameGeometry
        Sample rate and frame length.

    References
    ----------
    de Cheveigne & Kawahara (2002), JASA 111(4), equations 6-8 and blocks 3-5.
    """

    def __init__(self, settings: Pitch, frames: FrameGeometry) -> None:
        self.sample_rate = frames.sample_rate
        self.trough_threshold = np.float32(settings.trough_threshold)
        self.trough_margin = np.float32(settings.trough_margin)
        self.voicing_threshold = np.float32(settings.voicing_threshold)
        self.silence_energy = np.float32(settings.silence_rms**2 * frames.win_length)
        self.min_lag = int(np.floor(frames.sample_rate / settings.fmax_hz))
        self.max_lag = int(np.ceil(frames.sample_rate / settings.fmin_hz))
        # One more at least, so that every lag that is searched has a neighbour on either side.
        n_blocks = -(-(self.max_lag + 1) // BLOCK)
        n_columns = n_blocks * BLOCK
        #: Lags of the autocorrelation that are needed, from 0.
        self.n_lags = n_columns + 1
        lags = np.arange(1, n_columns + 1)
        per_pair = (1.0 / (frames.win_length - lags)).astype(np.float32)
        # Outside the lags that are searched stands what no trough is above: neither end of the
        # search is a special case.
        searched = (lags >= self.min_lag) & (lags <= self.max_lag)
        searched_lags = np.where(searched, lags, np.inf).astype(np.float32)
        self._per_pair, self._lags = (
            np.tile(each, (TILE, 1)) for each in (per_pair, searched_lags)
        )
        self._tiny = np.full((TILE, n_columns), _TINY)
        # Sums within a block, and of all blocks before: NumPy's cumsum, which waits for every
        # addition, takes three times as long.
        self._within = np.triu(np.ones((BLOCK, BLOCK), np.float32))
        self._half_within = self._within * np.float32(0.5)
        self._before = np.triu(np.ones((n_blocks, n_blocks), np.float32), 1)
        # Lag k stands in column k - 1.
        self._starts = np.arange(TILE) * n_columns
        self._lag_of_start = 1 - self._starts
        self._views: dict[int, _Views] = {}

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        """See :class:`~edge.features.families.base.Kernel`."""
        out[:, 0] = self(spectra.correlation, spectra.ends, spectra.energy, spectra.free)

    def __call__(
        self,
        correlation: NDArray[np.float32],
        ends: NDArray[np.float32],
        energy: NDArray[np.float32],
        free: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float64]:
        """Pitch of up to ``TILE`` frames.

        Parameters
        ----------
        correlation, ends, energy, free
            See :class:`edge.features.spectrum.FrameSpectra`; without free memory some is
            allocated.

        Returns
        -------
        float64 [shape=(n_frames,)]
            In Hz; 0 where the frame is silent or not periodic.

        Notes
        -----
        Causal: row t depends on frame t alone.  Parity: tests/parity/features.npz.
        """
        audible = energy > self.silence_energy
        if not np.count_nonzero(audible):
            return np.zeros(len(energy))
        return self._search(self._normalise(correlation, ends, free), audible)

    def normalised_difference(
        self, correlation: NDArray[np.float32], ends: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Cumulative mean normalised difference, lags ``min_lag`` to ``max_lag``.

        Returns
        -------
        float32 [shape=(n_frames, max_lag - min_lag + 1)]
            At least 1 throughout for a constant frame.
        """
        values: NDArray[np.float32] = self._normalise(correlation, ends, None).values
        return values[:, self.min_lag - 1 : self.max_lag]

    def _normalise(
        self,
        correlation: NDArray[np.float32],
        ends: NDArray[np.float32],
        free: NDArray[np.float32] | None,
    ) -> _Views:
        """All lags from 1, as ``values``; infinite where none is searched."""
        if free is None:
            free = np.empty(2 * ends.size, np.float32)
        v = self._views.get(len(ends))
        if v is None or v.correlation is not correlation or v.free is not free:
            v = self._views[len(ends)] = self._cut(correlation, ends, free)
        np.subtract(v.at_lag_0, v.at_lags, out=v.values)
        # A lag of k leaves the first and the last k samples of the frame without a partner.
        self._accumulate(v.end_blocks, self._half_within, v)
        np.subtract(v.values, v.sums, out=v.values)
        # Rounding can leave a periodic frame a hair below zero; a constant is alike at all lags.
        np.maximum(v.values, v.tiny, out=v.values)
        np.multiply(v.values, v.per_pair, out=v.values)
        self._accumulate(v.value_blocks, self._within, v)
        np.multiply(v.values, v.lags, out=v.values)
        np.divide(v.values, v.sums, out=v.values)
        return v

    def _accumulate(
        self, blocks: NDArray[np.float32], within: NDArray[np.float32], v: _Views
    ) -> None:
        """Cumulative sums of the rows, in ``sums``."""
        np.matmul(blocks, within, out=v.sum_blocks)
        before = v.block_sums @ self._before
        np.add(v.sum_blocks, before.reshape(-1, 1), out=v.sum_blocks)

    def _cut(
        self,
        correlation: NDArray[np.float32],
        ends: NDArray[np.float32],
        free: NDArray[np.float32],
    ) -> _Views:
        n_frames = len(ends)
        values = free[: ends.size].reshape(ends.shape)
        sums = free[ends.size : 2 * ends.size].reshape(ends.shape)
        sum_blocks, flat = sums.reshape(-1, BLOCK), values.reshape(-1)
        return _Views(
            correlation=correlation,
            free=free,
            at_lag_0=correlation[:, :1],
            at_lags=correlation[:, 1:],
            values=values,
            sums=sums,
            per_pair=self._per_pair[:n_frames],
            lags=self._lags[:n_frames],
            tiny=self._tiny[:n_frames],
            end_blocks=ends.reshape(-1, BLOCK),
            value_blocks=values.reshape(-1, BLOCK),
            sum_blocks=sum_blocks,
            block_sums=sum_blocks[:, -1].reshape(n_frames, -1),
            flat=flat,
            here=flat[:-1],
            after=flat[1:],
        )

    def _search(self, v: _Views, audible: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Threshold, margin, parabolic refinement and voicing."""
        n_frames, flat = len(audible), v.flat
        starts = self._starts[:n_frames]
        deepest_at = v.values.argmin(axis=1)
        deepest_at += starts
        deepest = flat[deepest_at]
        # In noise the period and its multiples are equally deep but for chance: the deepest of
        # all would often be the doubled period.
        limit = deepest + self.trough_margin
        limit[deepest < self.trough_threshold] = self.trough_threshold
        # The first value within the limit that does not fall any further: a trough, because
        # one before it that was no higher would have been taken.
        found = v.values <= limit[:, None]
        but_the_last = found.reshape(-1)[:-1]
        np.bitwise_and(but_the_last, v.here <= v.after, out=but_the_last)
        best = found.argmax(axis=1)
        best += starts
        centre = flat[best]
        left, right = flat[best - 1], flat[best + 1]
        left -= centre
        right -= centre
        # The first and the last lag lack a neighbour and are not refined.
        both = left + right
        both += both
        left -= right
        shift = np.zeros(n_frames, np.float32)
        np.divide(left, both, out=shift, where=both < np.inf)
        best += self._lag_of_start[:n_frames]
        pitch_hz: NDArray[np.float64] = self.sample_rate / (best + shift)
        audible &= centre < self.voicing_threshold
        pitch_hz *= audible
        return pitch_hz
