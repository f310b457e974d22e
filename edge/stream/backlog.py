"""Decisions that a device is too slow for: which are left out, and how many.

A model that takes longer than a hop falls behind, and behind a live source every decision would
be later than the one before.  So one that is due while nearly a hop of newer sound is waiting
already is left out.  The next begins less than a hop after its segment's end, and the device adds
no more than a hop and the time that one decision takes.
"""

from __future__ import annotations

__all__ = ["Backlog"]

#: Part of a hop that may be waiting.  The rest, one frame of the default hop, is for what a
#: decision takes besides its model; the segment that comes next is whole before that is over.
_MOST = 15 / 16


class Backlog:
    """What a live stream is behind, and the hops that it has left out for it.

    Parameters
    ----------
    hop_s : float
        From one decision to the next.
    """

    def __init__(self, hop_s: float) -> None:
        self._most_s = _MOST * hop_s
        self.reset()

    def reset(self) -> None:
        """Forget everything; the same as a fresh object."""
        #: Hops left out since the start.
        self.n_skipped = 0
        self._n_untold = 0
        self._is_behind = False

    @property
    def is_behind(self) -> bool:
        """Whether newer sound was waiting when the last block was through."""
        return self._is_behind

    def note(self, age_s: float) -> bool:
        """Tell whether sound of this age has nearly a hop of newer sound behind it.

        Parameters
        ----------
        age_s : float
            Seconds since its last sample was there.
        """
        self._is_behind = age_s > self._most_s
        return self._is_behind

    def count(self, n_hops: int = 1) -> None:
        """Count hops left out; -1 takes one back that is decided on after all."""
        self.n_skipped += n_hops
        self._n_untold += n_hops

    def tell(self) -> int:
        """Hops left out since the call before, for the next record."""
        n_untold, self._n_untold = self._n_untold, 0
        return n_untold
