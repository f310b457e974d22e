"""Decisions into minutes of the time of day."""

from __future__ import annotations

import math
from collections.abc import Iterator

from edge.history.tally import Tally, power_of
from edge.stream.decision import GAP, NO_SPEECH, SPEECH, UNCERTAIN, Decision

__all__ = ["MinuteTallies"]

#: How many minutes wait to be written, at most: two days.
N_MOST = 2_880
#: Calendars end here, in the year 9998.
_LAST_S = 253_370_764_800.0


class MinuteTallies:
    """Adds decisions up, by the minute that they were heard in.

    Notes
    -----
    A decision speaks for what the one before did not cover, as for :class:`EventTracker`; what
    lies on both sides of a minute's border is shared out.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, Tally] = {}
        self._heard_s = -math.inf

    def add(self, decision: Decision, time_s: float) -> None:
        """Add a decision or a gap.

        Parameters
        ----------
        decision : Decision
        time_s : float
            Unix time of its end.
        """
        covered_s = max(0.0, decision.end_s - max(decision.start_s, self._heard_s))
        self._heard_s = decision.end_s
        if not 0 <= time_s <= _LAST_S:
            return
        minute = int(time_s // 60)
        for minute, part_s in _parts(time_s, covered_s):
            self._of(minute).add(_tally(decision, part_s))
        # What cannot be shared out is of the minute that it ended in.
        last = self._of(minute)
        last.dropped_samples += decision.dropped_samples
        last.skipped_hops += decision.skipped_hops
        last.n_decisions += decision.state != GAP

    def drop_oldest(self) -> int:
        """Leave out what is more than can wait; gives how many minutes that were."""
        n_dropped = 0
        while len(self.waiting) > N_MOST:
            del self.waiting[next(iter(self.waiting))]
            n_dropped += 1
        return n_dropped

    def _of(self, minute: int) -> Tally:
        return self.waiting.setdefault(minute, Tally())


def _parts(end_s: float, covered_s: float) -> Iterator[tuple[int, float]]:
    """Share the seconds before a time out to minutes, the oldest first."""
    start_s = max(0.0, end_s - min(covered_s, 60.0 * N_MOST))
    while start_s < end_s:
        minute = int(start_s // 60)
        part_end_s = min(end_s, 60.0 * (minute + 1))
        yield minute, part_end_s - start_s
        start_s = part_end_s


def _tally(decision: Decision, part_s: float) -> Tally:
    tally = Tally()
    if decision.state == GAP:
        tally.gap_s = part_s
        return tally
    if decision.state == SPEECH and decision.label is not None:
        tally.speech_s = part_s
        tally.labels[decision.label] = part_s
    elif decision.state in {SPEECH, UNCERTAIN}:
        tally.uncertain_s = part_s
    elif decision.state == NO_SPEECH:
        tally.no_speech_s = part_s
    else:
        tally.quiet_s = part_s
    # As in every average: a segment weighs as much as it holds speech.
    weight_s = part_s * (1.0 if decision.speech_share is None else decision.speech_share)
    if decision.activation is not None:
        tally.activation_sum = decision.activation * weight_s
        tally.activation_weight_s = weight_s
    if decision.label is not None and decision.posterior is not None:
        tally.probability_sum = decision.posterior.get(decision.label, 0.0) * weight_s
        tally.probability_weight_s = weight_s
    if decision.level_db is not None and math.isfinite(decision.level_db):
        tally.power_sum = power_of(decision.level_db) * part_s
        tally.peak_db = decision.level_db
    return tally
