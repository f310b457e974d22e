"""Tables as aligned text."""

from __future__ import annotations

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
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i < n_left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
