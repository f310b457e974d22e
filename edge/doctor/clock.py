"""Whether times of day can be believed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look

__all__ = ["clock", "time_service"]

#: edge-ser is younger than this: a clock before it was never set.
_FIRST_YEAR = 2024
_DAY_S = 86_400.0
_LIMIT_S = 2.0
_SET_NTP = "sudo timedatectl set-ntp true"


def clock(look: Look) -> Iterator[Finding]:
    """Whether the clock was ever set: a board without a battery starts in the past."""
    now_s = look.system.now_s()
    try:
        now = datetime.datetime.fromtimestamp(now_s, datetime.timezone.utc)
    except (OverflowError, ValueError, OSError):
        yield error(f"the clock shows {now_s:.0f} s since 1970, no date at all", _SET_NTP)
        return
    shown, date = now.strftime("%Y-%m-%d %H:%M UTC"), now.strftime("%Y-%m-%d")
    if now.year < _FIRST_YEAR:
        yield error(
            f"the clock shows {shown} and was never set: every time of day will be wrong",
            _SET_NTP,
            year=now.year,
        )
        return
    try:
        # The files of this package were written before now.
        written_s = Path(__file__).stat().st_mtime
    except OSError:
        written_s = 0.0
    if written_s > now_s + _DAY_S:
        yield error(
            f"the clock shows {date}, {(written_s - now_s) / _DAY_S:.0f} days before edge-ser was "
            "installed: every time of day will be wrong",
            _SET_NTP,
            year=now.year,
        )
        return
    yield ok(f"the clock shows {shown}", year=now.year)


def time_service(look: Look) -> Iterator[Finding]:
    """Whether something keeps the clock right."""
    ran = look.run(["timedatectl", "show"], _LIMIT_S)
    told = dict(line.partition("=")[::2] for line in ran.out.splitlines()) if ran.is_good else {}
    known = told.get("NTPSynchronized")
    way = "timedatectl"
    is_right = {"yes": True, "no": False}.get(known or "")
    if is_right is None:
        way, is_right = "the kernel", look.system.is_clock_synchronised()
    facts: dict[str, Any] = {"is_synchronised": is_right, "uses_ntp": told.get("NTP")}
    container = look.system.container()
    if is_right:
        yield ok(f"the clock is kept right over the network, says {way}", **facts)
    elif is_right is None:
        yield skipped("neither timedatectl nor the kernel tells whether the clock is kept right")
    elif container:
        yield skipped(
            f"in a container ({container}) the clock is the host's, which does not say that it is "
            "kept right",
            f"on the host: {_SET_NTP}",
            **facts,
        )
    else:
        yield warning(
            f"nothing keeps the clock right, says {way}: times of day drift, and jump when it is "
            "set",
            _SET_NTP,
            **facts,
        )
