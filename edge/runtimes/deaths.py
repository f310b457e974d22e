"""What it means that a process which tried a runtime was ended by a signal; a leaf."""

from __future__ import annotations

import signal

__all__ = ["WALL_S", "how_it_died"]

#: Seconds on the clock that a trial takes at most: a runtime that waits for ever computes nothing.
WALL_S = 20.0

_DEATHS = {
    signal.SIGILL: "dies of an illegal instruction (SIGILL) on this processor",
    signal.SIGSEGV: "crashes on this device (SIGSEGV)",
    signal.SIGBUS: "crashes on this device (SIGBUS)",
    signal.SIGFPE: "crashes on this device (SIGFPE)",
    signal.SIGABRT: "aborts on this device (SIGABRT)",
    signal.SIGKILL: "is killed (SIGKILL), mostly for want of memory",
    signal.SIGPROF: "computes and computes without an end",
    signal.SIGALRM: f"does not answer within {WALL_S:g} s",
}


def how_it_died(number: int) -> str:
    """Give the end of a sentence that begins with the name of what was tried.

    Parameters
    ----------
    number : int
        The signal; one that this system does not know is told by its number.
    """
    try:
        number = signal.Signals(number)
    except ValueError:
        return f"is ended by signal {number}"
    return _DEATHS.get(number, f"is ended by {number.name}")
