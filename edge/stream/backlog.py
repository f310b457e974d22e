"""Decisions that a device is too slow for: which are left out, and how many.

A model that takes longer than a hop falls behind, and behind a live source every decision would
be later than the one before.  So one that is due while nearly a hop of newer sound is waiting
already is left out.  The next begins less than a hop after its segment's end, and the device adds
no more than a hop and the time that one decision takes.

That helps while a device catches up by it.  One that is too slow for the features alone does not,
and would never decide again: there, one in a few is decided on, as late as it is.
"""

from __future__ import annotations

__all__ = ["Backlog"]

#: Part of a hop that may be waiting.  The rest, one frame of the default hop, is for what a
#: decision takes besides its model; the segment that comes next is whole before that is over.
_MOST = 15 / 16

#: Decisions left out one after the other by which the device has not caught up, each by this
#: part of a hop; the next is made.  A pause of the machine is one such, and no more.
_PATIENCE, _PROGRESS = 4, 0.5


class Backlog:
    """What a live stream is behind, and the hops that it has left out for it.

    Parameters
    ----------
    hop_s : float
        From one decision to the next.
    sample_rate : int
        Of what is heard, in Hz.
    """

    def __init__(self, hop_s: float, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._most_s, self._progress_s = _MOST * hop_s, _PROGRESS * hop_s
        self.reset()

    def reset(self) -> None:
        """Forget everything; the same as a fresh object."""
        #: Hops left out since the start.
        self.n_skipped = 0
        self._n_untold = 0
        self._age_s = self._due_age_s = 0.0
        self._n_stuck = 0

    @property
    def is_behind(self) -> bool:
        """Whether newer sound was waiting when the last block was through."""
        return self._age_s > self._most_s

    def note(self, age_s: float) -> None:
        """Take note of the age of what was heard last.

        Parameters
        ----------
        age_s : float
            Seconds since its last sample was there.
        """
        self._age_s = age_s

    def jump(self) -> None:
        """Take note of a gap: what is heard next is newer, but not for having left hops out."""
        self._due_age_s = 0.0

    def is_late(self, age_s: float, n_behind: int) -> bool:
        """:meth:`is_too_late` for a decision in the middle of a block.

        Parameters
        ----------
        age_s : float
            Seconds since the block was there.
        n_behind : int
            Newer samples that are waiting in it.
        """
        self.note(age_s + n_behind / self._sample_rate)
        return self.is_too_late()

    def is_too_late(self) -> bool:
        """Tell whether the decision that is due on it is to be left out; asked once for each."""
        gained_s, self._due_age_s = self._due_age_s - self._age_s, self._age_s
        if not self.is_behind:
            self._n_stuck = 0
            return False
        self._n_stuck = self._n_stuck + 1 if gained_s < self._progress_s else 0
        if self._n_stuck > _PATIENCE:
            self._n_stuck = 0
            return False
        return True

    def count(self, n_hops: int = 1) -> None:
        """Count hops left out; -1 takes one back that is decided on after all."""
        self.n_skipped += n_hops
        self._n_untold += n_hops

    def tell(self) -> int:
        """Hops left out since the call before, for the next record."""
        n_untold, self._n_untold = self._n_untold, 0
        return n_untold
