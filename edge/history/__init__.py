"""What was heard over days, in one SQLite file: its tables, and reading them."""

from __future__ import annotations

from edge.history.reader import History, open_history
from edge.history.records import HistoryEvent, HistoryRun, Period

__all__ = ["History", "HistoryEvent", "HistoryRun", "Period", "open_history"]
