"""Whether a recording holds less than a model has learnt from.

Telephones end at 3.4 or 4 kHz, old recorders at 5.5, codecs of few bits anywhere; what was
resampled from there still does.  A model that hears 8 kHz calls nearly all of it sad and cannot
know.

Two things are looked for in the loud frames of the first seconds of speech:

* an **edge**: half a kilohertz of sound, and far less of it in every eighth of a kilohertz above;
* a **mirror**: what a poor resampler (linear, cubic) leaves above the old Nyquist frequency is what
  lies below, turned round.  The fine structures of the two sides then correlate with 0.46 to 0.98,
  those of native clips with 0.2 at most.

``benchmarks/band.py`` measures both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.arrays import frame_view

__all__ = ["LOOKS", "BandMeter"]

#: A spectrum that ends below is told.
_WANTED_HZ = 7000.0
#: Width of a band, and the span of what an edge may be and of what is seen above it.
_BAND_HZ = 125.0
_LOWEST_EDGE, _HIGHEST_EDGE, _TOP = 24, 56, 62
#: Bands that hold sound below an edge, and those that the edge itself may take.
_N_BELOW, _N_EDGE = 4, 2
#: Nyquist frequencies of 8, 11.025 and 12 kHz.
_MIRRORS_HZ = (4000.0, 5512.5, 6000.0)
_MIRRORED = 0.35
#: Frames that say nothing about the band: 25 dB below the loudest, or near silence.
_RANGE_DB = 25.0
_SILENCE_DB = -60.0
#: Loud frames after which is looked, and the fall that is an edge then: few frames may hold no
#: fricative.  The steepest of 6,760 native clips were 29.0, 23.5, 19.7 and 15.9 dB.
LOOKS = ((24, 31.0), (48, 25.5), (96, 22.0), (160, 19.0))
#: Frames taken in together, counted from the first one: no split into blocks shows.
_N_TAKEN = 8
#: In dB of a squared sample; below is nothing.
_FLOOR = 1e-16


class BandMeter:
    """Tell once that a spectrum ends where that of the model's training does not.

    Parameters
    ----------
    sample_rate : int
        Of the samples to come, in Hz.  At one that holds nothing above 7.75 kHz there is nothing
        to tell.

    Notes
    -----
    After 160 loud frames, some five seconds of speech, it is done and costs nothing more.  Clips of
    less than 24, 0.8 s, are not judged.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._n_fft = 2 ** round(np.log2(0.064 * sample_rate))
        self._done = sample_rate < 2 * _TOP * _BAND_HZ
        self._tail = np.empty(0, np.float32)
        self._powers = np.empty((0, 1 + self._n_fft // 2), np.float32)
        self._next_look = 0
        self._window = np.empty(0)
        if not self._done:
            phase = 2 * np.pi * np.arange(self._n_fft) / self._n_fft
            # The sum of the powers is that of the squared samples' mean, tapered.
            self._window = (0.5 - 0.5 * np.cos(phase)) * np.sqrt(2 / 0.375) / self._n_fft

    def push(self, samples: NDArray[np.float32]) -> str | None:
        """Listen to the next samples.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]

        Returns
        -------
        str or None
            The sentence, once.
        """
        if self._done:
            return None
        heard = np.concatenate((self._tail, samples))
        hop = self._n_fft // 2
        frames = frame_view(heard, self._n_fft, hop)
        n_taken = len(frames) // _N_TAKEN * _N_TAKEN
        self._tail = heard[n_taken * hop :].copy()
        for first in range(0, n_taken, _N_TAKEN):
            said = self._take(frames[first : first + _N_TAKEN])
            if self._done:
                return said
        return None

    def _take(self, frames: NDArray[np.float32]) -> str | None:
        """Keep the loud ones, and look at what there is where there is enough."""
        with np.errstate(over="ignore"):
            power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        # An offset, as wide as the taper makes it, is no sound.
        power[:, :2] = 0.0
        self._powers = np.concatenate((self._powers, power.astype(np.float32)))
        level = self._powers.sum(axis=1)
        least = max(level.max(initial=0.0) * 10 ** (-_RANGE_DB / 10), 10 ** (_SILENCE_DB / 10))
        self._powers = self._powers[level > least]
        n_wanted, fall_db = LOOKS[self._next_look]
        if len(self._powers) < n_wanted:
            return None
        said = self._look(fall_db)
        self._next_look += 1
        if said is not None or self._next_look == len(LOOKS):
            self._done = True
            self._powers, self._tail = self._powers[:0], self._tail[:0]
        return said

    def _look(self, least_fall_db: float) -> str | None:
        fall_db, edge_hz = self.steepest_fall()
        if fall_db >= least_fall_db and edge_hz < _WANTED_HZ:
            return (
                f"nothing above {edge_hz / 1000:.1f} kHz was heard: the recording comes from a "
                "telephone, or was made or coded for less sound; the model has learnt from wider "
                "sound and is less often right"
            )
        mirror_hz = max(_MIRRORS_HZ, key=self._mirrored)
        if self._mirrored(mirror_hz) > _MIRRORED:
            return (
                f"what was heard above {mirror_hz / 1000:.1f} kHz mirrors what is below: the "
                f"recording was made at {2 * mirror_hz:.0f} Hz and resampled poorly; the model "
                "has learnt from wider sound and is less often right"
            )
        return None

    @property
    def n_loud(self) -> int:
        """Loud frames so far."""
        return len(self._powers)

    def steepest_fall(self) -> tuple[float, float]:
        """By how many dB the spectrum falls where it falls most, and at what frequency."""
        bins = np.arange(_TOP + 1) * _BAND_HZ * self._n_fft / self._sample_rate
        bands = np.add.reduceat(self._powers, np.round(bins).astype(np.intp), axis=1)[:, :_TOP]
        # Of the loudest tenth of the frames, band by band: a fricative now and then is enough.
        levels = 10 * np.log10(np.percentile(bands, 90, axis=0) + _FLOOR)
        falls = [
            float(np.median(levels[edge - _N_BELOW : edge]) - levels[edge + _N_EDGE :].max())
            for edge in range(_LOWEST_EDGE, _HIGHEST_EDGE)
        ]
        fall_db = max(falls)
        behind = _LOWEST_EDGE + falls.index(fall_db) + _N_EDGE
        # The edge stands half way down, or 20 dB: a taper's skirts are wider than a cliff.
        least = levels[behind:].max() + max(fall_db / 2, fall_db - 20)
        high = np.flatnonzero(levels[:behind] > least)
        return fall_db, (high[-1] + 1 if high.size else behind) * _BAND_HZ

    def _mirrored(self, mirror_hz: float) -> float:
        """Correlation of the fine structures of both sides of a frequency, -1 to 1."""
        bin_hz = self._sample_rate / self._n_fft
        n_bins = self._powers.shape[1]
        centre = round(mirror_hz / bin_hz)
        distance = np.arange(10, min(centre - 20, n_bins - centre - 4, round(4000 / bin_hz) - 20))
        logs = np.log(self._powers + 1e-20)
        sums = np.cumsum(np.pad(logs, ((0, 0), (8, 7)), mode="edge"), axis=1)
        fine = logs - (sums[:, 15:] - sums[:, :-15]) / 15
        above, below = fine[:, centre + distance], fine[:, centre - distance]
        both = np.sqrt((above**2).sum() * (below**2).sum())
        return float((above * below).sum() / both) if both > 0 else 0.0
