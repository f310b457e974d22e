"""Where decisions go."""

from __future__ import annotations

from edge.sinks.base import Sink
from edge.sinks.json_lines import JsonLinesSink
from edge.sinks.terminal import TerminalSink

__all__ = ["JsonLinesSink", "Sink", "TerminalSink"]
