"""Which sinks there are, and how each is made."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Callable
from typing import TextIO

from edge.errors import ParameterError
from edge.sinks.base import Sink

__all__ = ["SINKS", "SinkSettings", "make_sink"]


@dataclasses.dataclass(frozen=True, slots=True)
class SinkSettings:
    """What a sink is made with; each takes what concerns it.

    Parameters
    ----------
    stream : text file
        Where a sink that writes text writes it.
    shows_warnings : bool
        Whether warnings belong among the decisions that a person reads; not where
        something else shows them to the same person.
    events : bool
        Whether to write events in place of decisions.
    time_of_day : bool
        Whether a person is told the time of day, as of what is heard now, or the seconds
        from the start, as of a file.
    now : callable
        Unix time, for what comes without one.
    labels : tuple of str
        Those of the model, where they are known beforehand: what a column must hold.
    """

    stream: TextIO
    shows_warnings: bool = True
    events: bool = False
    time_of_day: bool = False
    now: Callable[[], float] = time.time
    labels: tuple[str, ...] = ()


#: Name to ``module:factory``, imported when it is asked for.  A factory takes
#: :class:`SinkSettings` and gives a :class:`Sink`; a new sink is a module and a row here.
SINKS = {
    "terminal": "edge.sinks.terminal:make",
    "json_lines": "edge.sinks.json_lines:make",
}


def make_sink(name: str, settings: SinkSettings) -> Sink:
    """Make a sink by its name.

    Raises
    ------
    ParameterError
        If there is no sink of that name.
    """
    try:
        module, _, factory = SINKS[name].partition(":")
    except KeyError:
        raise ParameterError(f"sink is {name!r:.40}, one of {', '.join(SINKS)} is wanted") from None
    make: Callable[[SinkSettings], Sink] = getattr(importlib.import_module(module), factory)
    return make(settings)
