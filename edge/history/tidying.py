"""What is too old, or too much, goes: a little at a time, so that nobody waits for long."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

__all__ = ["LEAST_BYTES", "MOST_WAL_PAGES", "Tidier"]

_PAGE_BYTES = 4_096
#: What is written beside the file before it is merged into it: a megabyte, about an hour.
MOST_WAL_PAGES = 256
#: That, twice over, and room for the tables.
LEAST_BYTES = 4_000_000
#: Pages that one transaction may take beyond the limit.
_SLACK_PAGES = 64

#: How many entries of a table go at once, and how often in a row.
_N_STEP, _N_STEPS = 500, 8
_TIDY_S = 3_600.0
#: A clock that is this far ahead of what was written last is believed an hour later.
_LEAP_S, _BELIEVED_S = 7 * 86_400.0, 3_600.0


class Tidier:
    """Deletes the oldest.

    Parameters
    ----------
    keep_s : float
    max_bytes : int
    now, steady : callable
        Unix time, and seconds that no correction of the clock moves.

    Notes
    -----
    A board without a battery may wake up in another year.  So nothing goes for its age while the
    clock is a week or more ahead of what was written last, until it has been so for an hour.
    """

    def __init__(
        self, keep_s: float, max_bytes: int, now: Callable[[], float], steady: Callable[[], float]
    ) -> None:
        self._keep_s, self._now, self._steady = keep_s, now, steady
        self._max_pages = (max_bytes - 2 * MOST_WAL_PAGES * _PAGE_BYTES) // _PAGE_BYTES
        # When it was looked last, by both clocks; and since when the one on the wall is odd.
        self._looked: tuple[float, float] | None = None
        self._odd_since_s = -math.inf
        self._next_s = -math.inf

    def begin(self, connection: sqlite3.Connection) -> None:
        """Set the bounds of a file that was just opened, before anything is written to it."""
        connection.execute(f"PRAGMA max_page_count={self._max_pages + _SLACK_PAGES}")
        if self._looked is None:
            newest = connection.execute("SELECT max(minute) FROM minutes").fetchone()[0]
            self._look(None if newest is None else 60.0 * newest)

    def tidy(self, connection: sqlite3.Connection, own: tuple[int, int] | None) -> None:
        """Delete some of what is to go.

        Parameters
        ----------
        connection : sqlite3.Connection
        own : tuple of int or None
            Key of the run that goes on, which stays.
        """
        self._look(None)
        run = own[1] if own is not None else -1
        if self._steady() >= self._next_s:
            self._next_s = self._steady() + _TIDY_S
            if self._steady() - self._odd_since_s >= _BELIEVED_S:
                self._delete_old(connection, run)
        self._delete_too_much(connection, run)
        self._shorten(connection)

    def _look(self, newest_s: float | None) -> None:
        now_s, steady_s = self._now(), self._steady()
        if newest_s is None and self._looked is not None:
            newest_s = self._looked[0] + steady_s - self._looked[1]
        if newest_s is not None and now_s - newest_s > _LEAP_S:
            self._odd_since_s = steady_s
        self._looked = now_s, steady_s

    def _delete_old(self, connection: sqlite3.Connection, run: int) -> None:
        before_s = self._now() - self._keep_s
        for _ in range(_N_STEPS):
            if not _delete(connection, before_s, run):
                return
        # There is more: at the next occasion, not in an hour.
        self._next_s = -math.inf

    def _delete_too_much(self, connection: sqlite3.Connection, run: int) -> None:
        for _ in range(_N_STEPS):
            if _used_pages(connection) <= self._max_pages:
                return
            found = connection.execute(
                "SELECT minute FROM minutes ORDER BY minute LIMIT 1 OFFSET ?", (_N_STEP // 2,)
            ).fetchone()
            before_s = math.inf if found is None else 60.0 * found[0]
            _delete(connection, before_s, run)

    def _shorten(self, connection: sqlite3.Connection) -> None:
        """Give pages back that nothing is in; a few are left for what comes next."""
        n_pages, n_free = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
        if n_free > max(4 * _SLACK_PAGES, n_pages // 4) or (n_free and n_pages > self._max_pages):
            # `execute` of Python would stop at the first page.
            connection.executescript(f"PRAGMA incremental_vacuum({2 * _SLACK_PAGES})")


def _delete(connection: sqlite3.Connection, before_s: float, run: int) -> bool:
    """Delete one step of what began before; whether there was as much as a step takes."""
    minute = math.ceil(before_s / 60) if math.isfinite(before_s) else 1 << 62
    n_most = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, key, column, bound in (
            ("minutes", "minute", "minute", minute),
            ("events", "event", "start_s", before_s),
            ("runs", "run", "start_s", before_s),
        ):
            n = connection.execute(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} "
                f"WHERE {column} < ? AND ({key} <> ? OR ?) ORDER BY {column} LIMIT ?)",
                (bound, run, table != "runs", _N_STEP),
            ).rowcount
            n_most = max(n_most, n)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return n_most >= _N_STEP


def _used_pages(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "page_count") - _pragma(connection, "freelist_count")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
