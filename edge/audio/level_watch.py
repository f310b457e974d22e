"""A microphone that gives nothing, or more than fits, for a long while."""

from __future__ import annotations

import collections

import numpy as np
import numpy.typing as npt

__all__ = ["LOUD", "MUTED", "LevelWatch"]

MUTED, LOUD = "muted", "loud"

#: Said after so long, and not again before it was well for so long.
_ILL_S = _WELL_S = 10.0
#: What is judged together.
_PERIOD_S = 0.5
#: Speech pauses: this long without clipping is not the end of it.
_PAUSE_S = 2.0
#: Before any resampling, full scale is full scale; converters stop a little below it at times.
_FULL_SCALE = 0.995
#: Share of a period at full scale; see `edge.audio.clipping` for what recordings have.
_SHARE = 0.003


class LevelWatch:
    """Hears every block as the device gave it, and says what is wrong with its level once.

    Digital zeros are what a muted source gives; no converter that runs does, so that any value
    that never changes counts.  Sound that is cut off is so for as long as somebody speaks.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._n_period = max(1, round(_PERIOD_S * sample_rate))
        self._n_heard = 0
        self._n_full = 0
        self._constant: float | None = None
        self._moved = False
        self._complaints = {MUTED: _Complaint(0.0), LOUD: _Complaint(_PAUSE_S)}
        # Filled in the callback's thread, emptied in the reader's.
        self._news: collections.deque[str] = collections.deque(maxlen=8)

    def push(self, samples: npt.NDArray[np.float32]) -> None:
        """Take in samples [shape=(n_samples,)] at full scale 1."""
        if not samples.size:
            return
        highest = float(np.maximum.reduce(samples))
        lowest = float(np.minimum.reduce(samples))
        if self._constant is None:
            self._constant = lowest
        self._moved |= not highest == lowest == self._constant
        if highest >= _FULL_SCALE or lowest <= -_FULL_SCALE:
            self._n_full += int(np.count_nonzero(np.abs(samples) >= _FULL_SCALE))
        self._n_heard += samples.size
        if self._n_heard < self._n_period:
            return
        for kind, is_ill in (
            (MUTED, not self._moved),
            (LOUD, self._moved and self._n_full >= _SHARE * self._n_heard),
        ):
            if self._complaints[kind].push(is_ill, _PERIOD_S * self._n_heard / self._n_period):
                self._news.append(kind)
        self._n_heard = self._n_full = 0
        self._constant, self._moved = None, False

    def news(self) -> list[str]:
        """Give what is to be said now: ``"muted"``, ``"loud"``, or nothing."""
        said = []
        while self._news:
            said.append(self._news.popleft())
        return said


class _Complaint:
    """One thing that may be wrong, for how long, and whether it was said."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._ill_s = self._well_s = 0.0
        self._was_said = False

    def push(self, is_ill: bool, period_s: float) -> bool:
        """Take in a period, and say whether it is time to complain."""
        if is_ill:
            self._ill_s += self._well_s + period_s if self._ill_s else period_s
            self._well_s = 0.0
        else:
            self._well_s += period_s
            if self._well_s > self._pause_s:
                self._ill_s = 0.0
            if self._well_s >= _WELL_S:
                self._was_said = False
        if self._ill_s < _ILL_S or self._was_said:
            return False
        self._was_said = True
        return True
