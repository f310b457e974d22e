"""A sink and a connection to a broker that is played."""

from __future__ import annotations

import json

from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, Timing

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
        #: How many messages were sent before each of them was asked for.
        self.n_sent_before: list[int] = []
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
        self.n_sent_before += [len(self.sent)] * len(topics)

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
