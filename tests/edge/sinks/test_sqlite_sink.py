"""``sqlite:FILE``: what was heard, by the minute, whatever the clock and the disk do."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edge.errors import HistoryError, MissingDependencyError, ParameterError
from edge.history import open_history
from edge.history.tally import Tally
from edge.history.writer import EventEntry, HistoryWriter, RunEntry
from edge.sinks.registry import About, SinkSettings, make_sink
from edge.sinks.sqlite import SqliteSink
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, State
from edge.stream.events import Event
from edge.stream.status import Status

DAY = 1_795_046_400
HAPPY = {"happy": 0.75, "sad": 0.25}


class Life:
    """A sink, its clocks, and a stream of decisions of half a second."""

    def __init__(self, path: Path, *, keep: str = "90d", size: str = "100M", **more: Any) -> None:
        self.path, self.wall_s, self.steady_s, self.stream_s = path, float(DAY), 0.0, 0.0
        self.late_s = 0.0
        self.said: list[str] = []
        settings = SinkSettings(sys.stdout, now=lambda: self.wall_s, warn=self.said.append, **more)
        made = make_sink(target_from_text(f"sqlite:{path}?keep={keep}&size={size}"), settings)
        assert isinstance(made, SqliteSink)
        self.sink = made
        made._steady = made._writer._tidier._steady = lambda: self.steady_s
        made.open()
        connection = made._writer._connection
        # What a disk takes to be sure is the same for every test, and long.
        if connection is not None:
            connection.execute("PRAGMA synchronous=OFF")

    def go(self, s: float) -> None:
        self.wall_s += s
        self.steady_s += s
        self.stream_s += s

    def hear(
        self, duration_s: float, state: State = "quiet", hop_s: float = 0.5, **more: Any
    ) -> None:
        for _ in range(round(duration_s / hop_s)):
            self.go(hop_s)
            start_s = max(0.0, self.stream_s - max(hop_s, 1.0))
            if hop_s == 60.0 and self.stream_s // 60 % (10 if duration_s < 20_000 else 200):
                # Hours and days are written in larger pieces.
                self.steady_s -= hop_s
                self.late_s += hop_s
            else:
                self.steady_s += self.late_s
                self.late_s = 0.0
            label = "happy" if state == "speech" else None
            posterior = HAPPY if state in {"speech", "uncertain"} else None
            values: dict[str, Any] = {"time_s": self.wall_s, **more}
            self.sink.emit(
                Decision(start_s, self.stream_s, state, label, posterior, label, -40.0, **values)
            )

    def lose(self, duration_s: float) -> None:
        self.go(duration_s)
        gap = Decision.of_gap(self.stream_s - duration_s, self.stream_s, 16_000, "lost")
        object.__setattr__(gap, "time_s", self.wall_s)
        self.sink.emit(gap)


def whole(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_minute_adds_up_what_was_decided(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(20, "speech", activation=0.8, speech_share=0.5)
    life.hear(10, "uncertain", activation=0.2, speech_share=1.0)
    life.hear(5, "no-speech")
    life.lose(15)
    life.hear(10, "quiet", skipped_hops=1)
    life.sink.close()
    (minute,) = open_history(tmp_path / "a.db").minutes(DAY, DAY + 86_400)
    assert (minute.start_s, minute.heard_s, minute.gap_s) == (DAY, 45, 15)
    assert (minute.speech_s, minute.uncertain_s) == (20, 10)
    assert (minute.no_speech_s, minute.quiet_s) == (5, 10)
    assert minute.labels == {"happy": 20}
    # By the speech that was in each: ten seconds of the one, ten of the other.
    assert minute.activation == pytest.approx(0.5)
    assert minute.probability == 0.75
    assert (minute.level_db, minute.peak_db) == (-40, -40)
    assert (minute.dropped_samples, minute.skipped_hops, minute.n_decisions) == (16_000, 20, 90)
    assert life.said == []


def test_the_file_is_its_owners_alone_and_nothing_stays_beside_it(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(40)
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    life.sink.close()
    assert os.listdir(tmp_path) == ["a.db"]


def test_what_lies_across_a_border_is_shared_out(tmp_path):
    life = Life(tmp_path / "a.db")
    life.go(59.8)
    life.hear(0.5, "speech")
    life.lose(3 * 60)
    life.sink.close()
    minutes = open_history(tmp_path / "a.db").minutes(DAY, DAY + 86_400)
    assert [round(minute.speech_s, 3) for minute in minutes] == [0.7, 0.3, 0, 0, 0]
    assert sum(minute.gap_s for minute in minutes) == pytest.approx(180)
    assert [round(minute.gap_s, 1) for minute in minutes] == [0, 59.7, 60, 60, 0.3]


def test_events_are_found_where_none_are_asked_for(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(10)
    life.hear(8, "speech")
    life.hear(30)
    life.hear(5, "speech")
    life.sink.summary({"decisions": 3})
    life.sink.close()
    first, second = open_history(tmp_path / "a.db").events(0, DAY + 86_400)
    assert (first.label, first.start_s, first.end_s) == ("happy", DAY + 10, DAY + 18)
    assert (first.duration_s, first.peak, first.mean_probability) == (8, 0.75, 0.75)
    assert second.duration_s == 5


def test_events_of_the_run_are_taken_where_there_are_any(tmp_path):
    life = Life(tmp_path / "a.db", events=True)
    life.hear(10, "speech")
    life.sink.event(Event("start", "sad", 1.0, None, 0.6, 0.5, DAY + 1.0))
    life.hear(60, "speech")
    (event,) = open_history(life.path).events(0, DAY + 86_400)
    assert (event.label, event.end_s) == ("sad", None)
    life.sink.event(Event("end", "sad", 1.0, 66.0, 0.9, 0.8, DAY + 66.0))
    life.sink.close()
    (event,) = open_history(life.path).events(0, DAY + 86_400)
    assert (event.end_s, event.duration_s, event.peak) == (DAY + 66, 65, 0.9)


def test_a_run_tells_what_decided_and_what_it_came_to(tmp_path):
    about = About("0.1.0", "claf", "ab" * 32, "mic")
    life = Life(tmp_path / "a.db", about=about)
    life.hear(5)
    (run,) = open_history(life.path).runs(0, DAY + 86_400)
    assert (run.model, run.source, run.start_s, run.end_s) == ("claf", "mic", DAY, None)
    life.sink.summary({"decisions": 10})
    life.sink.close()
    (run,) = open_history(life.path).runs(0, DAY + 86_400)
    assert (run.end_s, run.summary) == (DAY + 5, {"decisions": 10})


def test_at_most_half_a_minute_waits_to_be_written(tmp_path):
    life = Life(tmp_path / "a.db")
    for _ in range(90):
        life.hear(2)
        written = sum(m.heard_s for m in open_history(life.path).minutes(0, DAY + 86_400))
        # The first decision speaks for a second.
        assert life.stream_s - written <= 30.5
    life.hear(20)
    life.sink.status(Status("lost", "the microphone went away"))
    written = sum(m.heard_s for m in open_history(life.path).minutes(0, DAY + 86_400))
    assert written == pytest.approx(life.stream_s)
    life.sink.close()


def test_two_runs_and_two_processes_in_a_minute_add_up(tmp_path):
    for _ in range(2):
        life = Life(tmp_path / "a.db")
        life.hear(20, "speech", activation=0.5)
        other = Life(tmp_path / "a.db")
        other.hear(20, "quiet")
        other.sink.close()
        life.sink.close()
    (minute,) = open_history(life.path).minutes(0, DAY + 86_400)
    assert (minute.speech_s, minute.quiet_s, minute.activation) == (40, 40, 0.5)
    assert len(open_history(life.path).runs(0, DAY + 86_400)) == 4


def test_a_clock_that_jumps_loses_nothing(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(120)
    life.wall_s -= 90
    life.hear(120)
    life.wall_s += 7_200
    life.hear(60)
    life.hear(5, time_s=-1.0)
    life.hear(5, time_s=float("nan"))
    life.sink.close()
    minutes = open_history(life.path).minutes(0, DAY + 86_400)
    assert sum(minute.heard_s for minute in minutes) == pytest.approx(300)
    assert minutes[-1].start_s >= DAY + 7_200
    assert len({minute.start_s for minute in minutes}) == len(minutes)


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


def test_what_a_person_can_mend_is_said_before_anything_is_heard(tmp_path, monkeypatch):
    text = tmp_path / "text"
    text.write_text("no database " * 400)
    newer = tmp_path / "newer"
    Life(newer).sink.close()
    with contextlib.closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version=2")
    other = tmp_path / "other"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    before = {path: path.read_bytes() for path in (text, newer, other)}
    for name, sentence in (
        (f"sqlite:{text}", "no SQLite file at all"),
        (f"sqlite:{newer}", "a newer edge-ser"),
        (f"sqlite:{other}", "no history of edge-ser"),
        (f"sqlite:{tmp_path}/none/a.db", "there is no folder"),
        (f"sqlite:{tmp_path}", "it is a folder"),
        (f"sqlite:{tmp_path}/a.db?keep=5m", "a span from 3600 seconds"),
        (f"sqlite:{tmp_path}/a.db?size=1M", "a size from 4000000 bytes"),
        ("sqlite", "sqlite:FILE is wanted"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            make_sink(name, SinkSettings(sys.stdout))
    assert {path: path.read_bytes() for path in before} == before
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.raises(MissingDependencyError, match="libpython3-stdlib"):
        make_sink(f"sqlite:{tmp_path}/b.db", SinkSettings(sys.stdout))


def test_a_file_that_breaks_meanwhile_is_one_sentence(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(60)
    life.sink.close()
    content = bytearray(life.path.read_bytes())
    content[4_096 + 8 :] = bytes(len(content) - 4_096 - 8)
    life.path.write_bytes(content)
    life = Life(tmp_path / "a.db")
    life.hear(600)
    life.sink.close()
    assert 1 <= len(life.said) <= 2
    assert all("\n" not in sentence for sentence in life.said)


CUT = """
import itertools, sys, time
from edge.sinks.registry import SinkSettings, make_sink
from edge.stream.decision import Decision

