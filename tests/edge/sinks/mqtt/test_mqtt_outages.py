"""A broker, a microphone and Home Assistant that go and come back."""

from __future__ import annotations

import pytest
from played_broker import AVAILABILITY, CONFIG, DIAGNOSTICS, RECORDS, STATE, Stage

from edge.sinks.mqtt import outbox as mqtt_outbox
from edge.sinks.mqtt import sink as module
from edge.stream.status import Status


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("_REACH_S", "_DELIVER_S", "_EASE_S"):
        monkeypatch.setattr(module, name, 0.03)


def test_nothing_is_sent_while_there_is_no_broker_and_the_state_first_when_there_is():
    stage = Stage()
    stage.emit("angry")
    stage.emit("calm")
    assert stage.client.sent == []
    stage.client.connect()
    topics = [topic for topic, *_ in stage.client.sent]
    assert topics == [CONFIG, AVAILABILITY, STATE, DIAGNOSTICS, RECORDS, RECORDS]
    assert stage.client.of(STATE)[-1]["label"] == "calm"
    assert stage.counts == (2, 0, 0)
    stage.emit()
    assert stage.counts == (3, 2, 0)


def test_after_an_outage_what_is_so_now_comes_at_once():
    stage = Stage()
    stage.client.connect()
    stage.emit("calm")
    stage.now_s += 60
    stage.client.lose()
    for _ in range(120):
        stage.now_s += 0.5
        stage.emit("angry")
    n_before = len(stage.client.sent)
    stage.client.connect()
    assert stage.client.sent[n_before][0] == CONFIG
    assert [topic for topic, *_ in stage.client.sent[n_before:]][1:4] == [
        AVAILABILITY, STATE, DIAGNOSTICS,
    ]  # fmt: skip
    assert stage.client.of(STATE)[-1]["label"] == "angry"
    assert len(stage.client.of(RECORDS)) == 121
    stage.emit()
    assert stage.counts == (122, 121, 0)


def test_a_long_outage_leaves_the_oldest_out_and_everything_adds_up(monkeypatch):
    monkeypatch.setattr(mqtt_outbox, "N_WAITING", 10)
    stage = Stage()
    stage.client.events.failed("is not there")
    for n in range(25):
        stage.sink.warn(str(n))
    assert stage.counts == (25, 0, 15)
    stage.client.connect()
    assert [each["warning"] for each in stage.client.of(RECORDS)] == [str(n) for n in range(15, 25)]
    stage.sink.close()
    assert stage.counts == (25, 10, 15)
    assert stage.said == [
        "the broker host:1883 is not there; it is tried again and again",
        "the broker host:1883 is reached, 15 records had to be left out",
    ]


def test_a_broker_that_confirms_nothing_gets_no_more_than_it_may():
    stage = Stage()
    stage.client.connect()
    stage.client.delivers = False
    for _ in range(600):
        stage.sink.warn("x")
    assert len(stage.client.of(RECORDS)) == mqtt_outbox.N_SENT < stage.client.n_most
    for number in stage.client.undelivered:
        stage.client.events.delivered(number)
    stage.client.delivers = True
    for _ in range(3):
        stage.sink.warn("x")
    told, published, dropped = stage.counts
    assert (told, dropped) == (603, 0)
    assert published >= 400
    stage.sink.close()
    assert stage.counts == (603, 603, 0)


def test_home_assistant_that_begins_is_told_everything_again():
    stage = Stage()
    stage.client.connect()
    stage.emit("angry")
    stage.now_s += 10
    stage.client.events.message("homeassistant/status", b"online")
    assert len(stage.client.of(CONFIG)) == 2
    assert stage.client.of(STATE)[-1]["label"] == "angry"
    for payload in (b"offline", b"", b"ONLINE", b"online\n", b"\xff"):
        stage.now_s += 10
        stage.client.events.message("homeassistant/status", payload)
    stage.client.events.message("homeassistant/statu", b"online")
    assert len(stage.client.of(CONFIG)) == 2


def test_whoever_asks_a_thousand_times_is_answered_every_few_seconds():
    stage = Stage()
    stage.client.connect()
    for _ in range(1000):
        stage.now_s += 0.01
        stage.client.events.message("homeassistant/status", b"online")
    assert len(stage.client.of(CONFIG)) <= 3
    stage.now_s += 5
    stage.emit()
    assert len(stage.client.of(CONFIG)) <= 4


def test_a_late_will_of_an_earlier_connection_is_contradicted():
    stage = Stage()
    stage.client.connect()
    stage.now_s += 40
    stage.client.events.message(AVAILABILITY, b"offline")
    assert stage.client.of(AVAILABILITY) == ["online", "online"]
    stage.client.events.message(AVAILABILITY, b"online")
    assert len(stage.client.of(AVAILABILITY)) == 2


def test_a_broker_that_is_not_there_is_said_once_and_that_it_is_there_again():
    stage = Stage()
    for _ in range(5):
        stage.client.events.failed("refuses the user or the password")
    stage.client.connect()
    stage.now_s += 100
    stage.client.lose()
    for _ in range(5):
        stage.client.events.failed("is not there")
    stage.client.connect()
    stage.now_s += 1
    # Killed at once after that, and said as well.
    stage.client.lose()
    stage.client.events.failed("is not there")
    stage.client.connect()
    assert stage.said == [
        "the broker host:1883 refuses the user or the password; it is tried again and again",
        "the broker host:1883 is reached",
        "the connection to the broker host:1883 was lost; it is tried again and again",
        "the broker host:1883 is not there; it is tried again and again",
        "the broker host:1883 is reached again",
        "the broker host:1883 is not there; it is tried again and again",
        "the broker host:1883 is reached again",
    ]


def test_two_clients_of_one_name_are_a_sentence_and_not_a_flood():
    stage = Stage()
    for _ in range(50):
        stage.client.connect()
        stage.now_s += 1
        stage.client.lose()
    stage.emit()
    [sentence] = stage.said
    assert "is there another client of the name edge-ser-a? node=NAME" in sentence


def test_a_microphone_that_is_gone_leaves_nothing_said():
    stage = Stage()
    stage.client.connect()
    stage.emit("angry")
    stage.sink.status(Status("lost", "the microphone is gone"))
    state = stage.client.of(STATE)[-1]
    assert (state["state"], state["label"], state["speech"]) == ("lost", None, None)
    stage.sink.status(Status("back", "it is back"))
    stage.emit("angry")
    assert stage.client.of(STATE)[-1]["label"] == "angry"
