"""Runs the checks, all of them within one time, and none of them able to end the others."""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from edge.doctor.finding import Finding, skipped, warning
from edge.doctor.look import Look
from edge.doctor.registry import CHECKS, Row

__all__ = ["examine"]

# A program that is killed at the end of the time is still read from.
_GRACE_S = 1.0


def examine(
    look: Look,
    rows: Sequence[Row] = CHECKS,
    waits: Callable[[Row], None] = lambda row: None,
) -> Iterator[Finding]:
    """Give the findings in the order of the rows, as soon as they are there.

    Parameters
    ----------
    look : Look
    rows : sequence of Row
    waits : callable
        Told of each check before its findings are waited for.

    Notes
    -----
    A check that is not done when the time is over is told as a warning, and left to itself: what
    hangs in a driver cannot be ended.
    """
    queues: list[queue.SimpleQueue[Finding | None]] = [queue.SimpleQueue() for _ in rows]
    lanes: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        lanes.setdefault(row.lane, []).append(index)
    for name, indices in lanes.items():
        mine = [(rows[index], queues[index]) for index in indices]
        # A daemon: the process ends without it.
        threading.Thread(target=_run_lane, args=(look, mine), name=name, daemon=True).start()
    late: set[str] = set()
    for row, told in zip(rows, queues, strict=True):
        waits(row)
        try:
            while (finding := _next(told, look, row.lane in late)) is not None:
                yield _named(row, finding)
        except queue.Empty:
            yield _named(row, _left_out() if row.lane in late else _overdue())
            late.add(row.lane)


def _next(told: queue.SimpleQueue[Finding | None], look: Look, is_late: bool) -> Finding | None:
    """Take the next finding of a check; None after its last."""
    if is_late:
        return told.get_nowait()
    return told.get(timeout=max(0.0, look.left_s() + _GRACE_S))


def _run_lane(look: Look, rows: Sequence[tuple[Row, queue.SimpleQueue[Finding | None]]]) -> None:
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


def _overdue() -> Finding:
    return warning(
        "this check was not done in time: something hangs, or other programs want the processor",
        "close other programs, then: edge-ser doctor",
    )


def _left_out() -> Finding:
    return skipped("there was no time for it, see above")


def _named(row: Row, finding: Finding) -> Finding:
    return dataclasses.replace(finding, check=row.name, group=row.group)
