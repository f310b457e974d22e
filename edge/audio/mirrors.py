"""How much the fine structure of a spectrum above a frequency mirrors what is below.

A poor resampler leaves above the old Nyquist frequency what lies below, turned round.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from edge.scratch import Scratch

__all__ = ["MIRRORS_HZ", "Mirrors"]

#: Nyquist frequencies of 8, 11.025 and 12 kHz.
MIRRORS_HZ = (4000.0, 5512.5, 6000.0)
#: Bins to either side of one whose mean with it a fine structure is taken less.
_REACH = 7
#: Frames that are worked on at once: their memory is shared by all streams.
_AT_ONCE = 48
#: How far is looked to either side.
_MOST_HZ = 4000.0


class Mirrors:
    """Products of the fine structures of both sides of every mirror.

    The fine structure is the logarithm of the power less its mean over 15 bins, times 15 / 16:
    harmonics without the envelope.

    Parameters
    ----------
    n_bins : int
        Of a spectrum.
    bin_hz : float
    """

    def __init__(self, n_bins: int, bin_hz: float) -> None:
        # Bins at the ends, which have no 7 neighbours, are not asked for.
        sides = []
        for mirror_hz in MIRRORS_HZ:
            centre = round(mirror_hz / bin_hz)
            reach = min(centre - 20, n_bins - centre - 8, round(_MOST_HZ / bin_hz) - 20)
            sides.append(
                (slice(centre + 10, centre + reach), slice(centre + 1 - reach, centre - 9))
            )
        first = min(below.start for _, below in sides)
        end = max(below.stop for _, below in sides)
        # What is below is turned round from the last bin of it to the first.
        self._turned = slice(end - 1, first - 1, -1)
        self._crossed = [
            (above, slice(end - below.stop, end - below.start)) for above, below in sides
        ]
        # The bins above each mirror, then those below.
        self._sides = np.zeros((n_bins, 2 * len(sides)), np.float32)
        for column, side in enumerate(itertools.chain(*zip(*sides, strict=True))):
            self._sides[side, column] = 1
        self._memory = Scratch(lambda: np.empty((2, _AT_ONCE * n_bins), np.float32))

    def products(self, power: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
        """Products of every frame.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
            Contiguous; overwritten.
        floor : float
            Added before the logarithm.

        Returns
        -------
        float32 [shape=(n_frames, 3, n_mirrors)]
            Above by below, above by above, below by below.
        """
        products = np.empty((len(power), 3, len(self._crossed)), np.float32)
        memory = self._memory.take()
        for first in range(0, len(power), _AT_ONCE):
            frames = slice(first, first + _AT_ONCE)
            self._multiply(power[frames], np.float32(floor), products[frames], memory)
        self._memory.give(memory)
        return products

    def _multiply(
        self,
        power: NDArray[np.float32],
        floor: np.float32,
        products: NDArray[np.float32],
        memory: NDArray[np.float32],
    ) -> None:
        """Fill in the products of some frames; two arrays of as many numbers are lent."""
        power += floor
        np.log(power, out=power)
        _take_means(power.reshape(-1), memory[:, : power.size])
        # One copy is faster than to read backwards three times.
        backwards = power[:, self._turned]
        turned = memory[0, : backwards.size].reshape(backwards.shape)
        turned[:] = backwards
        for k, (above, below) in enumerate(self._crossed):
            pairs = power[:, None, above], turned[:, below, None]
            np.matmul(*pairs, out=products[:, 0, k, None, None])
        np.multiply(power, power, out=power)
        np.matmul(power, self._sides, out=products.reshape(len(power), -1)[:, len(self._crossed) :])


def _take_means(logs: NDArray[np.float32], memory: NDArray[np.float32]) -> None:
    """Subtract from all but those at the ends their mean with 7 to either side, in place.

    All rows are as one: what is taken across two of them is not asked for.
    """
    one, other = memory
    # Sums of 2, 4 and 8, none of which grows; two of 8 that share the middle one are of 15 and it.
    twos = np.add(logs[:-1], logs[1:], out=one[:-1])
    fours = np.add(twos[:-2], twos[2:], out=other[:-3])
    eights = np.add(fours[:-4], fours[4:], out=one[:-7])
    means = np.add(eights[:-_REACH], eights[_REACH:], out=other[: -2 * _REACH])
    # A sixteenth of 15 and the middle one leaves 15 sixteenths of what their mean leaves.
    means *= np.float32(1 / 16)
    logs[_REACH:-_REACH] -= means
