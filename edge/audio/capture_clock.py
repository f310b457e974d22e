"""How many samples a device lost, from its own clock and from ours."""

from __future__ import annotations

import collections
import math

__all__ = ["CaptureClock", "Earliest"]

#: A block later than this may mean a loss.  Without any, the earliest of a second's blocks
#: wandered by 65 ms with PulseAudio, whose buffers hold one block more or one less.
_LATE_S = 0.15
#: A late block that was only held up is followed by those that waited with it, at once; the
#: lateness that is still there this long after it was last made up for is a loss.
_SETTLED_S = 0.25
#: However long the blocks keep making up for it.
_LIMIT_S = 1.5
#: Less than this is not making up for anything.
_STEP_S = 0.005
#: Two measures of one loss agree this well; the device's is then the finer one.
_AGREEMENT_S = 0.1
#: How far back the earliest block is looked for, twice.
_MEMORY_S = 1.0
#: So many times in a row that go backwards are a clock that was set anew.
_N_BACKWARDS = 8


class CaptureClock:
    """Compares the times of the blocks with the samples that came.

    Parameters
    ----------
    sample_rate : int
        Of the device, in Hz.
    limit_s : float
        Longest time in seconds that a late block may be left open.

    Notes
    -----
    Neither clock is enough.  Ours, read when a block arrives, is late whenever a program or a
    server was held up although nothing is lost: what waited comes in a burst.  The device's
    is estimated by the sound server: PulseAudio's steps by half a second in the first two
    although nothing is lost, other systems give none at all.  So a loss is what both see and
    what lasts, or what the system reports; a report is believed at once, and its size is what
    the device's clock says, or ours where there is none.

    Both are looked at relative to the samples, so that two crystals that differ by a few
    hundred parts in a million do not add up to a loss in an hour.
    """

    def __init__(self, sample_rate: int, limit_s: float = _LIMIT_S) -> None:
        self._rate = sample_rate
        self._limit_s = min(limit_s, _LIMIT_S)
        self._n_samples = 0
        self._last_adc_s: float | None = None
        self._n_backwards = 0
        # Lateness by the device's clock at the last block that had a time.
        self._adc_late_s: float | None = None
        self._earliest = Earliest()
        self._suspicion: _Suspicion | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether a block was late and it is not known yet whether it stays so."""
        return self._suspicion is not None

    def settle(self, now_s: float) -> int | None:
        """Judge a block that was late, before the next one is noted.

        Parameters
        ----------
        now_s : float
            Our clock in seconds.

        Returns
        -------
        int or None
            Samples lost before the late block, 0 when it was held up only; None while that is
            open, or nothing is.
        """
        doubt = self._suspicion
        if doubt is None:
            return None
        is_settled = now_s - doubt.made_up_s >= _SETTLED_S
        if not is_settled and now_s - doubt.began_s < self._limit_s:
            return None
        return self._decide(doubt)

    def note(
        self, n_samples: int, adc_s: float | None, now_s: float, *, overflow: bool = False
    ) -> int:
        """Take in the times of a block.

        Parameters
        ----------
        n_samples : int
            Of the block, at the device's rate.
        adc_s : float or None
            When its first sample was taken, by the device's clock in seconds.
        now_s : float
            When it came, by ours.
        overflow : bool
            Whether the system said that input was lost before it.

        Returns
        -------
        int
            Samples lost right before this block, where that is known at once: 1 and more with
            ``overflow`` and a device's time.  What is not is told by :meth:`settle` later.
        """
        late_s = now_s - self._n_samples / self._rate
        adc_late_s = self._adc_lateness(adc_s)
        n_lost = 0
        if self._n_samples == 0 and self._earliest.is_empty:
            self._adc_late_s = adc_late_s
        elif overflow and adc_late_s is not None and self._adc_late_s is not None:
            n_lost = max(1, round((adc_late_s - self._adc_late_s) * self._rate))
            late_s -= n_lost / self._rate
            self._begin_anew(late_s, now_s, adc_late_s, n_lost)
        elif self._suspicion is not None:
            self._suspicion.follow(late_s, adc_late_s, now_s, overflow)
        elif overflow or self._is_late(late_s, adc_late_s):
            self._suspicion = _Suspicion(
                self._earliest.value, self._adc_late_s, late_s, adc_late_s, now_s, overflow
            )
        if self._suspicion is None:
            self._earliest.push(late_s, now_s)
            if adc_late_s is not None and not n_lost:
                self._adc_late_s = adc_late_s
        self._n_samples += n_samples + n_lost
        return n_lost

    def _adc_lateness(self, adc_s: float | None) -> float | None:
        """What the device's clock says, where it can be believed."""
        if adc_s is None or not math.isfinite(adc_s) or adc_s <= 0:
            return None
        if self._last_adc_s is not None and adc_s < self._last_adc_s:
            self._n_backwards += 1
            if self._n_backwards < _N_BACKWARDS:
                return None
            self._adc_late_s = None
        self._n_backwards = 0
        self._last_adc_s = adc_s
        return adc_s - self._n_samples / self._rate

    def _is_late(self, late_s: float, adc_late_s: float | None) -> bool:
        if late_s - self._earliest.value <= _LATE_S:
            return False
        if adc_late_s is None or self._adc_late_s is None:
            return True
        return adc_late_s - self._adc_late_s > _LATE_S

    def _decide(self, doubt: _Suspicion) -> int:
        self._suspicion = None
        rise_s = doubt.late_s - doubt.late_before_s
        adc_rise_s = doubt.adc_rise_s
        lost_s = rise_s
        if adc_rise_s is not None:
            lost_s = adc_rise_s if abs(adc_rise_s - rise_s) < _AGREEMENT_S else rise_s
            rise_s = min(rise_s, adc_rise_s)
        n_lost = round(lost_s * self._rate) if doubt.is_reported or rise_s > _LATE_S else 0
        if doubt.is_reported:
            n_lost = max(1, n_lost)
        self._n_samples += n_lost
        late_s = doubt.late_s - n_lost / self._rate
        self._begin_anew(late_s, doubt.made_up_s, doubt.adc_late_s, n_lost)
        return n_lost

    def _begin_anew(
        self, late_s: float, now_s: float, adc_late_s: float | None, n_lost: int
    ) -> None:
        """Forget what was before a loss, or before a stall without one."""
        self._suspicion = None
        self._earliest = Earliest()
        self._earliest.push(late_s, now_s)
        self._adc_late_s = None if adc_late_s is None else adc_late_s - n_lost / self._rate


