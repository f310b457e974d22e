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
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.arrays import frame_view
from edge.audio.loud_spectra import LoudSpectra
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
#: Loud frames after which is looked, and the fall that is an edge then: few frames may hold no
#: fricative.  The steepest of native clips of six corpora were 25.9, 24.7, 18.8 and 15.9 dB.
LOOKS = ((24, 29.0), (48, 27.0), (96, 22.0), (160, 19.0))
#: Frames that are worked on at once, at most.
_AT_ONCE = 64
#: Of a squared sample; below is nothing.
_FLOOR = 1e-16
#: The same of one bin.
_BIN_FLOOR = 1e-20
#: Over what a periodic Hann window takes away, for spectra of one side.
_TAPERED = 2 / 0.375
#: The first band that is looked at; and which of them is the first that ends no edge.
_LOWEST_BAND = _LOWEST_EDGE - _N_BELOW
_FIRST_TOP = _HIGHEST_EDGE - 1 + _N_EDGE - _LOWEST_BAND
_NO_SAMPLES = np.empty(0, np.float32)
_NO_BANDS = np.empty((0, _TOP - _LOWEST_BAND), np.float32)
_NO_PRODUCTS = np.empty((0, 3, len(MIRRORS_HZ)), np.float32)
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
    #: Of a frame's level; an offset, as wide as the taper makes it, is no sound.
    sounding: slice
    #: Bins of the bands that are looked at, the first edge's lower neighbours and all above; the
    #: first one of each; and as many ones as each has, where all have as many.
    banded: slice
    first_bins: NDArray[np.intp]
    ones: NDArray[np.float32] | None
    mirrors: Mirrors

    def in_bands(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Power of every frame in the bands, (n_frames, n_bands)."""
        power = power[:, self.banded]
        if self.ones is None:
            return np.add.reduceat(power, self.first_bins, axis=1)
        # A product with ones is the fastest sum of a few.
        return power.reshape(len(power), -1, self.ones.size) @ self.ones


@functools.lru_cache(maxsize=4)
def _plan(sample_rate: int) -> _Plan:
    """Made once for all streams of a rate."""
    n_fft = 2 ** round(np.log2(0.064 * sample_rate))
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    edges = np.round(np.arange(_TOP + 1) * _BAND_HZ * n_fft / sample_rate).astype(np.intp)
    edges = edges[_LOWEST_BAND:]
    # `np.unique` would load the masked arrays.
    widths = sorted(set(np.diff(edges).tolist()))
    return _Plan(
        n_fft=n_fft,
        window=(0.5 - 0.5 * np.cos(phase)) * np.sqrt(_TAPERED) / n_fft,
        sounding=slice(2, int(edges[-1])),
        banded=slice(int(edges[0]), int(edges[-1])),
        first_bins=edges[:-1] - edges[0],
        ones=np.ones(widths[0], np.float32) if len(widths) == 1 else None,
        mirrors=Mirrors(n_fft // 2 + 1, sample_rate / n_fft),
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
        self._tail = _NO_SAMPLES
        # Both made when the first frames come, which say what power is a multiple of.
        self._frames: LoudSpectra | None = None
        self._scale = 1.0
        # Of the loud frames that were looked at last: power in bands, and products of the fine
        # structures of both sides of every mirror.
        self._bands, self._products = _NO_BANDS, _NO_PRODUCTS

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
        self._tail = heard[len(frames) * hop :].copy()
        # A long block in portions: it may say enough long before its end.
        for start in range(0, len(frames), _AT_ONCE):
            spectra = np.fft.rfft(frames[start : start + _AT_ONCE] * plan.window, axis=1)
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
            What it is a multiple of, the same for all frames.

        Returns
        -------
        str or None
            The sentence, once.
        """
        if self._done:
            return None
        factor = scale * self._plan.n_fft**2 / _TAPERED
        for start in range(0, len(power), _AT_ONCE):
            said = self._hear(power[start : start + _AT_ONCE], factor)
            if self._done:
                return said
        return None

    def _hear(self, power: NDArray[np.float32], scale: float) -> str | None:
        """Take in frames, whose power is a multiple of that of their samples."""
        frames = self._frames
        if frames is None:
            frames, self._scale = LoudSpectra(scale), scale
            self._frames = frames
        # The sum of a frame's own, in an order that those beside it do not change.
        frames.add(power, np.einsum("ij->i", power[:, self._plan.sounding]))
        n_wanted, least_fall_db = LOOKS[self._next_look]
        while (given := frames.give(n_wanted)) is not None:
            self._work(*given)
            if self.n_loud < n_wanted:
                continue
            said = self._look(least_fall_db)
            self._next_look += 1
            if said is not None or self._next_look == len(LOOKS):
                self._done = True
                self._forget()
                return said
            n_wanted, least_fall_db = LOOKS[self._next_look]
        frames.hold()
        return None

    def _work(self, still: NDArray[np.bool_], power: NDArray[np.float32]) -> None:
        """Keep the frames that are loud still, and take in others."""
        plan = self._plan
        bands = plan.in_bands(power)
        # A scale is a constant beside the logarithms, and not in what is fine.
        products = plan.mirrors.products(power, _BIN_FLOOR * self._scale)
        if still.size:
            bands = np.concatenate((self._bands[still], bands))
            products = np.concatenate((self._products[still], products))
        self._bands, self._products = bands, products

    def _look(self, least_fall_db: float) -> str | None:
        levels = self._levels()
        each = levels.tolist()
        # Most sounds fall by less from their highest band to the highest of those at the top.
        if max(each[:_FIRST_TOP]) >= max(each[_FIRST_TOP:]) * 10 ** (least_fall_db / 10):
            fall_db, edge_hz = _steepest_fall(levels, self._scale)
            if fall_db >= least_fall_db and edge_hz < _WANTED_HZ:
                return (
                    f"nothing above {edge_hz / 1000:.1f} kHz was heard: the recording comes from a "
                    f"telephone, or was made or coded for less sound; {_LESS_RIGHT}"
                )
        mirrored = [
            across / math.sqrt(above * below + _FLOOR)
            for across, above, below in zip(
                *np.add.reduce(self._products, axis=0).tolist(), strict=True
            )
        ]
        most = max(mirrored)
        if most > _MIRRORED:
            mirror_hz = MIRRORS_HZ[mirrored.index(most)]
            return (
                f"what was heard above {mirror_hz / 1000:.1f} kHz mirrors what is below: the "
                f"recording was made at {2 * mirror_hz:.0f} Hz and resampled poorly; {_LESS_RIGHT}"
            )
        return None

    @property
    def n_loud(self) -> int:
        """Loud frames that were looked at last."""
        return len(self._bands)

    def steepest_fall(self) -> tuple[float, float]:
        """By how many dB their spectrum falls where it falls most, and at what frequency."""
        return _steepest_fall(self._levels(), self._scale)

    def _levels(self) -> NDArray[np.float32]:
        """Power of every band, in the loudest tenth of the frames: few hold a fricative."""
        nth = -(-9 * (self.n_loud - 1) // 10)
        levels: NDArray[np.float32] = np.partition(self._bands, nth, axis=0)[nth]
        return levels


def _steepest_fall(levels: NDArray[np.float32], scale: float) -> tuple[float, float]:
    """Of a spectrum in bands: by how many dB, and at what frequency."""
    levels = 10 * np.log10(levels + np.float32(_FLOOR * scale))
    # The median of four is the mean of the two in the middle: the lesser one of what is greater in
    # two pairs, and the greater one of what is lesser.
    greater, lesser = np.maximum(levels[1:], levels[:-1]), np.minimum(levels[1:], levels[:-1])
    held = np.minimum(greater[2:], greater[:-2]) + np.maximum(lesser[2:], lesser[:-2])
    highest_from = np.maximum.accumulate(levels[::-1])[::-1]
    n_edges, behind = _HIGHEST_EDGE - _LOWEST_EDGE, _N_BELOW + _N_EDGE
    falls = held[:n_edges] / 2 - highest_from[behind : behind + n_edges]
    steepest = int(falls.argmax())
    fall_db = float(falls[steepest])
    behind += steepest
    # The edge stands half way down, or 20 dB: a taper's skirts are wider than a cliff.
    least = float(highest_from[behind]) + max(fall_db / 2, fall_db - 20)
    end = behind
    while end and levels[end - 1] <= least:
        end -= 1
    return fall_db, (_LOWEST_BAND + (end or behind)) * _BAND_HZ
