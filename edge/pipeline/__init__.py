"""Wiring: a source into a stream into sinks."""

from __future__ import annotations

from edge.pipeline.listening import listen
from edge.pipeline.run import Tap, run_pipeline
from edge.pipeline.summary import Summary

__all__ = ["Summary", "Tap", "listen", "run_pipeline"]
