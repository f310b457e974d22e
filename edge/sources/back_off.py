"""When to try again what failed."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BackOff"]

_FIRST_S, _MOST_S = 0.5, 10.0
#: After something changed it is tried this often for so long: a server that starts has its
#: socket before its devices, a card that is plugged in its name before its rights.
_EAGER_S, _EAGER_FOR_S = 1.0, 15.0


class BackOff:
    """Tries that come less and less often, and at once when something changed.

    Parameters
    ----------
    now_s : float
        When it begins.
    look : callable
        Gives something that is another when it is worth a try.
    first_s : float
        Seconds from then to the first try.
    """

    def __init__(self, now_s: float, look: Callable[[], object], first_s: float = 0.0) -> None:
        self._look = look
        self._seen = look()
        self._wait_s = _FIRST_S
        self._next_s = now_s + first_s
        self._eager_until_s = now_s

    def is_due(self, now_s: float) -> bool:
        """Whether to try now; it counts as tried then."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            self._wait_s, self._eager_until_s = _FIRST_S, now_s + _EAGER_FOR_S
        elif now_s < self._next_s:
            return False
        return True

    def failed(self, now_s: float) -> None:
        """Take in that the try failed."""
        wait_s = min(self._wait_s, _EAGER_S) if now_s < self._eager_until_s else self._wait_s
        self._next_s = now_s + wait_s
        self._wait_s = min(2 * self._wait_s, _MOST_S)
