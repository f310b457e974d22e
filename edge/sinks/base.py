"""What every sink offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status

__all__ = ["Sink", "SinkBase"]


class Sink(Protocol):
    """Is told every decision and warning; has a beginning and an end.

    Any of these may raise: the sink is then closed and named once, and the others go on.
    """

    def open(self) -> None:
        """Get ready; called once, before anything else."""
        ...

    def emit(self, decision: Decision) -> None:
        """Pass one decision on, at once."""
        ...

    def event(self, event: Event) -> None:
        """Pass on that a label began to hold or ended; called where events were asked for."""
        ...

    def status(self, status: Status) -> None:
        """Pass on what the source has to say of itself, such as that it went away."""
        ...

    def warn(self, sentence: str) -> None:
        """Pass on what was odd but not fatal; not what a decision says of itself."""
        ...

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Pass on what the run came to, as plain JSON types; called once, in a good end."""
        ...

    def close(self) -> None:
        """Let go of everything; called once, last, whatever happened after ``open``."""
        ...


class SinkBase:
    """A life in which nothing happens: a sink overrides what concerns it."""

    def open(self) -> None:
        """Do nothing."""

    def emit(self, decision: Decision) -> None:
        """Do nothing."""

    def event(self, event: Event) -> None:
        """Do nothing."""

    def status(self, status: Status) -> None:
        """Do nothing."""

    def warn(self, sentence: str) -> None:
        """Do nothing."""

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
