"""Wiring: a source into a stream into sinks."""

from __future__ import annotations

from edge.pipeline.listening import listen
from edge.pipeline.run import run_pipeline
from edge.pipeline.summary import Summary
from edge.pipeline.taps import Tap
from edge.pipeline.wall_clock import WallClock

__all__ = ["Summary", "Tap", "WallClock", "listen", "run_pipeline"]
