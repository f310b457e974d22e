"""Runs the checks, all of them within one time, and none of them able to end the others."""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Iterator, Sequence

from edge.doctor.finding import Finding, warning
from edge.doctor.look import Look
from edge.doctor.registry import CHECKS, Row

__all__ = ["examine"]

# A program that is killed at the end of the time is still read from.
_GRACE_S = 1.0


def examine(look: Look, rows: Sequence[Row] = CHECKS) -> Iterator[Finding]:
    """Give the findings in the order of the rows, as soon as they are there.

    Parameters
    ----------
    look : Look
    rows : sequence of Row

    Notes
    -----
    A check that is not done when the time is over is told as a warning, and left to itself: what
    hangs in a driver cannot be ended.
    """
    queues: list[queue.SimpleQueue[Finding | None]] = [queue.SimpleQueue() for _ in rows]
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.group, []).append(index)
    for name, indices in groups.items():
        mine = [(rows[index], queues[index]) for index in indices]
        # A daemon: the process ends without it.
        threading.Thread(target=_run_group, args=(look, mine), name=name, daemon=True).start()
    is_late: set[str] = set()
    for row, told in zip(rows, queues, strict=True):
        while True:
            try:
                wait_s = 0.0 if row.group in is_late else look.within_s(1e9) + _GRACE_S
                finding = told.get(timeout=wait_s)
            except queue.Empty:
                if row.group not in is_late:
                    yield _named(row, _overdue(row))
                is_late.add(row.group)
                break
            if finding is None:
                break
            yield _named(row, finding)


def _run_group(look: Look, rows: Sequence[tuple[Row, queue.SimpleQueue[Finding | None]]]) -> None:
    for row, told in rows:
        try:
            for finding in row.check(look):
                told.put(finding)
        except Exception as problem:
            reason = " ".join(str(problem).split())
            told.put(
                warning(
                    f"this check failed itself: {type(problem).__name__} {reason}".rstrip(),
                    "edge-ser doctor --bundle report.zip, and file an issue with it",
                )
            )
        finally:
            told.put(None)


def _overdue(row: Row) -> Finding:
    return warning(
        f"this check was not done in time, nor were those of {row.group} after it",
        "close other programs, then: edge-ser doctor",
    )


def _named(row: Row, finding: Finding) -> Finding:
    return dataclasses.replace(finding, check=row.name, group=row.group)
