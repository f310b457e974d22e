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

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.arrays import frame_view
from edge.audio.mirrors import MIRRORS_HZ, Mirrors

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
_MIRRORED = 0.35
#: Frames that say nothing about the band: 25 dB below the loudest, or near silence.
_RANGE_DB = 25.0
_SILENCE_DB = -60.0
_RANGE, _SILENCE = (np.float32(10 ** (db / 10)) for db in (-_RANGE_DB, _SILENCE_DB))
#: Loud frames after which is looked, and the fall that is an edge then: few frames may hold no
#: fricative.  The steepest of native clips of six corpora were 25.9, 24.7, 18.8 and 15.9 dB.
LOOKS = ((24, 29.0), (48, 27.0), (96, 22.0), (160, 19.0))
#: Frames taken in together, counted from the first one: no split into blocks shows.
_N_TAKEN = 8
#: Frames that are worked on at once, at most.
_AT_ONCE = 64
#: Loud frames whose mirrors are looked at together; not before they are loud beside what follows.
_N_WAITING = 16
#: Of a squared sample; below is nothing.
_FLOOR = 1e-16
#: The same of one bin.
_BIN_FLOOR = 1e-20
#: Over what a periodic Hann window takes away, for spectra of one side.
_TAPERED = 2 / 0.375
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


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """What depends on the rate alone, and on nothing that was heard."""

    n_fft: int
    #: The sum of the powers is that of the squared samples' mean, tapered.
    window: NDArray[np.float64]
    #: Of the bands of 125 Hz, and the bin behind the last; an offset, as wide as the taper makes
    #: it, is no sound.
    first_bins: NDArray[np.intp]
    mirrors: Mirrors
    #: Bands where an edge may be, and those that hold sound below each.
    edges: NDArray[np.intp]
    below: NDArray[np.intp]