sink = make_sink(f"sqlite:{sys.argv[1]}", SinkSettings(sys.stdout))
# An hour of the steady clock in a second.
steady = itertools.count()
sink._steady = lambda: next(steady) * 0.5
sink.open()
for n in itertools.count(1):
    decision = Decision(
        n / 2 - 1, n / 2, "speech", "happy", {"happy": 1.0}, "happy", -20.0, time_s=1.8e9 + n / 2
    )
    sink.emit(decision)
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 59, 61, 130, 400, 800])
def test_a_kill_loses_at_most_the_last_minute(tmp_path, after):
    path = tmp_path / "a.db"
    child = subprocess.Popen(
        [sys.executable, "-c", CUT, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    n_told = 0
    for line in child.stdout:
        n_told = int(line)
        if n_told >= after:
            break
    child.kill()
    n_told = max([n_told, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()
    assert whole(path)
    minutes = open_history(path).minutes(0, 1.9e9)
    heard_s = sum(minute.heard_s for minute in minutes)
    assert n_told / 2 - 31 <= heard_s <= n_told / 2 + 1
    # And the next run goes on with it.
    life = Life(path)
    life.hear(5)
    life.sink.close()
    assert life.said == []
    assert len(open_history(path).runs(0, 1.9e12)) == 2


def test_labels_of_any_alphabet_are_kept(tmp_path):
    life = Life(tmp_path / "a.db")
    for n, label in enumerate(("freude", "怒り", "a\ud800b", 'with "quotes"')):
        life.sink.emit(
            Decision(
                n * 5.0,
                n * 5.0 + 5,
                "speech",
                label,
                {label: 1.0},
                label,
                -20.0,
                time_s=DAY + 5 * n + 5,
            )
        )
    life.sink.close()
    assert life.said == []
    (minute, *_) = open_history(life.path).summary(0, DAY + 86_400, by="day")
    assert sum(minute.labels.values()) == 20
    assert "怒り" in minute.labels
    assert json.dumps([event.label for event in open_history(life.path).events(0, DAY + 86_400)])


def test_a_run_of_its_own_is_what_the_writer_begins(tmp_path):
    writer = HistoryWriter(str(tmp_path / "a"), 3_600, 4_000_000, RunEntry("1", "m", "", "", 5.0))
    writer.write({}, [])
    writer.close()
    assert [run.start_s for run in open_history(tmp_path / "a").runs()] == [5.0]


def test_a_file_that_is_damaged_anyhow_ends_nothing(tmp_path):
    life = Life(tmp_path / "whole.db")
    life.hear(600, "speech")
    life.sink.close()
    content = life.path.read_bytes()
    chance = random.Random(3)
    n_refused = n_told = 0
    for n in range(60):
        broken = bytearray(content)
        for _ in range(chance.choice((1, 5, 200))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = tmp_path / f"{n}.db"
        path.write_bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))])
        try:
            life = Life(path)
        except ParameterError:
            n_refused += 1
            continue
        life.hear(120, "speech")
        life.sink.close()
        n_told += bool(life.said)
        assert not any("\n" in sentence for sentence in life.said)
    assert n_refused > 5
    assert n_told > 5
