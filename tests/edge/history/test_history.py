"""Reading a history: what it tells, and what is said of a file that is none."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from history_files import a_minute, write_history

from edge.errors import HistoryError, MissingDependencyError, ParameterError
from edge.history import open_history

DAY = 1_795_000_000 // 86_400 * 86_400


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a history? #1%.db"
    write_history(
        path, {DAY: a_minute(), DAY + 60: a_minute("sad", -40.0), DAY + 7_200: a_minute()}
    )
    return path


def test_minutes_come_as_they_were_written(file: Path) -> None:
    first, second, third = open_history(file).minutes(DAY, DAY + 86_400)
    assert (first.start_s, first.end_s) == (DAY, DAY + 60)
    assert (first.heard_s, first.speech_s, first.quiet_s, first.gap_s) == (60, 40, 20, 0)
    assert first.labels == {"happy": 40.0}
    assert first.shares == {"happy": 1.0}
    assert (first.activation, first.probability) == (0.75, 0.8)
    assert (first.level_db, first.peak_db, first.n_decisions) == (-20.0, -17.0, 120)
    assert second.labels == {"sad": 40.0}
    assert third.start_s == DAY + 7_200


def test_hours_add_minutes_up(file: Path) -> None:
    first, second = open_history(file).summary(DAY, DAY + 86_400, by="hour")
    assert first.heard_s == 120
    assert first.labels == {"happy": 40.0, "sad": 40.0}
    assert first.shares == {"happy": 0.5, "sad": 0.5}
    # Of the mean power, not of the mean in decibels.
    assert first.level_db == pytest.approx(10 * np.log10((1e-2 + 1e-4) / 2), abs=0.01)
    assert first.peak_db == -17.0
    assert second.heard_s == 60


def test_times_are_borders(file: Path) -> None:
    history = open_history(file)
    assert [p.start_s for p in history.minutes(DAY + 60, DAY + 7_200)] == [DAY + 60]
    assert history.minutes(DAY + 7_201, DAY + 86_400) == []
    assert history.minutes(DAY + 86_400, DAY) == []
    assert len(history.minutes(-1e30, 1e30)) == 3
    for wrong in (float("nan"), "7d", None):
        with pytest.raises(ParameterError, match="a Unix time is wanted"):
            history.minutes(wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="one of minute, hour, day, week"):
        history.summary(0, by="year")  # type: ignore[arg-type]


def test_events_and_runs_come_as_they_were_written(file: Path) -> None:
    history = open_history(file)
    happy, sad = history.events(0)
    assert (happy.label, happy.start_s, happy.end_s, happy.duration_s) == ("happy", 61, 64, 3)
    assert (sad.label, sad.end_s, sad.duration_s, sad.run) == ("sad", None, None, 1)
    (run,) = history.runs()
    assert (run.model, run.start_s, run.end_s) == ("m", 60, 90)
    assert run.summary == {"decisions": 3}
    assert history.events(65, 70) == []


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no database, " * 400)
    empty = tmp_path / "empty"
    empty.touch()
    other = tmp_path / "other"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
        connection.commit()
    for path, sentence in (
        (text, "no SQLite file at all"),
        (empty, "nothing was written to it yet"),
        (other, "no history of edge-ser"),
        (tmp_path, "it is a folder"),
        (tmp_path / "none", "there is no history"),
        (text / "below", "there is no history"),
        ("a\0b", "there is no history"),
    ):
        with pytest.raises(HistoryError, match=sentence):
            open_history(path)
    with pytest.raises(ParameterError, match="is empty"):
        open_history("")


def test_a_newer_file_is_not_read(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(HistoryError, match="a newer edge-ser: its tables are version 2"):
        open_history(file)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON minutes BEGIN DELETE FROM runs; END",
        "ALTER TABLE minutes RENAME TO hours",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE events",
    ],
)
def test_tables_of_a_stranger_are_not_obeyed(file: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
    with pytest.raises(HistoryError, match="no history of edge-ser"):
        open_history(file)


@pytest.mark.parametrize(
    "change",
    [
        "labels = '[1]'",
        "labels = x'ff'",
        "labels = '{\"happy\": -1}'",
        "speech_s = 'much'",
        "speech_s = 9e999",
        "level_db = 1e9",
        "n_decisions = -1",
        "activation = 'high'",
    ],
)
def test_values_that_cannot_be_are_damage(file: Path, change: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE minutes SET {change}")
        connection.commit()
    with pytest.raises(HistoryError, match="is damaged"):
        open_history(file).minutes(DAY, DAY + 86_400)


def test_any_damage_is_one_sentence(file: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    whole = file.read_bytes()
    generator = np.random.default_rng(5)
    refusals = []
    for n in range(150):
        content = bytearray(whole)
        for _ in range(int(generator.integers(1, 40))):
            content[int(generator.integers(len(content)))] = int(generator.integers(256))
        if n % 3 == 0:
            del content[int(generator.integers(len(content))) :]
        broken = tmp_path / f"{n}.db"
        broken.write_bytes(content)
        try:
            history = open_history(broken)
            history.summary(0, 1e12, by="day")
            history.events(0)
        except HistoryError as error:
            refusals.append(str(error))
        assert broken.read_bytes() == content
    assert len(refusals) > 30
    assert not any("\n" in refusal for refusal in refusals)


def test_a_folder_that_takes_no_files_can_be_read(file: Path, tmp_path: Path) -> None:
    assert not Path(f"{file}-wal").exists()
    os.chmod(tmp_path, stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(open_history(file).minutes(0, 1e12)) == 3
    finally:
        os.chmod(tmp_path, stat.S_IRWXU)


def test_a_python_without_sqlite_is_told_of(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.raises(MissingDependencyError, match="libpython3-stdlib"):
        open_history(file)
