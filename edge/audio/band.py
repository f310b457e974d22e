"""Whether a recording holds less than a model has learnt from.

Telephones end at 3.4 or 4 kHz, old recorders at 5.5, codecs of few bits anywhere; what was
resampled from there still does.  A model that hears 8 kHz calls nearly all of it sad and cannot
know.

Two things are looked for in the loud frames of the first seconds of speech:

* an **edge**: half a kilohertz of sound, and far less of it in every eighth of a kilohertz above;
* a **mirror**: what a poor resampler (linear, cubic) leaves above the old Nyquist frequency is what
  lies below, turned round.  The fine structures of the two sides then correlate with 0.46 to 0.98,
  those of native clips with 0.2 at most.

``benchmarks/stream/band.py`` measures both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.arrays import frame_view

__all__ = ["LOOKS", "METERED_HZ", "BandMeter", "band_said_once", "rate_warning"]

#: A spectrum that ends below is told.
_WANTED_HZ = 7000.0
#: Width of a band, and the span of what an edge may be and of what is seen above it.
_BAND_HZ = 125.0
_LOWEST_EDGE, _HIGHEST_EDGE, _TOP = 24, 56, 62
#: Rate of a recording below which no edge is looked for: its own rate has to tell.
METERED_HZ = round(2 * _LOWEST_EDGE * _BAND_HZ)
#: Bands that hold sound below an edge, and those that the edge itself may take.
_N_BELOW, _N_EDGE = 4, 2
#: Nyquist frequencies of 8, 11.025 and 12 kHz.
_MIRRORS_HZ = (4000.0, 5512.5, 6000.0)
_MIRRORED = 0.35
#: Frames that say nothing about the band: 25 dB below the loudest, or near silence.
_RANGE_DB = 25.0
_SILENCE_DB = -60.0
#: Loud frames after which is looked, and the fall that is an edge then: few frames may hold no
#: fricative.  The steepest of native clips of six corpora were 25.9, 24.7, 18.8 and 15.9 dB.
LOOKS = ((24, 29.0), (48, 27.0), (96, 22.0), (160, 19.0))
#: Frames taken in together, counted from the first one: no split into blocks shows.
_N_TAKEN = 8
#: Loud frames whose mirrors are looked at together; not before they are loud beside what follows.
_N_WAITING = 16
#: In dB of a squared sample; below is nothing.
_FLOOR = 1e-16
_LESS_RIGHT = "the model has learnt from wider sound and is less often right"


def rate_warning(sample_rate: int) -> str | None:
    """Say that a rate, in Hz, leaves no room for the band; None where it does."""
    if sample_rate >= 2 * _WANTED_HZ:
        return None
    return (
        f"nothing above {sample_rate / 2000:.1f} kHz is in a recording of {sample_rate} Hz; "
        f"{_LESS_RIGHT}"
    )


def band_said_once(sentences: Sequence[str], *, is_speech: bool) -> list[str]:
    """Keep one sentence on the band, the last, which heard it; none where nobody spoke."""
    of_band = [sentence for sentence in sentences if sentence.endswith(_LESS_RIGHT)]
    kept = of_band[-1:] if is_speech else []
    return [each for each in sentences if each in kept or each not in of_band]


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
        # Of every loud frame: power in bands, and for each mirror the products of the fine
        # structures of its sides, above by below, above by above, below by below.
        self._bands = np.empty((0, _TOP), np.float32)
        self._products = np.empty((0, len(_MIRRORS_HZ), 3), np.float32)
        # Of the newest loud frames, whose products are not there yet: the spectrum.
        self._waiting = np.empty((0, self._n_fft // 2 + 1))
        bins = np.arange(_TOP + 1) * _BAND_HZ * self._n_fft / sample_rate
        self._first_bins = np.round(bins).astype(np.intp)
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
        if not n_taken:
            return None
        spectra = np.fft.rfft(frames[:n_taken] * self._window, axis=1)
        power = spectra.real**2 + spectra.imag**2
        # An offset, as wide as the taper makes it, is no sound.
        power[:, :2] = 0.0
        bands = np.add.reduceat(power, self._first_bins, axis=1)[:, :_TOP].astype(np.float32)
        for first in range(0, n_taken, _N_TAKEN):
            taken = slice(first, first + _N_TAKEN)
            said = self._take(power[taken], bands[taken])
            if self._done:
                return said
        return None

    def _take(self, power: NDArray[np.float64], bands: NDArray[np.float32]) -> str | None:
        """Keep the loud ones, and look at what there is where there is enough."""
        self._bands = np.concatenate((self._bands, bands))
        self._waiting = np.concatenate((self._waiting, power))
        level = self._bands.sum(axis=1)
        loud = level > max(float(level.max()) * 10 ** (-_RANGE_DB / 10), 10 ** (_SILENCE_DB / 10))
        n_products = len(self._products)
        self._bands, self._products = self._bands[loud], self._products[loud[:n_products]]
        self._waiting = self._waiting[loud[n_products:]]
        n_wanted, fall_db = LOOKS[self._next_look]
        if self.n_loud >= n_wanted or len(self._waiting) >= _N_WAITING:
            products = self._mirror_products(self._waiting)
            self._products = np.concatenate((self._products, products))
            self._waiting = self._waiting[:0]
        if self.n_loud < n_wanted:
            return None
        said = self._look(fall_db)
        self._next_look += 1
        if said is not None or self._next_look == len(LOOKS):
            self._done = True
            self._bands, self._products = self._bands[:0].copy(), self._products[:0].copy()
            self._waiting = self._waiting[:0].copy()
            self._tail = np.empty(0, np.float32)
        return said

    def _look(self, least_fall_db: float) -> str | None:
        fall_db, edge_hz = self.steepest_fall()
        if fall_db >= least_fall_db and edge_hz < _WANTED_HZ:
            return (
                f"nothing above {edge_hz / 1000:.1f} kHz was heard: the recording comes from a "
                f"telephone, or was made or coded for less sound; {_LESS_RIGHT}"
            )
        across, above, below = self._products.sum(axis=0).T
        mirrored = across / np.sqrt(above * below + _FLOOR)
        most = int(mirrored.argmax())
        mirror_hz = _MIRRORS_HZ[most]
        if mirrored[most] > _MIRRORED:
            return (
                f"what was heard above {mirror_hz / 1000:.1f} kHz mirrors what is below: the "
                f"recording was made at {2 * mirror_hz:.0f} Hz and resampled poorly; {_LESS_RIGHT}"
            )
        return None

    @property
    def n_loud(self) -> int:
        """Loud frames so far."""
        return len(self._bands)

    def steepest_fall(self) -> tuple[float, float]:
        """By how many dB the spectrum falls where it falls most, and at what frequency."""
        # Of the loudest tenth of the frames, band by band: a fricative now and then is enough.
        loudest_tenth = np.sort(self._bands, axis=0)[-(-9 * (self.n_loud - 1) // 10)]
        levels = 10 * np.log10(loudest_tenth + _FLOOR)
        edges = np.arange(_LOWEST_EDGE, _HIGHEST_EDGE)
        # The median of four is the mean of the two in the middle.
        below = np.sort(levels[edges[:, None] - np.arange(_N_BELOW, 0, -1)], axis=1)
        highest_from = np.maximum.accumulate(levels[::-1])[::-1]
        held = below[:, 1:-1].mean(axis=1).astype(np.float64)
        falls = held - highest_from[edges + _N_EDGE].astype(np.float64)
        steepest = int(falls.argmax())
        fall_db = float(falls[steepest])
        behind = _LOWEST_EDGE + steepest + _N_EDGE
        # The edge stands half way down, or 20 dB: a taper's skirts are wider than a cliff.
        least = levels[behind:].max() + max(fall_db / 2, fall_db - 20)
        high = np.flatnonzero(levels[:behind] > least)
        return fall_db, (high[-1] + 1 if high.size else behind) * _BAND_HZ

    def _mirror_products(self, power: NDArray[np.float64]) -> NDArray[np.float32]:
        """Products of the fine structures of both sides of every mirror.

        The fine structure is the logarithm of the power less its mean over 15 bins: harmonics
        without the envelope.
        """
        logs = np.log(power + 1e-20)
        sums = np.cumsum(logs, axis=1)
        # Bins at the ends, which have no 7 neighbours, are not asked for: the first is bin 8.
        means = sums[:, 15:] - sums[:, :-15]
        means /= 15
        fine = np.subtract(logs[:, 8:-7], means, out=means)
        products = np.empty((len(power), len(_MIRRORS_HZ), 3), np.float32)
        bin_hz = self._sample_rate / self._n_fft
        for k, mirror_hz in enumerate(_MIRRORS_HZ):
            centre = round(mirror_hz / bin_hz)
            reach = min(centre - 20, power.shape[1] - centre - 8, round(4000 / bin_hz) - 20)
            above = fine[:, centre + 2 : centre - 8 + reach]
            below = fine[:, centre - 18 : centre - 8 - reach : -1]
            pairs = ((above, below), (above, above), (below, below))
            for side, (x, y) in enumerate(pairs):
                products[:, k, side] = np.einsum("ij,ij->i", x, y)
        return products
