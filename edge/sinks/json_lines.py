"""JSON Lines: one object a line, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from edge.sinks.base import SinkBase
from edge.sinks.registry import SinkSettings
from edge.stream.decision import Decision

__all__ = ["JsonLinesSink", "make"]


class JsonLinesSink(SinkBase):
    """Write every decision, warning and summary as one line of JSON.

    Parameters
    ----------
    stream : text file
        Flushed after each line, so that a reader down a pipe is never late.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, decision: Decision) -> None:
        """Write a decision."""
        self.write(decision.to_dict())

    def warn(self, sentence: str) -> None:
        """Write ``{"type": "warning", "warning": sentence}``."""
        self.write({"type": "warning", "warning": sentence})

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary's record."""
        self.write(summary)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write any other object of plain JSON types.

        Raises
        ------
        ValueError
            If it holds NaN or infinity, which JSON has no words for.
        """
        self._stream.write(json.dumps(record, allow_nan=False) + "\n")
        self._stream.flush()


def make(settings: SinkSettings) -> JsonLinesSink:
    """Make one for the registry."""
    return JsonLinesSink(settings.stream)
