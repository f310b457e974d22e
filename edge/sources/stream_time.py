"""How long a stream was away, so that its time stays that of the clock on the wall."""

from __future__ import annotations

from edge.audio.capture_clock import Earliest

__all__ = ["StreamTime"]

#: After so much sound it is known how late the first block was.
_KNOWN_S = 2.0


class StreamTime:
    """Compares the samples of a stream with a clock.

    A block arrives late by what waits on its way, now more and now less: the earliest of two
    seconds says how late the stream is.  After an outage the first block has to do, and by how
    much it was wrong is put right with the next one, so that the errors of a hundred outages do
    not add up.  Two crystals that differ do add up, between outages, and are left alone: a gap is
    what was lost.

    Parameters
    ----------
    sample_rate : int
        Of the stream, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._n_samples = 0
        # Since it began, or went on after an outage.
        self._n_since = 0
        self._earliest = Earliest()
        # How late the stream should be, while that is not compared yet with how late it is.
        self._aim_s: float | None = None
        self._error_s = 0.0

    @property
    def end_s(self) -> float | None:
        """When the last sample was there, by the clock of :meth:`heard`; None before any."""
        if self._earliest.is_empty:
            return None
        return self._earliest.value + self._n_samples / self._rate

    def heard(self, n_samples: int, arrived_s: float) -> None:
        """Take in a block.

        Parameters
        ----------
        n_samples : int
        arrived_s : float
            When its last sample was there, in seconds of a clock that never goes back.
        """
        if not n_samples:
            return
        self._n_samples += n_samples
        self._n_since += n_samples
        self._earliest.push(arrived_s - self._n_samples / self._rate, arrived_s)
        if self._aim_s is not None and self._n_since >= _KNOWN_S * self._rate:
            self._compare()

    def lost(self, n_samples: int) -> None:
        """Take in samples that were lost on the way."""
        self._n_samples += n_samples

    def resume(self, n_samples: int, arrived_s: float) -> int:
        """Say how many samples are missing before the first block after an outage.

        Parameters
        ----------
        n_samples, arrived_s
            Of that block, which is not yet to be told to :meth:`heard`.

        Returns
        -------
        int
            1 or more; 0 when nothing was heard before.
        """
        if self._earliest.is_empty:
            return 0
        self._compare()
        aim_s = self._earliest.value - self._error_s
        late_s = arrived_s - (self._n_samples + n_samples) / self._rate
        n_missing = max(1, round((late_s - aim_s) * self._rate))
        self._n_samples += n_missing
        self._n_since = 0
        self._earliest = Earliest()
        self._aim_s = aim_s
        return n_missing

    def _compare(self) -> None:
        if self._aim_s is not None and not self._earliest.is_empty:
            self._error_s = self._earliest.value - self._aim_s
            self._aim_s = None
