"""Decisions to a broker that comes and goes, with a connection that is played."""

from __future__ import annotations

import json

import pytest

from edge.sinks.mqtt import outbox as mqtt_outbox
from edge.sinks.mqtt import sink as module
from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, Timing
from edge.stream.events import Event
from edge.stream.status import Status

STATE, DIAGNOSTICS, RECORDS, AVAILABILITY, CONFIG = (
    "a/state", "a/diagnostics", "a/records", "a/availability",
    "homeassistant/device/edge-ser-a/config",
)  # fmt: skip


class Played:
    """Takes messages while it is connected, and delivers what is sure when it is told to."""

    def __init__(self, address, events, will, n_most) -> None:
        self.address, self.events, self.will, self.n_most = address, events, will, n_most
        self.sent: list[tuple[str, str, bool, bool]] = []
        self.topics: list[str] = []
        self.undelivered: list[int] = []
        self.is_connected = self.has_started = self.has_stopped = self.is_full = False
        self.delivers = True
        self._n = 0

    def start(self) -> None:
        self.has_started = True

    def publish(self, topic, payload, *, is_kept, is_sure):
        assert self.is_connected, "nothing is sent without a connection"
        if self.is_full and is_sure:
            return None
        self._n += 1
        self.sent.append((topic, payload, is_kept, is_sure))
        if is_sure and not self.delivers:
            self.undelivered.append(self._n)
        else:
            self.events.delivered(self._n)
        return self._n

    def subscribe(self, topics) -> None:
        self.topics += topics

    def stop(self, patience_s: float) -> None:
        self.has_stopped = True

    def connect(self) -> None:
        self.is_connected = True
        self.events.connected()

    def lose(self) -> None:
        self.is_connected = False
        self.events.lost()

    def of(self, topic: str) -> list[object]:
        return [
            json.loads(payload) if payload[:1] in "[{" else payload
            for one, payload, _, _ in self.sent
            if one == topic
        ]


class Stage:
    """A sink, its connection, its clock and what it says."""

    def __init__(self, text: str = "mqtt://host/a", **settings: object) -> None:
        self.now_s = 100.0
        self.said: list[str] = []
        self.sink = MqttSink(
            address_of(target_from_text(text), {}),
            SinkSettings(
                None, labels=("angry", "calm"), warn=self.said.append,
                say=self.said.append,
                about=About("1", "m", "ab"), **settings,
            ),
            Played,
            lambda: self.now_s,
        )  # fmt: skip
        self.sink.open()
        self.client: Played = self.sink._client

    def emit(self, label: str | None = "calm", **changes: object) -> None:
        posterior = {"angry": 0.3, "calm": 0.7} if label else None
        words = {"timing": Timing(1.0, 1.0, 3.0), "time_s": 1_774_746_000.0, "activation": 0.5}
        state = "speech" if label else "quiet"
        self.sink.emit(
            Decision(0.0, 1.5, state, label, posterior, label, -30.0, **{**words, **changes})
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        outbox = self.sink.outbox
        return outbox.n_told, outbox.n_published, outbox.n_dropped


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
    assert stage.client.topics == [AVAILABILITY, "homeassistant/status"]


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
