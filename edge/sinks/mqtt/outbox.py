"""Records on their way to a broker, counted."""

from __future__ import annotations

import collections
from collections.abc import Callable

__all__ = ["N_SENT", "N_WAITING", "Outbox"]

#: Records that wait for a broker, eight minutes of them, and that wait for its word.
N_WAITING, N_SENT = 1_024, 200


class Outbox:
    """A bounded queue of which the oldest is left out, and what was sent and has not arrived yet.

    Attributes
    ----------
    n_told, n_published, n_dropped : int
        Records that came, that the broker has, and that were left out: what is neither of the two
        is :attr:`n_left`.

    Notes
    -----
    Takes lines as a file does, for the sink that writes records.
    """

    def __init__(self) -> None:
        self.n_told = self.n_published = self.n_dropped = 0
        self._waiting: collections.deque[str] = collections.deque()
        self._sent: set[int] = set()

    @property
    def n_left(self) -> int:
        """How many wait, or are on their way."""
        return len(self._waiting) + len(self._sent)

    @property
    def is_half_full(self) -> bool:
        """Whether more come than go."""
        return len(self._waiting) > N_WAITING // 2

    def write(self, line: str) -> int:
        """Take a record."""
        self.n_told += 1
        if len(self._waiting) >= N_WAITING:
            self._waiting.popleft()
            self.n_dropped += 1
        self._waiting.append(line.rstrip("\n"))
        return len(line)

    def flush(self) -> None:
        """Do nothing: :meth:`send` does."""

    def send(self, publish: Callable[[str], int | None]) -> None:
        """Send what may be on its way at once.

        Parameters
        ----------
        publish : callable
            Gives the number of a message, or None where it was not taken.
        """
        while self._waiting and len(self._sent) < N_SENT:
            number = publish(self._waiting[0])
            if number is None:
                return
            self._waiting.popleft()
            self._sent.add(number)

    def delivered(self, number: int) -> None:
        """Count a message that has arrived, if it was a record."""
        if number in self._sent:
            self._sent.remove(number)
            self.n_published += 1

    def give_up(self) -> int:
        """Leave out what is left; gives how many."""
        n_left = self.n_left
        self.n_dropped += n_left
        self._waiting.clear()
        self._sent.clear()
        return n_left
