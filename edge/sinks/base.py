"""What every sink offers."""

from __future__ import annotations

from typing import Protocol

from edge.stream.decision import Decision

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes decisions as they are made."""

    def emit(self, decision: Decision) -> None:
        """Pass one decision on, at once.

        Raises
        ------
        OSError
            If it cannot be written; ``BrokenPipeError`` when nobody reads any more.
        """
        ...
