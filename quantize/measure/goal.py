"""What is asked of the answers that a device gives."""

from __future__ import annotations

__all__ = ["GOAL", "MARGIN"]

#: Share of the answers that must be right, and what is asked for beyond it where the bar is
#: chosen: the smallest that does there is worth a little less on other speakers.
GOAL, MARGIN = 0.75, 0.02
