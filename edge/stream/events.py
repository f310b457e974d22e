"""Beginnings and endings instead of a decision every hop."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

from edge.arrays import as_number
from edge.errors import ParameterError, shown
from edge.stream.decision import GAP, Decision
from edge.stream.records import head

__all__ = ["Event", "EventSettings", "EventTracker"]

#: Ends of segments are quotients of whole numbers: what lies this near together is the same.
_SAME_S = 1e-6


@dataclasses.dataclass(frozen=True, slots=True)
class EventSettings:
    """What counts as an event.

    Parameters
    ----------
    min_s : float
        Seconds that a label must hold without a break before it begins.
    merge_s : float
        Longest break in seconds after which it is still the same event.
    """

    min_s: float = 1.0
    merge_s: float = 1.0

    def __post_init__(self) -> None:
        wanted = "a number of seconds from 0 is wanted"
        for field in dataclasses.fields(self):
            value = as_number(getattr(self, field.name), field.name, wanted, 0.0, 1e9)
            object.__setattr__(self, field.name, value)


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """A label began to hold, or ended.

    Parameters
    ----------
    event : {"start", "end"}
    label : str
    start_s, end_s : float
        Seconds from the start of the stream; ``end_s`` is None for a start.
    peak, mean_probability : float
        Highest and mean probability of the label over the decisions that had it: those up
        to now for a start, all of them for an end.
    time_s : float or None
        Unix time of the beginning, or of the ending.
    """

    event: Literal["start", "end"]
    label: str
    start_s: float
    end_s: float | None
    peak: float
    mean_probability: float
    time_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order: the keys of docs/records.md."""
        return {
            **head("event", self.time_s),
            "event": self.event,
            "label": self.label,
            "start_s": round(self.start_s, 3),
            "end_s": None if self.end_s is None else round(self.end_s, 3),
            "peak": round(self.peak, 4),
            "mean_probability": round(self.mean_probability, 4),
        }


class _Run:
    """Decisions with the same label, one after the other."""

    __slots__ = (
        "end_s", "end_time_s", "label", "n", "peak", "start_s", "start_time_s", "total",
    )  # fmt: skip

    def __init__(
        self, label: str, start_s: float, start_time_s: float | None, decision: Decision
    ) -> None:
        self.label, self.start_s, self.start_time_s = label, start_s, start_time_s
        self.peak, self.total, self.n = 0.0, 0.0, 0
        self.add(decision)

    def add(self, decision: Decision) -> None:
        posterior = decision.posterior or {}
        probability = posterior.get(self.label, 0.0)
        self.peak = max(self.peak, probability)
        self.total += probability
        self.n += 1
        self.end_s, self.end_time_s = decision.end_s, decision.time_s

    def started(self) -> Event:
        mean = self.total / self.n
        return Event("start", self.label, self.start_s, None, self.peak, mean, self.start_time_s)

    def ended(self) -> Event:
        mean = self.total / self.n
        return Event("end", self.label, self.start_s, self.end_s, self.peak, mean, self.end_time_s)


class EventTracker:
    """Decisions in, events out.

    Parameters
    ----------
    settings : EventSettings, optional

    Notes
    -----
    A decision speaks for what the one before did not cover: from the end of that one to its
    own end.  An event begins where a label first held for ``min_s`` without a break, and is told
    then.  It goes on while its label comes back within ``merge_s``, whether nobody spoke in
    between, nothing was certain or another label was named for less than ``min_s``.  It ends
    where the label was heard last; lost samples end it at once, as nobody knows what was said.
    Events never overlap.
    """

    def __init__(self, settings: EventSettings | None = None) -> None:
        if settings is not None and not isinstance(settings, EventSettings):
            raise ParameterError(f"events is {shown(settings)}, EventSettings or None is wanted")
        self.settings = settings or EventSettings()
        # Where the decision before ended, and when that was.
        self._heard_s = -math.inf
        self._heard_time_s: float | None = None
        self._open: _Run | None = None
        self._next: _Run | None = None

    def push(self, decision: Decision) -> list[Event]:
        """Take the next decision; gives what began or ended, in order."""
        start_s, start_time_s = self._start_of(decision)
        self._heard_s, self._heard_time_s = decision.end_s, decision.time_s
        if decision.state == GAP:
            return self.finish()
        events = []
        current = self._open
        if current is not None:
            merge_s = self.settings.merge_s + _SAME_S
            if current.label == decision.label and start_s - current.end_s <= merge_s:
                current.add(decision)
                return []
            if current.label == decision.label or decision.end_s - current.end_s > merge_s:
                events += self._end()
        self._follow(decision, start_s, start_time_s)
        waiting = self._next
        if waiting is not None and waiting.end_s - waiting.start_s >= self.settings.min_s - _SAME_S:
            events += self._end()
            self._open, self._next = waiting, None
            events.append(waiting.started())
        return events

    def finish(self) -> list[Event]:
        """End what is going on, as there is nothing more to come."""
        self._next = None
        return self._end()

    def _start_of(self, decision: Decision) -> tuple[float, float | None]:
        """Where begins what the decision alone speaks for, and when that was."""
        if decision.start_s <= self._heard_s:
            return self._heard_s, self._heard_time_s
        if decision.time_s is None:
            return decision.start_s, None
        return decision.start_s, decision.time_s - (decision.end_s - decision.start_s)

    def _follow(self, decision: Decision, start_s: float, start_time_s: float | None) -> None:
        """Go on with what may become an event, or begin anew."""
        waiting = self._next
        if decision.label is None:
            return
        if (
            waiting is not None
            and waiting.label == decision.label
            and start_s - waiting.end_s <= _SAME_S
        ):
            waiting.add(decision)
        else:
            self._next = _Run(decision.label, start_s, start_time_s, decision)

    def _end(self) -> list[Event]:
        current, self._open = self._open, None
        return [] if current is None else [current.ended()]