class Earliest:
    """The least lateness of the last second or two."""

    def __init__(self) -> None:
        self._buckets: collections.deque[float] = collections.deque(maxlen=2)
        self._ends_s = -math.inf

    @property
    def is_empty(self) -> bool:
        """Whether nothing was noted yet."""
        return not self._buckets

    @property
    def value(self) -> float:
        """It, in seconds."""
        return min(self._buckets)

    def push(self, late_s: float, now_s: float) -> None:
        """Note the lateness of a block, and when that was."""
        if now_s >= self._ends_s:
            self._buckets.append(late_s)
            self._ends_s = now_s + _MEMORY_S
        else:
            self._buckets[-1] = min(self._buckets[-1], late_s)


class _Suspicion:
    """A late block, and whether those behind it make up for it."""

    __slots__ = (
        "_adc_before_s",
        "adc_late_s",
        "began_s",
        "is_reported",
        "late_before_s",
        "late_s",
        "made_up_s",
    )

    def __init__(
        self,
        late_before_s: float,
        adc_before_s: float | None,
        late_s: float,
        adc_late_s: float | None,
        now_s: float,
        is_reported: bool,
    ) -> None:
        self.is_reported = is_reported
        self.late_before_s = late_before_s
        self._adc_before_s = adc_before_s
        self.late_s = late_s
        self.adc_late_s = adc_late_s
        self.began_s = self.made_up_s = now_s

    @property
    def adc_rise_s(self) -> float | None:
        if self.adc_late_s is None or self._adc_before_s is None:
            return None
        return self.adc_late_s - self._adc_before_s

    def follow(
        self, late_s: float, adc_late_s: float | None, now_s: float, is_reported: bool
    ) -> None:
        self.is_reported |= is_reported
        if late_s < self.late_s - _STEP_S:
            self.made_up_s = now_s
        self.late_s = min(self.late_s, late_s)
        if adc_late_s is not None:
            known_s = self.adc_late_s
            self.adc_late_s = adc_late_s if known_s is None else min(known_s, adc_late_s)
