"""``sqlite:FILE``: what was heard, by the minute, whatever the clock and the disk do."""

from __future__ import annotations

import json
import os

import pytest
from sqlite_life import DAY, Life

from edge.history import open_history
from edge.history.writer import HistoryWriter, RunEntry
from edge.sinks.registry import About
from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status


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
