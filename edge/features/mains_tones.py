"""Partials of 50 and 60 Hz in half a second of sound: what there is of each, and how it sounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCKS_PER_S", "N_BLOCKS", "MainsTones", "mains_tones"]

#: Blocks a second: of 100 ms, in which all partials of both mains have whole periods.
BLOCKS_PER_S = 10

#: Blocks that are looked at together.
N_BLOCKS = 5

#: Partials up to here are looked for: above, a hum is faint and a voice is not steadier.
_HIGHEST_HZ = 600

#: Sums of a few samples hold all that is looked for, at this rate or above, for less work.
_LEAST_HZ = 2000

#: A tone that is slightly off is taken to stand still for a twentieth of a block.
_MOST_PIECES = 20

#: What single precision may take from a power, as a share of it, and more.
_ROUNDING = 1e-5


class MainsTones:
    """Tables for one rate, of which any number of filters may be at work.

    Parameters
    ----------
    sample_rate : int
        In Hz, a multiple of 10 from 1000 on.
    """

    def __init__(self, sample_rate: int) -> None:
        n_block = sample_rate // BLOCKS_PER_S
        #: Samples of a stretch.
        self.n_stretch = N_BLOCKS * n_block
        highest_hz = min(_HIGHEST_HZ, sample_rate // 4)
        partials = {f for mains in (50, 60) for f in range(mains, highest_hz + 1, mains)}
        #: Nominal frequencies in Hz, float64 [shape=(n_tones,)].
        self.tones_hz = np.array(sorted(partials), np.float64)
        self._n_sum = max(n for n in _divisors(n_block) if n == 1 or sample_rate / n >= _LEAST_HZ)
        self._ones = np.ones(self._n_sum, np.float32)
        self._all_ones = np.ones(n_block // self._n_sum, np.float32)
        turns = self.tones_hz / sample_rate
        middles = (np.arange(n_block // self._n_sum) + 0.5) * self._n_sum - 0.5
        # A sum of neighbours is a low-pass; what it takes is given back.
        kept = np.sin(math.pi * self._n_sum * turns) / np.sin(math.pi * turns)
        analysis = np.exp(-2j * math.pi * np.outer(middles, turns)) * 2 / (kept * len(middles))
        self._analysis = np.concatenate((analysis.real, analysis.imag), axis=1).astype(np.float32)
        n_pieces = max(n for n in _divisors(n_block) if n <= _MOST_PIECES)
        sounds = np.exp(2j * math.pi * np.outer(turns, np.arange(n_block)))
        pieces = sounds.reshape(len(turns), n_pieces, -1).transpose(1, 0, 2)
        # complex64 (n_pieces, n_tones, n_piece)
        self._sounds = np.ascontiguousarray(pieces, np.complex64)
        places = (np.arange(n_pieces) + 0.5) / n_pieces - 0.5
        #: Middles of the pieces of a stretch, in blocks from the middle of the first one,
        #: float64 [shape=(n_pieces, n_blocks)].
        self.places = np.add.outer(places, np.arange(N_BLOCKS))

    def heard(self, stretch: NDArray[np.float32]) -> NDArray[np.complexfloating]:
        """Amplitude and phase of every tone; complex64 [shape=(n_blocks, n_tones)]."""
        sums = (stretch.reshape(-1, self._n_sum) @ self._ones).reshape(N_BLOCKS, -1)
        parts = sums @ self._analysis
        n = self.tones_hz.size
        heard: NDArray[np.complexfloating] = parts[:, :n] + 1j * parts[:, n:]
        return heard

    def may_hold(self, share: float, block: NDArray[np.float32]) -> bool:
        """Whether the tones may hold this share of the power of a block, its mean left out.

        Notes
        -----
        Sums of neighbours have no more power than these, so that a "no" is certain, whatever is
        lost to rounding.
        """
        sums = block.reshape(-1, self._n_sum) @ self._ones
        parts = sums @ self._analysis
        # As 1-D products: one sum each, with little around it.
        mean = float(sums @ self._all_ones) / block.size
        power = float(sums @ sums) / (self._n_sum * block.size)
        of_tones = float(parts @ parts) / 2
        return of_tones > share * (power - mean**2) - _ROUNDING * power

    def sound(self, tones: NDArray[np.complexfloating], which: Any) -> NDArray[np.float32]:
        """Sound of some tones.

        Parameters
        ----------
        tones : complex [shape=(n_pieces, n_blocks, n_tones)]
            At :attr:`places`.
        which : int64 [shape=(n,)]
            Those that sound.

        Returns
        -------
        float32 [shape=(n_stretch,)]
        """
        sound = np.matmul(tones[..., which].astype(np.complex64), self._sounds[:, which]).real
        return np.ascontiguousarray(sound.transpose(1, 0, 2)).reshape(-1)


def mains_tones(sample_rate: int) -> MainsTones:
    """Give the tables of a rate, made once."""
    # Two threads may make the same at once: one of them is kept.
    if sample_rate not in _TABLES:
        _TABLES[sample_rate] = MainsTones(sample_rate)
    return _TABLES[sample_rate]


_TABLES: dict[int, MainsTones] = {}


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]
