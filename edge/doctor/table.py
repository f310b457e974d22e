"""Findings for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from edge.doctor.finding import Finding, count
from edge.doctor.registry import CHECKS
from edge.errors import how_many, printable

__all__ = ["Table", "totals"]

_NAME = max(len(row.name) for row in CHECKS)
_STATE = len("warning")
_INDENT = 2 + _STATE + 2 + _NAME + 2


class Table:
    """Lines of a table, group by group.

    Parameters
    ----------
    width : int or None
        Sentences are broken to fit; None: each is one line.  A mend is always one, to be pasted.
    """

    def __init__(self, width: int | None = None) -> None:
        self._width = None if width is None else max(width, _INDENT + 30)
        self._group: str | None = None

    def lines(self, finding: Finding) -> list[str]:
        """Give the lines of the next finding."""
        lines = []
        if finding.group != self._group:
            lines = [*([""] if self._group is not None else []), finding.group]
            self._group = finding.group
        head = f"  {finding.state:<{_STATE}}  {finding.check:<{_NAME}}  "
        sentence = printable(finding.sentence)
        if self._width is None:
            lines.append(head + sentence)
        else:
            lines += textwrap.wrap(
                sentence, self._width, initial_indent=head, subsequent_indent=" " * _INDENT
            )
        if finding.mend is not None:
            lines.append(f"{' ' * _INDENT}mend: {printable(finding.mend)}")
        return lines


def totals(findings: Iterable[Finding]) -> str:
    """Count the findings in one line."""
    n = count(findings)
    return (
        f"{how_many(n['n_error'], 'error')}, {how_many(n['n_warning'], 'warning')}, "
        f"{n['n_ok']} ok, {n['n_skipped']} skipped"
    )
