"""Reading a history, also while ``listen`` writes it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edge.errors import HistoryError, ParameterError, printable, shown
from edge.files import as_path, not_a_file
from edge.history.database import check, connect, explained, is_empty
from edge.history.periods import end_of, start_of
from edge.history.records import By, HistoryEvent, HistoryRun, Period
from edge.history.tally import COLUMNS, Tally

if TYPE_CHECKING:
    import sqlite3

__all__ = ["History", "open_history"]

_BY = ("minute", "hour", "day", "week")
#: To the end of the year 9998: every calendar and every local time has it.
_LAST_S = 253_370_764_800.0


def open_history(path: str | os.PathLike[str]) -> History:
    """Give a history to read.

    Parameters
    ----------
    path : str or os.PathLike
        What ``listen --to sqlite:FILE`` writes, or wrote.

    Raises
    ------
    HistoryError
        If there is no such file, or it is no history.
    MissingDependencyError
        If this Python came without ``sqlite3``.
    """
    history = History(as_path(path, "the file of a history"))
    history.runs(_LAST_S)
    return history


class History:
    """A history; any thread may ask it, and each question sees what was written by then.

    Parameters
    ----------
    path : str

    Notes
    -----
    Nothing is held open between two questions: the file may be replaced, and whoever writes it
    waits for nobody.  Every method raises ``HistoryError`` for a file that went, is damaged or is
    no history, and ``ParameterError`` for a time that is none.
    """

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def minutes(self, since_s: float, until_s: float | None = None) -> list[Period]:
        """Give the minutes in which something was heard or lost, in order.

        Parameters
        ----------
        since_s : float
            Unix time.
        until_s : float, optional
            Unix time that is no more in it; None: now.
        """
        return self.summary(since_s, until_s, by="minute")

    def summary(
        self, since_s: float, until_s: float | None = None, *, by: By = "hour"
    ) -> list[Period]:
        """Give the periods in which something was heard or lost, in order.

        Parameters
        ----------
        since_s : float
            Unix time.
        until_s : float, optional
            Unix time that is no more in it; None: now.
        by : {"minute", "hour", "day", "week"}
            Those of the local clock: a day may have 23 or 25 hours, and a week begins on Monday.
            The first and the last hold what lies between the two times alone.
        """
        if by not in _BY:
            raise ParameterError(f"by is {shown(by)}, one of {', '.join(_BY)} is wanted")
        first, last = _minutes(since_s, until_s)
        periods: list[Period] = []
        start_s, end_s, tally = 0.0, -math.inf, Tally()
        with self._reading() as connection:
            found = connection.execute(
                f"SELECT minute, {', '.join(COLUMNS)} FROM minutes "
                "WHERE minute >= ? AND minute < ? ORDER BY minute",
                (first, last),
            )
            for minute, *values in found:
                time_s = 60.0 * minute
                if time_s >= end_s:
                    if end_s > start_s:
                        periods.append(tally.period(start_s, end_s))
                    start_s = start_of(time_s, by)
                    end_s, tally = end_of(start_s, by), Tally()
                tally.add(Tally.of(values))
        if end_s > start_s:
            periods.append(tally.period(start_s, end_s))
        return periods

    def events(self, since_s: float, until_s: float | None = None) -> list[HistoryEvent]:
        """Give the events that began then, in order."""
        between = _between(since_s, until_s)
        with self._reading() as connection:
            found = connection.execute(
                "SELECT label, start_s, end_s, duration_s, peak, mean_probability, run FROM events "
                "WHERE start_s >= ? AND start_s < ? ORDER BY start_s, event",
                between,
            )
            return [
                HistoryEvent(
                    _text(label),
                    _number(start_s),
                    _number_or_none(end_s),
                    _number_or_none(duration_s),
                    _number(peak),
                    _number(mean),
                    _whole(run),
                )
                for label, start_s, end_s, duration_s, peak, mean, run in found
            ]

    def runs(self, since_s: float = 0.0, until_s: float | None = None) -> list[HistoryRun]:
        """Give the runs that began then, in order."""
        between = _between(since_s, until_s)
        with self._reading() as connection:
            found = connection.execute(
                "SELECT run, version, model, model_sha256, source, start_s, end_s, summary "
                "FROM runs WHERE start_s >= ? AND start_s < ? ORDER BY start_s, run",
                between,
            )
            return [
                HistoryRun(
                    _whole(run),
                    _text(version),
                    _text(model),
                    _text(digest),
                    _text(source),
                    _number(start_s),
                    _number_or_none(end_s),
                    _object_or_none(summary),
                )
                for run, version, model, digest, source, start_s, end_s, summary in found
            ]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            mode = os.stat(self.path).st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise HistoryError(
                f"there is no history {printable(self.path)}: "
                "`edge-ser listen --to sqlite:FILE` writes one"
            ) from error
        except OSError as error:
            raise HistoryError(
                f"the history {printable(self.path)} cannot be read: {error.strerror}"
            ) from error
        if not stat.S_ISREG(mode):
            raise HistoryError(f"{printable(self.path)} is no history: {not_a_file(mode)}")
        with explained(self.path), contextlib.closing(connect(self.path, mode="ro")) as connection:
            connection.execute("PRAGMA query_only=ON")
            # One view of it for all that is asked.
            connection.execute("BEGIN")
            if is_empty(connection):
                raise HistoryError(
                    f"{printable(self.path)} is empty, nothing was written to it yet: "
                    "`edge-ser listen --to sqlite:FILE` writes a history"
                )
            check(connection, self.path)
            yield connection


def _between(since_s: float, until_s: float | None) -> tuple[float, float]:
    until_s = time.time() if until_s is None else until_s
    for name, value in (("since_s", since_s), ("until_s", until_s)):
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise ParameterError(f"{name} is {shown(value)}, a Unix time is wanted")
    return max(0.0, float(since_s)), min(_LAST_S, float(until_s))


def _minutes(since_s: float, until_s: float | None) -> tuple[int, int]:
    """The first minute that begins then, and the first that is too late."""
    since_s, until_s = _between(since_s, until_s)
    return math.ceil(min(since_s, _LAST_S) / 60), math.ceil(max(until_s, 0.0) / 60)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not -_LAST_S <= value <= _LAST_S:
        raise ValueError("a number is wanted")
    return float(value)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("a whole number is wanted")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text is wanted")
    return value


def _object_or_none(text: Any) -> dict[str, Any] | None:
    if text is None:
        return None
    found = json.loads(_text(text))
    if not isinstance(found, dict):
        raise ValueError("an object is wanted")
    return found
