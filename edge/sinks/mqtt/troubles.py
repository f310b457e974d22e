"""What is said of a broker that goes away and comes back: each thing once."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import how_many, printable
from edge.sinks.mqtt.address import Address

__all__ = ["Troubles"]

#: A connection that holds for less was none.
_SHORT_S = 10.0
#: Short ones in a row until that is said.
_N_SHORT = 3
#: Different sentences that are said while the broker is away.
_N_SENTENCES = 8


class Troubles:
    """Says why there is no connection, once, and that there is one again.

    Parameters
    ----------
    address : Address
    warn : callable
        Takes what is wrong.
    say : callable
        Takes that it is so no longer.
    """

    def __init__(
        self, address: Address, warn: Callable[[str], None], say: Callable[[str], None]
    ) -> None:
        self._address, self._warn, self._say = address, warn, say
        self._connected_s: float | None = None
        self._said: set[str] = set()
        self._n_short = self._n_before = 0

    @property
    def any_said(self) -> bool:
        """Whether something is wrong, and was said."""
        return bool(self._said)

    def failed(self, words: str, n_dropped: int) -> None:
        """Say why an attempt failed.

        Parameters
        ----------
        words : str
            Of which the broker is the subject.
        n_dropped : int
            Records that were left out so far.
        """
        self._n_short = 0
        self._complain(
            f"the broker {self._address} {words}; it is tried again and again", n_dropped
        )

    def connected(self, at_s: float, n_dropped: int) -> None:
        """Say that the broker is reached, where it was said that it is not."""
        if self._said and not self._n_short:
            again = "" if self._connected_s is None else " again"
            n_lost = n_dropped - self._n_before
            left = f", {how_many(n_lost, 'record')} had to be left out" if n_lost else ""
            self._say(f"the broker {self._address} is reached{again}{left}")
            self._said.clear()
        self._connected_s = at_s

    def lost(self, at_s: float, n_dropped: int) -> None:
        """Say that the connection was lost; one that comes and goes, when that is sure."""
        if at_s - (self._connected_s or 0.0) >= _SHORT_S:
            self._n_short = 0
            self._said.clear()
            self._complain(
                f"the connection to the broker {self._address} was lost; it is tried again and "
                "again",
                n_dropped,
            )
            return
        self._n_short += 1
        if self._n_short == _N_SHORT:
            self._complain(
                f"the broker {self._address} ends the connection again and again: is there another "
                f"client of the name {printable(self._address.client_id)}? node=NAME behind ? "
                "gives this one another",
                n_dropped,
            )

    def _complain(self, sentence: str, n_dropped: int) -> None:
        if not self._said:
            self._n_before = n_dropped
        if sentence not in self._said and len(self._said) < _N_SENTENCES:
            self._said.add(sentence)
            self._warn(sentence)
