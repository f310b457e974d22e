"""One line that tells what is waited for, and is gone when that is over."""

from __future__ import annotations

import contextlib
import sys

from edge.errors import printable

__all__ = ["ProgressLine"]

_WIDTH = 78


class ProgressLine:
    """A line on standard error, where somebody watches.

    Parameters
    ----------
    is_free : bool
        False: no line is written, as results would stand in it.
    """

    def __init__(self, is_free: bool = True) -> None:
        self._is_on = is_free and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write it over the line before."""
        self._write(printable(text)[:_WIDTH])

    def clear(self) -> None:
        """Leave an empty line."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._is_on:
            # Nobody may be left to watch.
            with contextlib.suppress(OSError, ValueError):
                print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
