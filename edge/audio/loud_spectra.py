"""Spectra of the loud frames of a sound, held until there are enough to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LoudSpectra"]

#: Frames that say nothing: so far below the loudest, or near silence.
_RANGE_DB = 25.0
_SILENCE_DB = -60.0
_RANGE, _SILENCE = (10 ** (db / 10) for db in (-_RANGE_DB, _SILENCE_DB))
#: Frames that are judged together, counted from the first one: no split into blocks shows.
_N_GROUP = 8
#: Loud frames that are held at most, in 82 KB; the first 2 s end before there are as many.
_MOST_HELD = 40
_NO_LEVELS = np.empty(0, np.float32)


class LoudSpectra:
    """Holds spectra until a number of loud ones is there, and judges none before it can be.

    A frame is loud beside the loudest one so far, so that it may turn out not to be, and never the
    other way round.

    Parameters
    ----------
    scale : float
        What the levels to come are a multiple of.
    """

    def __init__(self, scale: float) -> None:
        self._silence = _SILENCE * scale
        # Of the frames that were given out, of those that were found loud, and of the rest.
        self._levels: NDArray[np.float32] = _NO_LEVELS
        self._n_given = 0
        self._n_judged = 0
        # Spectra of all but the first ones.
        self._held: NDArray[np.float32] | None = None
        self._is_own = True

    def add(self, power: NDArray[np.float32], levels: NDArray[np.float32]) -> None:
        """Take in the next frames; :meth:`hold` has to follow before their array changes.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
        levels : float32 [shape=(n_frames,)]
            Mean squares of their samples, times the scale.
        """
        self._is_own = self._held is not None
        self._held = power if self._held is None else np.concatenate((self._held, power))
        self._levels = np.concatenate((self._levels, levels))

    def hold(self) -> None:
        """Copy what is held of an array that belongs to somebody else."""
        if not self._is_own and self._held is not None:
            self._held = self._held.copy() if len(self._held) else None
            self._is_own = True

    def give(self, n_wanted: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]] | None:
        """Give out the loud frames where they have become enough, or too many to be held.

        Parameters
        ----------
        n_wanted : int
            Of them, with those given out before.

        Returns
        -------
        tuple or None
            Which of those given out before are loud still, bool [shape=(n_given,)], and the spectra
            of the others, float32 [shape=(n_new, n_bins)], which nobody else has.  To be asked
            again until it is None.
        """
        levels, n_given, n_judged = self._levels, self._n_given, self._n_judged
        least = min(n_wanted, n_given + _MOST_HELD)
        # Most frames end nothing.
        n_groups = max(-(-(least - n_judged) // _N_GROUP), 1)
        ends = range(n_judged + n_groups * _N_GROUP, levels.size + 1, _N_GROUP)
        if not ends:
            return None
        loudest = np.maximum.accumulate(levels)[ends[0] - 1 :: _N_GROUP].tolist()
        for end, beside in zip(ends, loudest, strict=True):
            loud = levels[:end] > max(_RANGE * beside, self._silence)
            n_loud = int(np.count_nonzero(loud))
            n_held = n_loud - int(np.count_nonzero(loud[:n_given])) if n_given else n_loud
            if n_loud >= n_wanted or n_held >= _MOST_HELD:
                return loud[:n_given], self._give(loud, n_loud)
        if loud.size - n_loud < _N_GROUP:
            self._n_judged = loud.size
        else:
            self._drop(loud)
        return None

    def _give(self, loud: NDArray[np.bool_], n_loud: int) -> NDArray[np.float32]:
        """Spectra of the loud frames among the first ones; the others are forgotten."""
        assert self._held is not None
        n_held = loud.size - self._n_given
        given = self._held[:n_held][loud[self._n_given :]]
        # A view, which keeps alive what is before it: to be copied.
        self._held, self._is_own = self._held[n_held:], False
        self._levels = np.concatenate((self._levels[: loud.size][loud], self._levels[loud.size :]))
        self._n_given = self._n_judged = n_loud
        return given

    def _drop(self, loud: NDArray[np.bool_]) -> None:
        """Forget which of the first frames are not loud, but for those given out."""
        assert self._held is not None
        kept = np.ones(self._levels.size, np.bool_)
        kept[self._n_given : loud.size] = loud[self._n_given :]
        self._n_judged = int(np.count_nonzero(kept[: loud.size]))
        self._levels = self._levels[kept]
        self._held, self._is_own = self._held[kept[self._n_given :]], True
