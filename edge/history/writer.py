"""Writing a history: small transactions, minutes that add up, and never more than was asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edge.errors import HistoryError, printable
from edge.history.database import check, connect, create, explained, is_empty, sentence, sqlite
from edge.history.tally import COLUMNS, Tally
from edge.history.tidying import MOST_WAL_PAGES, Tidier

if TYPE_CHECKING:
    import sqlite3

__all__ = ["EventEntry", "HistoryWriter", "RunEntry", "refuse_others"]


@dataclasses.dataclass(slots=True)
class RunEntry:
    """A run, as it is written: its beginning, and then its end.

    Parameters
    ----------
    version, model, model_sha256, source : str
    start_s : float
        Unix time.
    end_s : float or None
    summary : mapping or None
    key : tuple of int or None
        Where it is written; filled in by the writer.
    """

    version: str
    model: str
    model_sha256: str
    source: str
    start_s: float
    end_s: float | None = None
    summary: Mapping[str, Any] | None = None
    key: tuple[int, int] | None = None


@dataclasses.dataclass(slots=True)
class EventEntry:
    """An event, as it is written: its beginning, and then its end; see ``HistoryEvent``."""

    label: str
    start_s: float
    peak: float
    mean_probability: float
    end_s: float | None = None
    duration_s: float | None = None
    key: tuple[int, int] | None = None


class HistoryWriter:
    """The file that a run writes to; others may write to it at the same time.

    Parameters
    ----------
    path : str
    keep_s : float
        Older minutes, events and runs are deleted, in small steps.
    max_bytes : int
        What the file and what SQLite keeps beside it may take; the oldest goes.
    run : RunEntry
    now, steady : callable
        Unix time, and seconds that no correction of the clock moves.

    Notes
    -----
    It belongs to one thread.  Every method may raise ``HistoryError``; nothing of what it was to
    write is written then, and the next call opens the file anew.  One that was moved away is begun
    anew as well.
    """

    def __init__(
        self,
        path: str,
        keep_s: float,
        max_bytes: int,
        run: RunEntry,
        *,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._run = run
        self._tidier = Tidier(keep_s, max_bytes, now, steady)
        self._connection: sqlite3.Connection | None = None
        # Counts the files that were opened: a key is of one of them.
        self._n_opened = 0
        self._identity: tuple[int, int] | None = None

    def write(self, minutes: Mapping[int, Tally], events: Iterable[EventEntry]) -> None:
        """Add minutes to those that are there, and write events; all of it or nothing.

        Parameters
        ----------
        minutes : mapping of int to Tally
            By minutes since 1970.
        events : iterable of EventEntry
            Begun or ended since they were written last.
        """
        events = list(events)
        keys: list[tuple[int, int]] = []
        with self._transaction() as connection:
            for minute, tally in minutes.items():
                _add(connection, minute, tally)
            keys.extend(self._put(connection, event) for event in events)
        for event, key in zip(events, keys, strict=True):
            event.key = key

    def tidy(self) -> None:
        """Delete some of what is too old or too much; what was written stays written."""
        with self._guarded() as connection:
            self._tidier.tidy(connection, self._run.key)

    def end(self, end_s: float, summary: Mapping[str, Any] | None) -> None:
        """Write that the run is over."""
        self._run.end_s, self._run.summary = end_s, summary
        with self._transaction() as connection:
            assert self._run.key is not None
            connection.execute(
                "UPDATE runs SET end_s = ?, summary = ? WHERE run = ?",
                (end_s, _summary(summary), self._run.key[1]),
            )

    def close(self) -> None:
        """Let go of the file; what SQLite keeps beside it is merged into it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite().Error):
                connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all of it or nothing."""
        with self._guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        """Give the connection; after an error it is another one."""
        try:
            with explained(self.path):
                yield self._opened()
        except HistoryError:
            self.close()
            raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and _identity(self.path) != self._identity:
            # What lies beside it under the old name belongs into it, and not into the next one.
            with contextlib.suppress(sqlite().Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.close()
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        _make_file(self.path)
        identity = _identity(self.path)
        connection = connect(self.path, mode="rw")
        try:
            self._prepare(connection)
            self._tidier.begin(connection)
            if identity != self._identity:
                self._identity = identity
                self._n_opened += 1
            if self._run.key is None or self._run.key[0] != self._n_opened:
                self._run.key = (self._n_opened, self._begin(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if is_empty(connection):
            # Before there is anything in it, so that it can be made shorter one day.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        else:
            check(connection, self.path)
        connection.execute("PRAGMA journal_mode=WAL")
        # NORMAL would leave it to the system when what was committed reaches the disk, mostly
        # half a minute later: a power cut would take more than the last minute.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={MOST_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={MOST_WAL_PAGES * 4_096}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if is_empty(connection):
                create(connection)
            else:
                check(connection, self.path)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _begin(self, connection: sqlite3.Connection) -> int:
        run = self._run
        texts = (run.version, run.model, run.model_sha256, run.source)
        cursor = connection.execute(
            "INSERT INTO runs (version, model, model_sha256, source, start_s, end_s, summary) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*map(_storable, texts), run.start_s, run.end_s, _summary(run.summary)),
        )
        return int(cursor.lastrowid or 0)

    def _put(self, connection: sqlite3.Connection, event: EventEntry) -> tuple[int, int]:
        ended = (event.end_s, event.duration_s, event.peak, event.mean_probability)
        if event.key is not None and event.key[0] == self._n_opened:
            connection.execute(
                "UPDATE events SET end_s = ?, duration_s = ?, peak = ?, mean_probability = ? "
                "WHERE event = ?",
                (*ended, event.key[1]),
            )
            return event.key
        assert self._run.key is not None
        cursor = connection.execute(
            "INSERT INTO events (run, label, start_s, end_s, duration_s, peak, mean_probability) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._run.key[1], _storable(event.label), event.start_s, *ended),
        )
        return self._n_opened, int(cursor.lastrowid or 0)


def _add(connection: sqlite3.Connection, minute: int, tally: Tally) -> None:
    names = ", ".join(COLUMNS)
    there = connection.execute(
        f"SELECT {names} FROM minutes WHERE minute = ?", (minute,)
    ).fetchone()
    total = Tally()
    if there is not None:
        total.add(Tally.of(there))
    total.add(tally)
    places = ", ".join("?" * (1 + len(COLUMNS)))
    connection.execute(
        f"INSERT OR REPLACE INTO minutes (minute, {names}) VALUES ({places})",
        (minute, *total.values()),
    )


def _make_file(path: str) -> None:
    """Make the file where there is none: its owner alone may read it, it tells how people felt."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
    try:
        # Closed before SQLite opens it: closing any later takes its locks away.
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise HistoryError(
            f"the history {printable(path)} cannot be written: {error.strerror}"
        ) from error


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _summary(summary: Mapping[str, Any] | None) -> str | None:
    return None if summary is None else json.dumps(summary, allow_nan=False)


def _storable(text: str) -> str:
    """Half of a character, which JSON may hold and no database does."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def refuse_others(path: str) -> None:
    """Refuse a file that holds something else already; one that is not there is fine.

    Raises
    ------
    HistoryError
        If it is no history, damaged, or of a newer version.
    MissingDependencyError
        If this Python came without ``sqlite3``.
    """
    module = sqlite()
    try:
        if not os.stat(path).st_size:
            return
    except OSError:
        return
    try:
        with contextlib.closing(connect(path, mode="ro")) as connection:
            if not is_empty(connection):
                check(connection, path)
    except module.OperationalError:
        # It is held by somebody, or the disk is full: that may pass.
        return
    except (module.Error, ValueError) as error:
        raise HistoryError(sentence(path, error)) from error
