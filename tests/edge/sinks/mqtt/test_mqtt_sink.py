"""Decisions to a broker that comes and goes, with a connection that is played."""

from __future__ import annotations

import pytest
from played_broker import AVAILABILITY, CONFIG, DIAGNOSTICS, RECORDS, STATE, Stage

from edge.sinks.mqtt import sink as module
from edge.stream.events import Event
from edge.stream.status import Status


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("_REACH_S", "_DELIVER_S", "_EASE_S"):
        monkeypatch.setattr(module, name, 0.03)


def test_a_connection_begins_with_who_where_and_how():
    stage = Stage()
    assert stage.client.has_started
    assert stage.client.will == (AVAILABILITY, "offline")
    stage.client.connect()
    assert [topic for topic, *_ in stage.client.sent] == [CONFIG, AVAILABILITY, STATE, DIAGNOSTICS]
    assert all(is_kept for _, _, is_kept, _ in stage.client.sent)
    assert stage.client.of(AVAILABILITY) == ["online"]
    assert stage.client.of(STATE)[0]["label"] is None
    assert stage.client.topics == ["homeassistant/status", AVAILABILITY]
    # Home Assistant may begin as soon as it hears of us; "offline" of before is not for us.
    before_status, before_availability = stage.client.n_sent_before
    assert before_status == 0
    assert AVAILABILITY in [topic for topic, *_ in stage.client.sent[:before_availability]]


def test_decisions_are_records_and_the_state():
    stage = Stage()
    stage.client.connect()
    stage.emit("calm", skipped_hops=1)
    state = stage.client.of(STATE)[-1]
    assert (state["label"], state["probability"], state["speech"]) == ("calm", 0.7, True)
    [record] = stage.client.of(RECORDS)
    assert (record["version"], record["type"], record["label"]) == (1, "decision", "calm")
    [(_, _, is_kept, is_sure)] = [each for each in stage.client.sent if each[0] == RECORDS]
    assert (is_kept, is_sure) == (False, True)
    stage.sink.status(Status("lost", "gone"))
    stage.sink.warn("odd")
    stage.sink.summary({"type": "summary"})
    kinds = [each["type"] for each in stage.client.of(RECORDS)]
    assert kinds == ["decision", "status", "warning", "summary"]
    stage.sink.close()
    last = stage.client.of(DIAGNOSTICS)[-1]
    assert (last["skipped_hops"], last["latency_ms"]) == (1, 3.0)
    assert (last["records_told"], last["records_published"], last["records_dropped"]) == (4, 4, 0)


def test_events_are_records_where_they_were_asked_for():
    stage = Stage(events=True)
    stage.client.connect()
    stage.emit("calm")
    stage.sink.event(Event("start", "calm", 0.0, None, 0.7, 0.7))
    assert [each["type"] for each in stage.client.of(RECORDS)] == ["event"]
    assert stage.client.of(STATE)[-1]["label"] == "calm"


def test_numbers_alone_are_sent_once_a_second_and_a_new_label_at_once():
    stage = Stage("mqtt://host/a?records=off")
    stage.client.connect()
    for _ in range(10):
        stage.emit("calm")
        stage.now_s += 0.25
    assert [each["label"] for each in stage.client.of(STATE)] == [None, "calm", "calm", "calm"]
    stage.emit("angry")
    stage.emit(None)
    stage.emit(None)
    assert [each["label"] for each in stage.client.of(STATE)[4:]] == ["angry", None]
    assert stage.client.of(RECORDS) == []
    assert stage.counts == (0, 0, 0)


def test_diagnostics_are_sent_twice_a_minute():
    stage = Stage()
    stage.client.connect()
    for _ in range(120):
        stage.now_s += 0.5
        stage.emit()
    assert len(stage.client.of(DIAGNOSTICS)) == 3
    assert stage.client.of(DIAGNOSTICS)[-1]["records_published"] > 100


def test_without_discovery_nobody_is_told_of_home_assistant():
    stage = Stage("mqtt://host/a?discovery=off")
    stage.client.connect()
    assert [topic for topic, *_ in stage.client.sent] == [AVAILABILITY, STATE, DIAGNOSTICS]
    assert stage.client.topics == [AVAILABILITY]
    stage.now_s += 10
    stage.client.events.message("homeassistant/status", b"online")
    assert stage.client.of(CONFIG) == []


def test_a_queue_of_the_library_that_is_full_is_waited_for():
    stage = Stage()
    stage.client.connect()
    stage.client.is_full = True
    stage.emit()
    assert stage.client.of(RECORDS) == []
    stage.client.is_full = False
    stage.emit()
    assert len(stage.client.of(RECORDS)) == 2


def test_what_is_left_at_the_end_is_counted_and_said():
    stage = Stage()
    stage.emit()
    stage.sink.close()
    assert stage.client.has_stopped
    assert stage.counts == (1, 0, 1)
    assert stage.said == ["1 record did not reach the broker host:1883"]


def test_the_end_says_that_nobody_listens_any_longer():
    stage = Stage()
    stage.client.connect()
    stage.emit()
    stage.sink.close()
    assert stage.client.sent[-1][:3] == (AVAILABILITY, "offline", True)
    assert stage.counts == (1, 1, 0)
    assert stage.said == []
    n_sent = len(stage.client.sent)
    stage.client.events.message(AVAILABILITY, b"offline")
    stage.client.events.failed("is gone")
    stage.client.lose()
    assert len(stage.client.sent) == n_sent
    assert stage.said == []
