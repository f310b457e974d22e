"""Where decisions go: one module a sink, named in :mod:`edge.sinks.kinds`."""

from __future__ import annotations

from edge.sinks.base import Sink, SinkBase
from edge.sinks.json_lines import JsonLinesSink
from edge.sinks.terminal import TerminalSink

__all__ = ["JsonLinesSink", "Sink", "SinkBase", "TerminalSink"]
