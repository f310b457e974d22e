"""Borders of hours, days and weeks by the clock on the wall, on days when that is moved too."""

from __future__ import annotations

import datetime

from edge.history.records import By

__all__ = ["end_of", "start_of"]

_STEP_S = 1_800.0


def start_of(time_s: float, by: By) -> float:
    """Give the Unix time at which the local minute, hour, day or week of a time began.

    Raises
    ------
    ValueError, OverflowError, OSError
        If no calendar has that time.
    """
    if by == "minute":
        return time_s // 60 * 60
    local = datetime.datetime.fromtimestamp(time_s)
    if by == "hour":
        # Where the clock was put back, an hour comes twice: `fold` tells which.
        return local.replace(minute=0, second=0, microsecond=0).timestamp()
    day = local.date()
    if by == "week":
        day -= datetime.timedelta(days=day.weekday())
    # The first of two midnights; where there is none, the first moment of the day.
    return datetime.datetime.combine(day, datetime.time()).timestamp()


def end_of(start_s: float, by: By) -> float:
    """Give the Unix time at which what began then is over."""
    if by == "minute":
        return start_s + 60
    shortest_s = {"hour": 0.0, "day": 20 * 3_600.0, "week": 6 * 86_400.0}[by]
    time_s = start_s + shortest_s
    while (next_s := start_of(time_s, by)) <= start_s:
        time_s += _STEP_S
    return next_s
