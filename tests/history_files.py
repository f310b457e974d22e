"""Histories to read, written without a sink."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge.history.database import connect, create
from edge.history.tally import COLUMNS, Tally, power_of


def a_minute(label: str = "happy", level_db: float = -20.0) -> Tally:
    """A minute of which 40 s had a label, and the rest was quiet."""
    return Tally(
        speech_s=40.0,
        quiet_s=20.0,
        labels={label: 40.0},
        activation_sum=30.0,
        activation_weight_s=40.0,
        probability_sum=32.0,
        probability_weight_s=40.0,
        power_sum=60.0 * power_of(level_db),
        peak_db=level_db + 3,
        n_decisions=120,
    )


def write_history(path: Path, minutes: Mapping[int, Tally]) -> None:
    """Write a new file; keys are Unix times."""
    path.touch()
    with contextlib.closing(connect(str(path), mode="rw")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        create(connection)
        places = ", ".join("?" * (1 + len(COLUMNS)))
        for time_s, tally in minutes.items():
            connection.execute(
                f"INSERT INTO minutes VALUES ({places})", (time_s // 60, *tally.values())
            )
        connection.execute(
            "INSERT INTO runs VALUES (1, '1.0', 'm', 'abc', 'mic', 60, 90, '{\"decisions\": 3}')"
        )
        connection.execute("INSERT INTO events VALUES (1, 1, 'happy', 61, 64, 3, 0.9, 0.8)")
        connection.execute("INSERT INTO events VALUES (2, 1, 'sad', 70, NULL, NULL, 0.7, 0.6)")
        connection.execute("COMMIT")


@contextlib.contextmanager
def zone(name: str) -> Iterator[None]:
    """Live in a time zone for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
