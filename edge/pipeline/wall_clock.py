"""The time of day of what is heard, from a clock that only goes forward."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["WallClock", "since_boot_s"]

#: How long the wall clock is believed: a board without a battery is set by NTP a while after
#: it listens, and a person who sets a clock wants to see it.
_EVERY_S = 60.0


def since_boot_s() -> float:
    """Seconds of a clock that nobody sets; a suspended machine counts, where the system can tell.

    Notes
    -----
    Linux stops ``CLOCK_MONOTONIC`` while it is suspended, and goes on with ``CLOCK_BOOTTIME``.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class WallClock:
    """Unix time: the wall clock, read at first and every minute, and steady seconds between.

    Parameters
    ----------
    steady, wall, arrivals : callable
        Seconds of a clock that is never set, of the one that a person reads (Unix time), and
        of the one in which a block's arrival is told (``time.perf_counter``).

    Notes
    -----
    Between two readings nothing that is done to the wall clock shows.  Where a segment lies
    is counted in samples, not taken from here: a clock that is set moves none.
    """

    def __init__(
        self,
        steady: Callable[[], float] = since_boot_s,
        wall: Callable[[], float] = time.time,
        arrivals: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._steady, self._wall, self._arrivals = steady, wall, arrivals
        self._read()

    def _read(self) -> None:
        self._read_at_s = self._steady()
        self._wall_s = self._wall()
        # The C library looks at the system's time zone once, and a month is long.
        if hasattr(time, "tzset"):
            time.tzset()

    def steady_s(self) -> float:
        """Seconds of the clock that is never set."""
        return self._steady()

    def now_s(self) -> float:
        """Unix time now."""
        elapsed_s = self._steady() - self._read_at_s
        if not 0.0 <= elapsed_s < _EVERY_S:
            self._read()
            return self._wall_s
        return self._wall_s + elapsed_s

    def at(self, arrived_s: float | None) -> float:
        """Unix time of an arrival.

        Parameters
        ----------
        arrived_s : float or None
            In the seconds of ``time.perf_counter()``; None: now.
        """
        now_s = self.now_s()
        return now_s if arrived_s is None else now_s - (self._arrivals() - arrived_s)
