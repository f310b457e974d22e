"""Where blocks come from."""

from __future__ import annotations

from edge.sources.sources import Block, FileSource, MicrophoneSource, Source, StdinSource

__all__ = ["Block", "FileSource", "MicrophoneSource", "Source", "StdinSource"]
