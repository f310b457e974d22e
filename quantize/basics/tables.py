"""Tables as aligned text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]], n_left: int = 1) -> list[str]:
    """Pad cells to the widths of their columns: one line a row, two spaces between columns.

    Parameters
    ----------
    rows : sequence of sequence of str
        All equally long; the header is the first of them.
    n_left : int
        So many columns begin flush left, the others end flush right.
    """
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell + " " * (width - _width(cell)) if i < n_left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: two for a Chinese character, none for an accent."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
