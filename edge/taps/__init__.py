"""Taps that come with the package: they hear what goes into a stream, and decide nothing."""

from __future__ import annotations

from edge.taps.save_audio import SaveAudio

__all__ = ["SaveAudio"]
