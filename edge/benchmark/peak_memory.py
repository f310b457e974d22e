"""How much memory this process needs, and has needed at most."""

from __future__ import annotations

import sys

__all__ = ["peak_rss_mb", "rss_mb"]


def peak_rss_mb() -> float:
    """Peak resident memory of this process in MB (10^6 bytes).

    Notes
    -----
    From ``VmHWM`` where there is a ``/proc``.  ``getrusage`` is second choice: on
    Linux its figure survives an ``exec``, so a small program started by a large
    one would report the large one's peak.
    """
    peak_mb = _status_mb("VmHWM:")
    if peak_mb is not None:
        return peak_mb
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def rss_mb() -> float | None:
    """Resident memory of this process now, in MB (10^6 bytes); None where there is no ``/proc``."""
    return _status_mb("VmRSS:")


def _status_mb(key: str) -> float | None:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(key):
                    return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return None
