"""Mains hum: steady tones at the partials of 50 and 60 Hz, found and taken away.

A hum stays where it is for hours, to a fraction of a hertz and of its level, and is heard in every
pause.  No voice is so steady, be it sung, for half a second: its pitch moves by more in a tenth of
that.  So what is told apart is not where a tone lies but whether it moves.

Sound is looked at in stretches of half a second, each of five blocks of 100 ms, in which every
partial of 50 and of 60 Hz has whole periods: they do not disturb each other, and the phase of a
tone is the same in each block.  What was learnt of a stretch is taken from the next one, so that
nothing is held back.  Where no tone is steady, the samples themselves go on, to the last bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.mains_tones import BLOCKS_PER_S, N_BLOCKS, mains_tones

__all__ = ["HumFilter", "hum_filter"]

#: How far a block may be from what is expected, as a share of the tone.
_NEAR = 0.25

#: And in a tone of which nothing is known but that it was there from the first sample on.
_VERY_NEAR = 0.15

#: And in one of the first stretch that is a hum however loud it is.
_STILL = 0.03

#: Share of a block's power that its steady tones have where nobody speaks.
_LEAST_SHARE = 0.75

#: Stretches in which a hum is looked for that was there before anybody spoke: what is switched on
#: may crackle in the first one.  Then one stretch in four is looked at until there is a tone.
_N_FIRST, _ONE_IN = 2, 4

#: Steady blocks that a tone needs: a hum was there before anybody began to speak, and one that
#: begins later has to outlast any voice.
_NEEDED_FIRST, _NEEDED_LATER = N_BLOCKS, 10 * N_BLOCKS

#: Tones above this, louder than that, have to outlast one as well: -36 dB.
_VOICES_HZ, _LOUD = 75.0, 10 ** (-36 / 20)

#: More are not counted: a tone that ends is believed in for a second or two.
_MOST_SEEN = 20 * N_BLOCKS

#: Fainter ones are left alone, as a share of full scale, -90 dB; and of the power of all there is.
_FAINTEST, _FAINTEST_SHARE = 10**-4.5, 1e-3

#: By what share a mains, or the clock of what recorded it, may be fast or slow, which is said in
#: radians a block at 50 Hz.
_MOST_DRIFT = 2 * math.pi * 50 / BLOCKS_PER_S * 0.0015

#: Blocks that are remembered of a hum, and after how many they weigh a third.
_N_KEPT, _N_FORGET = 8 * N_BLOCKS, 20

#: Error of a block in a pause, as a share of the tone: what its weight is bounded by.
_FINE = 0.02


def hum_filter(sample_rate: int) -> HumFilter | None:
    """Make a filter; None at a rate at which a block of 100 ms is no whole number of samples."""
    return HumFilter(sample_rate) if _fits(sample_rate) else None


def _fits(sample_rate: int) -> bool:
    return sample_rate >= 1000 and sample_rate % BLOCKS_PER_S == 0


class HumFilter:
    """Take steady tones at the partials of 50 and 60 Hz away.

    Parameters
    ----------
    sample_rate : int
        In Hz, a multiple of 10.

    Raises
    ------
    ParameterError
        At another rate.

    Notes
    -----
    Causal.  A tone that is there from the first sample on is taken away from 0.5 s on; one that
    begins later, or is as loud as a voice and wavers, once it was heard in 5 s of pauses.  It may
    lie beside its place by 0.15 % and wander.  One that is missing where nothing could hide it, as
    a hum never is, is given up within half a second and has to be there for twice as long before
    it is believed again.
    """

    def __init__(self, sample_rate: int) -> None:
        if not _fits(sample_rate):
            raise ParameterError(
                f"sample_rate is {sample_rate}, a multiple of {BLOCKS_PER_S} Hz from 1000 Hz up "
                "is wanted"
            )
        self._tables = mains_tones(sample_rate)
        #: Of the tones, in those of 50 Hz.
        self._numbers = self._tables.tones_hz / 50
        self._stretch = np.zeros(self._tables.n_stretch, np.float32)
        self._is_fresh = False
        self.reset()

    def reset(self) -> None:
        """Forget all samples; equal to a fresh one."""
        self._n_heard = 0
        self._n_first = _N_FIRST
        #: Samples that are not looked at.
        self._n_passed = 0
        # Most have learnt nothing.
        if not self._is_fresh:
            self._is_fresh = True
            self._unlearn()

    def _unlearn(self) -> None:
        """Know of no tone."""
        n = self._numbers.size
        #: Whether nothing is known of any tone.
        self._is_idle = True
        self._hum: NDArray[np.float32] | None = None
        #: Tones in the middle of the last block heard; 0 where there is none.
        self._tones = np.zeros(n, np.complex128)
        #: By how much the mains turns in a block, radians at 50 Hz.
        self._drift = 0.0
        #: Blocks in which a tone was where it should be, less those in which it was not.
        self._seen = np.zeros(n, np.int64)
        self._needed = np.zeros(n, np.int64)
        #: How often a tone was given up.
        self._n_given_up = np.zeros(n, np.int64)
        self._taken = np.zeros(n, np.bool_)
        #: Blocks that were heard while there were tones, and which of them are pauses.
        self._kept = np.zeros((0, n), np.complex64)
        self._pauses = np.zeros((0, 1), np.bool_)

    @property
    def tones_hz(self) -> tuple[float, ...]:
        """Nominal frequencies of what is taken away at present, in Hz."""
        return tuple(self._tables.tones_hz[self._taken].tolist())

    def process_checked(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter the samples that follow the last ones.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Finite, see :func:`edge.arrays.as_samples`.  May be empty.

        Returns
        -------
        float32 [shape=(n_samples,)]
            The same bits for any split into blocks; `samples` itself where nothing is taken away.
        """
        left, start = samples, self._n_passed
        while start < samples.size:
            n_wanted = self._n_wanted()
            n = min(n_wanted - self._n_heard, samples.size - start)
            place = slice(self._n_heard, self._n_heard + n)
            self._stretch[place] = samples[start : start + n]
            if self._hum is not None:
                left = samples.copy() if left is samples else left
                left[start : start + n] -= self._hum[place]
            self._n_heard += n
            start += n
            if self._n_heard == n_wanted:
                start += self._look()
        self._n_passed = start - samples.size
        return left

    def _n_wanted(self) -> int:
        """How much of the stretch is to be heard before it is looked at: a block, while idle."""
        n_block = self._stretch.size // N_BLOCKS
        return n_block if self._is_idle and self._n_heard < n_block else self._stretch.size

    def _look(self) -> int:
        """Look at what was heard of a stretch; how many samples are then passed over."""
        n_passed = self._stretch.size - self._n_heard
        if not n_passed:
            self._learn()
        # A hum that is taken in has its share in every block: the first one rules most out.
        elif self._tables.may_hold(_LEAST_SHARE, self._stretch[: self._n_heard]):
            return 0
        self._n_heard, self._n_first = 0, max(0, self._n_first - 1)
        if self._is_idle and not self._n_first:
            n_passed += (_ONE_IN - 1) * self._stretch.size
        return n_passed

    def _learn(self) -> None:
        """Learn from a whole stretch what to take from the next one."""
        self._is_fresh = False
        heard = self._tables.heard(self._stretch)
        known = self._seen > 0
        if known.any():
            self._follow(heard, known)
            known = self._seen > 0
        near = _VERY_NEAR if self._n_first else _NEAR
        levels = np.abs(heard)
        most, least = levels.max(axis=0), levels.min(axis=0)
        steady = (most - least <= 2 * near * most) & (least > _FAINTEST) & ~known
        if steady.any():
            self._begin(heard, steady, near)
        self._is_idle = not self._seen.any()
        if not self._is_idle:
            self._taken |= (self._seen > 0) & (self._seen >= self._needed)
            self._hum = self._sound() if self._taken.any() else None
        else:
            self._hum, self._drift = None, 0.0
            self._kept, self._pauses = self._kept[:0], self._pauses[:0]

    def _turned(self, blocks: Any) -> NDArray[np.complex128]:
        """How the tones have turned after so many blocks; complex [shape=(..., n_tones)]."""
        turned: NDArray[np.complex128] = np.exp(
            1j * np.multiply.outer(blocks, self._drift * self._numbers)
        )
        return turned

    def _power(self) -> NDArray[np.float32]:
        """Mean power of each block, without a constant; [shape=(n_blocks, 1)]."""
        blocks = self._stretch.reshape(N_BLOCKS, -1)
        power: NDArray[np.float32] = (blocks**2).mean(axis=1) - blocks.mean(axis=1) ** 2
        return power[:, np.newaxis]

    def _follow(self, heard: NDArray[np.complexfloating], known: NDArray[np.bool_]) -> None:
        """Hear on whether the known tones are there, and where they are by now."""
        self._tones *= self._turned(N_BLOCKS)
        power = self._power()
        of_tones = (np.abs(heard[:, known]) ** 2).sum(axis=1, keepdims=True) / 2
        wanted = (np.abs(self._tones) ** 2).sum() / 2
        self._kept = np.concatenate((self._kept, heard))[-_N_KEPT:]
        pauses = of_tones >= _LEAST_SHARE * power
        self._pauses = np.concatenate((self._pauses, pauses))[-_N_KEPT:]
        blocks = np.arange(1 - len(self._kept), 1)
        ratio = self._kept / (np.where(known, self._tones, 1) * self._turned(blocks))
        off = np.abs(ratio - 1)
        near = (off < _NEAR) & known
        # Where it is hardly louder than the tones should be, nothing can hide them.
        quiet = power <= 2 * wanted
        n_good = (near[-N_BLOCKS:] & pauses).sum(axis=0)
        n_bad = (~near[-N_BLOCKS:] & quiet & known).sum(axis=0)
        self._seen[known] += (n_good - 2 * n_bad)[known]
        np.minimum(self._seen, _MOST_SEEN, out=self._seen)
        faint = np.abs(ratio[-N_BLOCKS:]) < 0.5
        missing = (faint & quiet).sum(axis=0) >= 2
        gone = known & (missing | (self._seen <= 0))
        self._n_given_up += gone & self._taken
        self._seen[gone], self._tones[gone], self._taken[gone] = 0, 0.0, False
        trusted = np.exp(blocks / _N_FORGET)[:, np.newaxis] / (off**2 + _FINE**2)
        self._correct(blocks, ratio - 1, trusted * (near & self._pauses))

    def _correct(
        self,
        blocks: NDArray[np.int64],
        errors: NDArray[np.complexfloating],
        weights: NDArray[np.float64],
    ) -> None:
        """Fit a line to the errors of each tone: one mains, and so one slope, makes them all."""
        total = np.maximum(weights.sum(axis=0), 1e-9)
        at = blocks @ weights / total
        error = (weights * errors).sum(axis=0) / total
        places = blocks[:, np.newaxis] - at
        spread = (weights * places**2).sum(axis=0)
        told = self._numbers @ (weights * places * errors.imag).sum(axis=0)
        # A little doubt, so that one block alone says nothing.
        slope = told / (self._numbers**2 @ spread + 1 / _MOST_DRIFT**2)
        drift = min(max(self._drift + float(slope), -_MOST_DRIFT), _MOST_DRIFT)
        self._tones *= 1 + error - 1j * (drift - self._drift) * self._numbers * at
        self._drift = drift

    def _begin(
        self, heard: NDArray[np.complexfloating], steady: NDArray[np.bool_], near: float
    ) -> None:
        """Take in what was steady all through a stretch in which there is nothing else."""
        if not self._seen.any():
            # From block to block: the phase of the strong and high ones tells the speed best.
            steps = heard[1:] * heard[:-1].conj()
            weights = np.abs(steps).sum(axis=0)[steady] * self._numbers[steady] ** 2
            turns = np.angle(steps.sum(axis=0))[steady] / self._numbers[steady]
            drift = float(weights @ turns / weights.sum())
            self._drift = min(max(drift, -_MOST_DRIFT), _MOST_DRIFT)
        still = heard / self._turned(np.arange(1 - N_BLOCKS, 1))
        mean = still.mean(axis=0)
        off = np.abs(still - mean).max(axis=0) / np.maximum(np.abs(mean), _FAINTEST)
        new = steady & (off <= near)
        power = self._power()
        new &= np.abs(mean) ** 2 / 2 > _FAINTEST_SHARE * power.mean()
        tones = new | (self._seen > 0)
        of_tones = (np.abs(heard[:, tones]) ** 2).sum(axis=1, keepdims=True) / 2
        if not new.any() or not (of_tones >= _LEAST_SHARE * power).all():
            return
        if not self._kept.size:
            self._kept = heard.astype(np.complex64)
            self._pauses = np.ones((N_BLOCKS, 1), np.bool_)
        self._tones[new] = mean[new]
        self._seen[new] = N_BLOCKS
        as_voice = (self._tables.tones_hz > _VOICES_HZ) & (of_tones.max() > _LOUD**2)
        # No voice is there from the first sample on at its full level.
        as_voice &= (self._n_first < _N_FIRST) | (off[new].min() > _STILL)
        needed = np.where(as_voice | (not self._n_first), _NEEDED_LATER, _NEEDED_FIRST)
        again = 2 ** np.minimum(self._n_given_up, 3)
        self._needed[new] = np.minimum(needed * again, _MOST_SEEN)[new]

    def _sound(self) -> NDArray[np.float32]:
        """What the tones will be in the next stretch."""
        turned = self._tones * self._turned(self._tables.places + 1)
        return self._tables.sound(turned, np.flatnonzero(self._taken))
