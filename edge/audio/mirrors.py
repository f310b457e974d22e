"""How much the fine structure of a spectrum above a frequency mirrors what is below.

A poor resampler leaves above the old Nyquist frequency what lies below, turned round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MIRRORS_HZ", "Mirrors"]

#: Nyquist frequencies of 8, 11.025 and 12 kHz.
MIRRORS_HZ = (4000.0, 5512.5, 6000.0)
#: Bins that a fine structure is taken less the mean of, and those to either side.
_N_MEAN = 15
_REACH = _N_MEAN // 2
#: How far is looked to either side.
_MOST_HZ = 4000.0


class Mirrors:
    """Products of the fine structures of both sides of every mirror.

    The fine structure is the logarithm of the power less its mean over 15 bins: harmonics
    without the envelope.

    Parameters
    ----------
    n_bins : int
        Of a spectrum.
    bin_hz : float
    """

    def __init__(self, n_bins: int, bin_hz: float) -> None:
        # Bins at the ends, which have no 7 neighbours, are not asked for.
        self._crossed: list[tuple[slice, slice]] = []
        edges = []
        for mirror_hz in MIRRORS_HZ:
            centre = round(mirror_hz / bin_hz)
            reach = min(centre - 20, n_bins - centre - 8, round(_MOST_HZ / bin_hz) - 20)
            above = slice(centre + 10, centre + reach)
            below = slice(centre + 1 - reach, centre - 9)
            self._crossed.append((above, slice(n_bins - below.stop, n_bins - below.start)))
            edges += [above.start, above.stop, below.start, below.stop]
        self._edges = np.array(edges, dtype=np.intp)

    def products(self, power: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
        """Products of every frame.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
        floor : float
            Added before the logarithm.

        Returns
        -------
        float32 [shape=(n_frames, n_mirrors, 3)]
            Above by below, above by above, below by below.
        """
        # All rows as over one: the sums across two of them are not asked for.
        logs = np.add(power, np.float32(floor)).reshape(-1)
        np.log(logs, out=logs)
        # Sums of 15 from those of 1, 2, 4 and 8, none of which grows.
        twos = logs[:-1] + logs[1:]
        fours = twos[:-2] + twos[2:]
        means = fours[:-11] + fours[4:-7]
        means += fours[8:-3]
        means += twos[12:-1]
        means += logs[14:]
        means *= np.float32(1 / _N_MEAN)
        np.subtract(logs[_REACH:-_REACH], means, out=logs[_REACH:-_REACH])
        fine = logs.reshape(power.shape)
        products = np.empty((len(power), len(self._crossed), 3), np.float32)
        # Forwards twice is faster than once backwards.
        turned = np.ascontiguousarray(logs[::-1]).reshape(power.shape)[::-1]
        for k, (above, below) in enumerate(self._crossed):
            np.einsum("ij,ij->i", fine[:, above], turned[:, below], out=products[:, k, 0])
        squares = np.multiply(fine, fine)
        # Every second sum lies between two sides and counts for nothing.
        own = np.add.reduceat(squares, self._edges, axis=1)[:, ::2]
        products[:, :, 1:] = own.reshape(len(power), -1, 2)
        return products
