"""Where decisions go: one module a sink, named in :mod:`edge.sinks.kinds`.

What is named here is imported when it is first used: a help text reads the table and needs no
NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.sinks.base import Sink as Sink
    from edge.sinks.base import SinkBase as SinkBase
    from edge.sinks.json_lines import JsonLinesSink as JsonLinesSink
    from edge.sinks.terminal import TerminalSink as TerminalSink

_HOME = {
    "JsonLinesSink": "edge.sinks.json_lines",
    "Sink": "edge.sinks.base",
    "SinkBase": "edge.sinks.base",
    "TerminalSink": "edge.sinks.terminal",
}

__all__ = ["JsonLinesSink", "Sink", "SinkBase", "TerminalSink"]


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any misspelt name for one that it gives.

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
