"""Work buffers that any number of users share: lent for the length of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Scratch"]

T = TypeVar("T")


class Scratch(Generic[T]):
    """Buffers of one kind, of which there are as many as are used at the same moment.

    A stream computes for a thousandth of the time that it listens, so that hundreds of them need
    one set of buffers, which then lies in the cache: what a stream owns is its state alone.

    Parameters
    ----------
    make : callable
        Makes another one, where all are lent.

    Notes
    -----
    For any thread: taking and giving back are one call of a list each, which no other thread
    comes between.  There is no lock, so that a process that was forked in between needs no mend.
    What was lent and not given back, as its user failed, is made anew.
    """

    __slots__ = ("__weakref__", "_idle", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: list[T] = []

    def take(self) -> T:
        """Borrow one; it holds what its last user left there, or what it was made with."""
        try:
            # The one given back last: the caches know it best.
            return self._idle.pop()
        except IndexError:
            return self._make()

    def give(self, scratch: T) -> None:
        """Give back what was taken; it is not to be looked at any more."""
        self._idle.append(scratch)

    def prepare(self) -> None:
        """Make the first one now, where there is none: whoever takes it will not wait."""
        self.give(self.take())