@functools.lru_cache(maxsize=4)
def _plan(sample_rate: int) -> _Plan:
    """Made once for all streams of a rate."""
    n_fft = 2 ** round(np.log2(0.064 * sample_rate))
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    bins = np.arange(_TOP + 1) * _BAND_HZ * n_fft / sample_rate
    edges = np.arange(_LOWEST_EDGE, _HIGHEST_EDGE)
    first_bins = np.round(bins).astype(np.intp)
    first_bins[0] = 2
    return _Plan(
        n_fft=n_fft,
        window=(0.5 - 0.5 * np.cos(phase)) * np.sqrt(_TAPERED) / n_fft,
        first_bins=first_bins,
        mirrors=Mirrors(n_fft // 2 + 1, sample_rate / n_fft),
        edges=edges,
        below=edges[:, None] - np.arange(_N_BELOW, 0, -1),
    )


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
        self._done = sample_rate < 2 * _TOP * _BAND_HZ
        if not self._done:
            self._plan = _plan(sample_rate)
        self._next_look = 0
        self._forget()

    @staticmethod
    def fits(sample_rate: int, n_fft: int, hop_length: int) -> bool:
        """Whether :meth:`see` can be shown spectra of such frames."""
        return n_fft == _plan(sample_rate).n_fft == 2 * hop_length

    def _forget(self) -> None:
        self._tail = np.empty(0, np.float32)
        # Spectra that are no whole group yet.
        self._rest: NDArray[np.float32] | None = None
        # Of every loud frame: level, power in bands, and for each mirror the products of the
        # fine structures of its sides, above by below, above by above, below by below.
        self._levels = np.empty(0, np.float32)
        self._bands = np.empty((0, _TOP), np.float32)
        self._products = np.empty((0, len(MIRRORS_HZ), 3), np.float32)
        # Of the newest loud frames, whose products are not there yet: the spectrum.
        self._waiting: NDArray[np.float32] | None = None

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
        plan = self._plan
        heard = np.concatenate((self._tail, samples)) if self._tail.size else samples
        hop = plan.n_fft // 2
        frames = frame_view(heard, plan.n_fft, hop)
        n_taken = len(frames) // _N_TAKEN * _N_TAKEN
        self._tail = heard[n_taken * hop :].copy()
        if not n_taken:
            return None
        # A long block in portions: it may say enough long before its end.
        for start in range(0, n_taken, _AT_ONCE):
            portion = frames[start : min(start + _AT_ONCE, n_taken)]
            spectra = np.fft.rfft(portion * plan.window, axis=1)
            said = self._hear((spectra.real**2 + spectra.imag**2).astype(np.float32), 1.0)
            if self._done:
                return said
        return None

    def see(self, power: NDArray[np.float32], scale: float) -> str | None:
        """Listen to the next frames, whose spectra somebody has computed already.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
            Under a periodic Hann window, of frames that :meth:`fits`; not kept, and not changed.
        scale : float
            What it is a multiple of.

        Returns
        -------
        str or None
            The sentence, once.
        """
        if self._done:
            return None
        if self._rest is not None:
            power = np.concatenate((self._rest, power))
        n_taken = len(power) // _N_TAKEN * _N_TAKEN
        self._rest = power[n_taken:].copy() if n_taken < len(power) else None
        if not n_taken:
            return None
        factor = _TAPERED / (scale * self._plan.n_fft**2)
        for start in range(0, n_taken, _AT_ONCE):
            said = self._hear(power[start : min(start + _AT_ONCE, n_taken)], factor)
            if self._done:
                return said
        return None

    def _hear(self, power: NDArray[np.float32], factor: float) -> str | None:
        """Take in whole groups of frames, whose power is to be multiplied."""
        new_bands = np.add.reduceat(power, self._plan.first_bins, axis=1)[:, :_TOP]
        new_bands *= np.float32(factor)
        bands = np.concatenate((self._bands, new_bands))
        levels = np.concatenate((self._levels, np.add.reduce(new_bands, axis=1)))
        waiting = power if self._waiting is None else np.concatenate((self._waiting, power))
        # Loud frames are those near the loudest by then, so that each may turn out not to be.
        ends = np.arange(len(self._levels) + _N_TAKEN, len(levels) + 1, _N_TAKEN)
        loudest = np.maximum.accumulate(levels)[ends - 1]
        least = np.maximum(loudest * _RANGE, _SILENCE)
        loud = levels > least[:, None]
        loud &= np.arange(len(levels)) < ends[:, None]
        due = self._due(np.count_nonzero(loud, axis=1).tolist())
        n_multiplied = len(self._products)
        if due:
            # Of all that is looked at, at once.
            products = np.zeros((len(levels), len(MIRRORS_HZ), 3), np.float32)
            products[:n_multiplied] = self._products
            wanted = np.logical_or.reduce(loud[due])[n_multiplied:]
            products[n_multiplied:][wanted] = self._multiplied(waiting[wanted], factor)
        for group in due:
            kept = loud[group]
            self._bands, self._products = bands[kept], products[kept]
            said = self._look(LOOKS[self._next_look][1])
            self._next_look += 1
            if said is not None or self._next_look == len(LOOKS):
                self._done = True
                self._forget()
                return said
        kept = loud[-1]
        self._levels, self._bands = levels[kept], bands[kept]
        # What came behind the last look waits for the next one.
        n_looked = int(ends[due[-1]]) if due else n_multiplied
        if due:
            self._products = products[:n_looked][kept[:n_looked]]
        else:
            self._products = self._products[kept[:n_looked]]
        self._waiting = waiting[n_looked - n_multiplied :][kept[n_looked:]]
        if len(self._waiting) >= _N_WAITING:
            more = self._multiplied(self._waiting, factor)
            self._products, self._waiting = np.concatenate((self._products, more)), None
        return None

    def _due(self, n_loud: list[int]) -> list[int]:
        """Behind which groups is looked, by the loud frames at the end of each."""
        due: list[int] = []
        looks = LOOKS[self._next_look :]
        for group, n in enumerate(n_loud):
            if len(due) < len(looks) and n >= looks[len(due)][0]:
                due.append(group)
        return due

    def _multiplied(self, power: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
        # A factor is a constant beside the logarithms, and not in what is fine.
        return self._plan.mirrors.products(power, _BIN_FLOOR / factor)

    def _look(self, least_fall_db: float) -> str | None:
        fall_db, edge_hz = self.steepest_fall()
        if fall_db >= least_fall_db and edge_hz < _WANTED_HZ:
            return (
                f"nothing above {edge_hz / 1000:.1f} kHz was heard: the recording comes from a "
                f"telephone, or was made or coded for less sound; {_LESS_RIGHT}"
            )
        across, above, below = np.add.reduce(self._products, axis=0).T
        mirrored = across / np.sqrt(above * below + _FLOOR)
        most = int(mirrored.argmax())
        mirror_hz = MIRRORS_HZ[most]
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
        plan = self._plan
        # Of the loudest tenth of the frames, band by band: a fricative now and then is enough.
        nth = -(-9 * (self.n_loud - 1) // 10)
        levels = np.partition(self._bands, nth, axis=0)[nth] + np.float32(_FLOOR)
        np.log10(levels, out=levels)
        levels *= np.float32(10)
        # The median of four is the mean of the two in the middle.
        below = np.sort(levels[plan.below], axis=1)
        highest_from = np.maximum.accumulate(levels[::-1])[::-1]
        held = below[:, 1:-1].mean(axis=1).astype(np.float64)
        falls = held - highest_from[plan.edges + _N_EDGE].astype(np.float64)
        steepest = int(falls.argmax())
        fall_db = float(falls[steepest])
        behind = _LOWEST_EDGE + steepest + _N_EDGE
        # The edge stands half way down, or 20 dB: a taper's skirts are wider than a cliff.
        least = levels[behind:].max() + max(fall_db / 2, fall_db - 20)
        high = np.flatnonzero(levels[:behind] > least)
        return fall_db, (high[-1] + 1 if high.size else behind) * _BAND_HZ
