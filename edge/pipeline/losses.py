"""What was not decided on or never arrived, counted, and said once a minute."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import how_many

__all__ = ["Losses"]

#: A line a minute is enough to act on, and a month of them fills no disk.
_EVERY_S = 60.0


class Losses:
    """Counts skipped hops and dropped samples.

    Parameters
    ----------
    say : callable
        Takes a sentence for a person, at most once a minute.
    steady : callable
        Seconds of a clock that is never set.
    """

    def __init__(self, say: Callable[[str], None], steady: Callable[[], float]) -> None:
        self._say, self._steady = say, steady
        self.skipped_hops = 0
        self.dropped_samples = 0
        self._said_at_s = steady()
        self._said = (0, 0)

    def look(self) -> None:
        """Say what was lost in the last minute, if it is over and anything was."""
        now_s = self._steady()
        elapsed_s = now_s - self._said_at_s
        if 0.0 <= elapsed_s < _EVERY_S:
            return
        n_hops, n_samples = (
            self.skipped_hops - self._said[0],
            self.dropped_samples - self._said[1],
        )
        if n_hops or n_samples:
            self._say(
                f"{how_many(n_hops, 'hop')} skipped and {how_many(n_samples, 'sample')} dropped "
                f"in the last {elapsed_s:.0f} s, {self.skipped_hops} and {self.dropped_samples} "
                "in all"
            )
        # Behind the sentence: whoever counts its repetitions looks at a clock while it is said.
        self._said_at_s = self._steady()
        self._said = self.skipped_hops, self.dropped_samples
