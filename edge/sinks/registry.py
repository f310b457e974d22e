"""How a sink is made, and with what."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TextIO

from edge.sinks.base import Sink
from edge.sinks.kinds import SINKS
from edge.sinks.target import Target, target_from_text

__all__ = ["About", "SinkSettings", "make_sink"]


# Named tuples: a dataclass takes Python ten times as long to make, at every start of `listen`.
class About(NamedTuple):
    """What decides, for whoever shows it beside the decisions.

    Parameters
    ----------
    version : str
        Of edge-ser.
    model, model_sha256 : str
        Name of the artifact, and the digest of its weights.
    source : str
        What is listened to, as it was asked for.
    hop_s : float
        Seconds from one decision to the next.
    accuracy : sequence of mapping
        What the manifest says was measured, and on whom.
    """

    version: str = ""
    model: str = ""
    model_sha256: str = ""
    source: str = ""
    hop_s: float = 0.5
    accuracy: tuple[Mapping[str, Any], ...] = ()


def _to_nobody(_sentence: str) -> None:
    pass


class SinkSettings(NamedTuple):
    """What a sink is made with; each takes what concerns it.

    Parameters
    ----------
    stream : text file
        Where a sink that writes text to no file of its own writes it.
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
    warn : callable
        Takes what a sink has to say of itself, in any thread; must not raise.
    say : callable
        The same for what is no warning, such as where a page is to be seen.
    about : About
    history : str
        The file in which another sink of the run keeps what was heard; empty: none does.
    """

    stream: TextIO
    shows_warnings: bool = True
    events: bool = False
    time_of_day: bool = False
    now: Callable[[], float] = time.time
    labels: tuple[str, ...] = ()
    warn: Callable[[str], None] = _to_nobody
    say: Callable[[str], None] = _to_nobody
    about: About = About()
    history: str = ""


def make_sink(target: Target | str, settings: SinkSettings) -> Sink:
    """Make a sink.

    Raises
    ------
    ParameterError
        If there is none of that name, or as its module says.
    """
    if isinstance(target, str):
        target = target_from_text(target)
    module, _, factory = SINKS[target.kind].factory.partition(":")
    make: Callable[[Target, SinkSettings], Sink] = getattr(importlib.import_module(module), factory)
    return make(target, settings)
