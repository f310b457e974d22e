"""How many threads a runtime may use: one, unless a measurement asks for more; a leaf."""

from __future__ import annotations

__all__ = ["allow_threads", "n_threads"]

_allowed = {"threads": 1}


def allow_threads(n: int) -> None:
    """Let the models that are opened from now on in this process use ``n`` threads.

    A decision takes a few milliseconds of work, and threads that wait for each other would make
    that slower on most boards: ``edge-ser benchmark --threads`` is there to see whether.
    """
    _allowed["threads"] = n


def n_threads() -> int:
    """Threads that a model may use."""
    return _allowed["threads"]
