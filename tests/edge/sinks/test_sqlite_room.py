"""``sqlite:FILE``: its age and size, disks that are full, files that are held or gone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time

import pytest
from sqlite_life import DAY, Life, whole

from edge.errors import HistoryError
from edge.history import open_history
from edge.history.tally import Tally
from edge.history.writer import EventEntry, HistoryWriter, RunEntry
from edge.stream.status import Status


def test_what_is_too_old_goes(tmp_path):
    life = Life(tmp_path / "a.db", keep="1d")
    for _ in range(3 * 24):
        life.hear(3_600, hop_s=60.0)
    life.sink.close()
    history = open_history(life.path)
    minutes = history.minutes(0, DAY + 864_000)
    assert life.wall_s - 86_400 - 7_300 <= minutes[0].start_s <= life.wall_s - 86_400 + 60
    assert len(minutes) <= 1_440 + 62
    # The run that goes on stays, however old it is.
    assert len(history.runs(0, DAY + 864_000)) == 1
    assert whole(life.path)


def test_a_clock_that_is_wrong_for_a_moment_deletes_nothing(tmp_path):
    life = Life(tmp_path / "a.db", keep="1d")
    life.hear(3_600, hop_s=60.0)
    life.sink.close()
    life = Life(tmp_path / "a.db", keep="1d")
    life.wall_s += 20 * 365 * 86_400
    life.hear(1_800, hop_s=60.0)
    assert len(open_history(life.path).minutes(0, DAY + 86_400)) == 60
    life.wall_s -= 20 * 365 * 86_400
    life.hear(7_200, hop_s=60.0)
    assert len(open_history(life.path).minutes(0, DAY + 86_400)) >= 60
    life.wall_s += 30 * 86_400
    life.hear(3 * 3_600, hop_s=60.0)
    assert open_history(life.path).minutes(0, DAY + 86_400) == []
    life.sink.close()


#: A minute that takes a lot of room.
LARGE = Tally(speech_s=60.0, labels={f"label {n}": 6.0 for n in range(10)}, n_decisions=120)


def test_no_file_grows_beyond_its_size(tmp_path):
    path = tmp_path / "a.db"
    writer = HistoryWriter(str(path), 1e9, 4_000_000, RunEntry("1", "m", "", "", DAY))
    largest = 0
    for n in range(0, 11_000, 250):
        minutes = range(DAY // 60 + n, DAY // 60 + n + 250)
        events = [EventEntry("happy", 60.0 * minute, 0.9, 0.8) for minute in minutes]
        writer.write(dict.fromkeys(minutes, LARGE), events)
        writer.tidy()
        largest = max(largest, sum(each.stat().st_size for each in tmp_path.iterdir()))
    writer.close()
    assert 1_900_000 < largest <= 4_000_000
    history = open_history(path)
    left = history.minutes(0, DAY + 11_000 * 60)
    assert left[0].start_s > DAY + 86_400
    assert left[-1].start_s == DAY + 60 * 10_999
    assert abs(history.events(0, DAY + 11_000 * 60)[0].start_s - left[0].start_s) < 86_400
    assert whole(path)


def test_a_smaller_size_makes_a_file_smaller(tmp_path):
    path = tmp_path / "a.db"
    writer = HistoryWriter(str(path), 1e9, 20_000_000, RunEntry("1", "m", "", "", DAY))
    writer.write({DAY // 60 - n: LARGE for n in range(1, 10_000)}, [])
    writer.close()
    assert path.stat().st_size > 2_500_000
    life = Life(path, size="4M", keep="9999d")
    life.hear(18_000, hop_s=60.0)
    life.sink.close()
    assert path.stat().st_size < 2_000_000
    assert life.said == []
    assert whole(path)


def test_a_full_disk_is_told_once_and_loses_nothing(tmp_path, monkeypatch):
    life = Life(tmp_path / "a.db")
    life.hear(60)
    write = HistoryWriter.write

    def full(*_rest: object) -> None:
        raise HistoryError("the history cannot be used: database or disk is full")

    monkeypatch.setattr(HistoryWriter, "write", full)
    life.hear(600)
    assert len(life.said) == 1
    assert "disk is full; what is heard is kept in memory" in life.said[0]
    monkeypatch.setattr(HistoryWriter, "write", write)
    life.hear(60)
    life.sink.close()
    assert life.said[1:] == [f"the history {life.path} is written again"]
    minutes = open_history(life.path).minutes(0, DAY + 86_400)
    assert sum(minute.heard_s for minute in minutes) == pytest.approx(720)


def test_what_waits_is_bounded_and_counted(tmp_path, monkeypatch):
    life = Life(tmp_path / "a.db")
    life.path.unlink()
    life.path.mkdir()
    life.hear(3 * 86_400, hop_s=60.0)
    assert len(life.sink._minutes.waiting) <= 2_880 + 200
    life.path.rmdir()
    life.hear(60)
    life.sink.close()
    assert len(life.said) == 2
    assert "records could not be" in life.said[1]
    assert len(open_history(life.path).minutes(0, life.wall_s + 60)) >= 2_880


def test_whoever_holds_the_file_is_waited_for_without_a_loss(tmp_path):
    life = Life(tmp_path / "a.db")
    with contextlib.closing(sqlite3.connect(life.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()
        life.hear(31)
        assert time.monotonic() - began_s < 2.5
        other.execute("ROLLBACK")
    life.hear(40)
    life.sink.close()
    assert "is held by another program" in life.said[0]
    assert sum(m.heard_s for m in open_history(life.path).minutes(0, DAY + 86_400)) == 71


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(10, "speech")
    life.sink.status(Status("lost", "gone"))
    os.rename(life.path, tmp_path / "b.db")
    life.hear(60, "speech")
    life.sink.close()
    assert life.said == []
    (event,) = open_history(life.path).events(0, DAY + 86_400)
    assert event.end_s == DAY + 70
    assert len(open_history(life.path).runs(0, DAY + 86_400)) == 1
    assert len(open_history(tmp_path / "b.db").minutes(0, DAY + 86_400)) == 1
