"""What every record of ``listen --json`` begins with; docs/records.md has all of it."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["VERSION", "head", "time_of_day"]

#: Of the records.  A key that is added leaves it as it is, one that is taken away or comes to
#: mean something else is another version.
VERSION = 1


def head(kind: str, time_s: float | None) -> dict[str, Any]:
    """Give the keys that every record begins with.

    Parameters
    ----------
    kind : str
        Its ``type``.
    time_s : float or None
        Unix time of what it tells; None where nobody looked at a clock.

    Returns
    -------
    dict
        ``version``, ``type``, ``time``.
    """
    return {
        "version": VERSION,
        "type": kind,
        "time": None if time_s is None else time_of_day(time_s),
    }


def time_of_day(time_s: float) -> str:
    """Write a Unix time as RFC 3339 in the time zone of this machine, to the millisecond.

    Parameters
    ----------
    time_s : float
        Seconds since 1970.

    Returns
    -------
    str
        Such as ``2026-03-29T03:00:00.500+02:00``.
    """
    # Rounded first, so that 59.9996 s is the next minute and not ".1000".
    whole_s, thousandths = divmod(round(1000 * time_s), 1000)
    local = time.localtime(whole_s)
    # What is ahead by part of a minute was so before 1970 alone, and RFC 3339 has no word for it.
    ahead_min = round(local.tm_gmtoff / 60)
    hours, minutes = divmod(abs(ahead_min), 60)
    return (
        f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"
        f"T{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02}.{thousandths:03}"
        f"{'-' if ahead_min < 0 else '+'}{hours:02}:{minutes:02}"
    )
