"""The file: its tables, and what is said when it is not one of ours."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from edge.errors import HistoryError, MissingDependencyError, printable

if TYPE_CHECKING:
    import sqlite3

__all__ = [
    "SCHEMA_VERSION",
    "check",
    "connect",
    "create",
    "explained",
    "is_empty",
    "sentence",
    "sqlite",
]

#: "eser", so that no other program's file is written to.
APPLICATION_ID = 0x65736572
#: Of the tables; another one is another ``user_version``.
SCHEMA_VERSION = 1

_TABLES = {
    "runs": """CREATE TABLE runs (
    run INTEGER PRIMARY KEY, version TEXT NOT NULL, model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL, source TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL,
    summary TEXT)""",
    "minutes": """CREATE TABLE minutes (
    minute INTEGER PRIMARY KEY, speech_s REAL NOT NULL, uncertain_s REAL NOT NULL,
    no_speech_s REAL NOT NULL, quiet_s REAL NOT NULL, gap_s REAL NOT NULL, labels TEXT NOT NULL,
    activation REAL, activation_weight_s REAL NOT NULL, probability REAL,
    probability_weight_s REAL NOT NULL, level_db REAL, peak_db REAL,
    dropped_samples INTEGER NOT NULL, skipped_hops INTEGER NOT NULL,
    n_decisions INTEGER NOT NULL)""",
    "events": """CREATE TABLE events (
    event INTEGER PRIMARY KEY, run INTEGER NOT NULL, label TEXT NOT NULL, start_s REAL NOT NULL,
    end_s REAL, duration_s REAL, peak REAL NOT NULL, mean_probability REAL NOT NULL)""",
    "events_by_start": "CREATE INDEX events_by_start ON events (start_s)",
}

#: The longest that anybody waits for whoever writes.
BUSY_S = 1.0


def sqlite() -> ModuleType:
    """Import SQLite.

    Raises
    ------
    MissingDependencyError
        If this Python came without it.
    """
    try:
        import sqlite3
    except ImportError as error:
        raise MissingDependencyError(
            "a history needs sqlite3 of Python's standard library, and this Python came without: "
            "sudo apt-get install libpython3-stdlib, or build Python where libsqlite3-dev is "
            "installed"
        ) from error
    return sqlite3


def connect(path: str, *, mode: str) -> sqlite3.Connection:
    """Open the file, which must be there.

    Parameters
    ----------
    path : str
    mode : {"ro", "rw"}

    Raises
    ------
    sqlite3.Error
        If it cannot be, or is none of SQLite.
    """
    try:
        return _connect(path, f"mode={mode}")
    except sqlite().OperationalError:
        # A reader makes a file beside it to tell the writer of itself. Where the folder takes
        # none and nobody left anything to be read there, nobody can be writing either.
        if mode != "ro" or os.path.exists(f"{path}-wal"):
            raise
        return _connect(path, "mode=ro&immutable=1")


def _connect(path: str, how: str) -> sqlite3.Connection:
    name = os.path.abspath(path)
    if os.name == "nt":
        name = "/" + name.replace("\\", "/")
    connection: sqlite3.Connection = sqlite().connect(
        f"file:{quote(os.fsencode(name))}?{how}", uri=True, timeout=BUSY_S, isolation_level=None
    )
    try:
        # A file of somebody else's may hold triggers and views: nothing of it is obeyed.
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, all of them or none; call it within a transaction."""
    for statement in _TABLES.values():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing in the file yet."""
    return not _pragma(connection, "user_version") and not _schema(connection)


def check(connection: sqlite3.Connection, path: str) -> None:
    """Refuse what is no history, or one that this version does not know.

    Raises
    ------
    HistoryError
    """
    name = printable(path)
    version = _pragma(connection, "user_version")
    is_ours = _pragma(connection, "application_id") == APPLICATION_ID
    if is_ours and version > SCHEMA_VERSION:
        raise HistoryError(
            f"{name} was written by a newer edge-ser: its tables are version {version}, this one "
            f"knows {SCHEMA_VERSION}; update edge-ser, or name another file"
        )
    if not is_ours or _schema(connection) != _TABLES:
        raise HistoryError(
            f"{name} is an SQLite file, and no history of edge-ser: name another file"
        )


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Say in a sentence what SQLite says of a file.

    Raises
    ------
    HistoryError
    """
    module = sqlite()
    try:
        yield
    except (module.Error, ValueError, OverflowError, RecursionError) as error:
        raise HistoryError(sentence(path, error)) from error


def sentence(path: str, error: Exception) -> str:
    """Say what is the matter with a file, and the mend."""
    name, said = printable(path), printable(str(error))[:200]
    if not isinstance(error, sqlite().Error) or "malformed" in said or "corrupt" in said:
        return (
            f"the history {name} is damaged ({said}): move it away, and a new one is begun: "
            f"mv {name} {name}.damaged"
        )
    if "not a database" in said:
        return f"{name} is no history, it is no SQLite file at all: name another file"
    if "locked" in said or "busy" in said:
        return f"the history {name} is held by another program ({said}): end that, or try again"
    if "unable to open" in said:
        return (
            f"the history {name} cannot be opened: you may not read it, or not write to its "
            "folder; `sudo edge-ser history FILE` may"
        )
    return f"the history {name} cannot be used: {said}"


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _schema(connection: sqlite3.Connection) -> dict[str, Any]:
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return dict(found.fetchmany(len(_TABLES) + 1))
