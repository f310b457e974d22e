"""Where blocks come from: one module a source, named in :mod:`edge.sources.registry`."""

from __future__ import annotations

from edge.sources.base import Block, Gap, Source, SourceSettings, Status, Stop

__all__ = ["Block", "Gap", "Source", "SourceSettings", "Status", "Stop"]
