"""An MQTT broker, and by it Home Assistant: ``mqtt://`` and ``mqtts://``."""

from __future__ import annotations

import collections
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import ParameterError, how_many, printable
from edge.sinks.base import SinkBase
from edge.sinks.json_lines import JsonLinesSink
from edge.sinks.mqtt.address import Address, address_of
from edge.sinks.mqtt.board import Board
from edge.sinks.mqtt.client import Client, ClientEvents, PahoClient, check_paho, encryption_of
from edge.sinks.mqtt.discovery import (
    AVAILABILITY,
    DIAGNOSTICS,
    OFFLINE,
    ONLINE,
    RECORDS,
    STATE,
    discovery_of,
    discovery_topic,
    status_topic,
)
from edge.sinks.mqtt.outbox import N_SENT, Outbox
from edge.sinks.mqtt.troubles import Troubles
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status

__all__ = ["MqttSink", "make"]

#: A change of state or label is sent at once, and numbers alone so often.
_STATE_S, _DIAGNOSTICS_S = 1.0, 30.0
#: Whoever asks again and again is described the device so often.
_ANNOUNCE_S = 5.0
#: Longest wait at the end: for a first connection, and for what is on its way.
_REACH_S, _DELIVER_S, _LEAVE_S = 0.8, 1.2, 0.5
_POLL_S = 0.02
#: Longest wait for a broker that is slow, a decision.
_EASE_S = 0.2
#: Of the library's own queue, which holds nothing but records: it never fills.
_N_SPARE = 56

#: Makes the connection: address, whom to tell, the will, how many messages may be on their way.
MakeClient = Callable[[Address, ClientEvents, tuple[str, str], int], Client]


class MqttSink(SinkBase):
    """Send the state, how the device is, and every record; describe all of it to Home Assistant.

    Parameters
    ----------
    address : Address
    settings : SinkSettings
    make_client : callable
    monotonic : callable

    Attributes
    ----------
    outbox : Outbox
        The records, counted.

    Notes
    -----
    Nothing waits for the broker.  While it is away the state is remembered alone, and sent first
    when it is back; records wait, the oldest is left out.  The state is never sent twice, so that
    none from before an outage comes after a newer one; a record may come twice.

    The callbacks of the connection come in its thread.  ``delivered`` and ``lost`` may come with a
    lock of the library held that ``publish`` wants: they take none of ours, and what they said is
    looked at by whoever comes next.
    """

    def __init__(
        self,
        address: Address,
        settings: SinkSettings,
        make_client: MakeClient = PahoClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.outbox = Outbox()
        self._address, self._settings, self._monotonic = address, settings, monotonic
        self._make_client = make_client
        self._client: Client | None = None
        self._board = Board(settings.now, monotonic)
        self._lines: SinkBase = SinkBase()
        if address.sends_records:
            self._lines = JsonLinesSink(self.outbox, events=settings.events, now=settings.now)
        self._troubles = Troubles(address, settings.warn, settings.say)
        self._lock = threading.RLock()
        # Appended to without a lock: the number of a message that arrived, or when all was lost.
        self._news: collections.deque[int | _Lost] = collections.deque()
        self._is_connected = self._is_ending = self._must_announce = False
        self._shown: object = None
        self._state_s = self._diagnostics_s = self._announced_s = float("-inf")

    def open(self) -> None:
        """Begin to connect; nobody waits for it."""
        will = (self._topic(AVAILABILITY), OFFLINE)
        self._client = self._make_client(self._address, self, will, N_SENT + _N_SPARE)
        self._client.start()

    def emit(self, decision: Decision) -> None:
        """Take a decision or a gap."""
        with self._lock:
            self._lines.emit(decision)
            self._board.take(decision)
            self._pump()
            is_behind = self._is_connected and self.outbox.is_half_full
        if is_behind:
            # A file that is decided on as fast as it goes waits for us; what is live gets here with
            # a broker that stands still alone.
            self._wait(lambda: not self.outbox.is_half_full, _EASE_S)

    def event(self, event: Event) -> None:
        """Take a beginning or an ending."""
        with self._lock:
            self._lines.event(event)
            self._pump()

    def status(self, status: Status) -> None:
        """Take what the source has to say of itself."""
        with self._lock:
            self._lines.status(status)
            self._board.note(status)
            self._pump()

    def warn(self, sentence: str) -> None:
        """Take a warning."""
        with self._lock:
            self._lines.warn(sentence)
            self._pump()

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Take what the run came to."""
        with self._lock:
            self._lines.summary(summary)
            self._pump()

    def close(self) -> None:
        """Say that nobody listens here any longer, and leave."""
        if self._client is None:
            return
        self._wait(lambda: self._is_connected or self._troubles.any_said, _REACH_S)
        self._wait(lambda: not (self._is_connected and self.outbox.n_left), _DELIVER_S)
        with self._lock:
            self._take_news()
            self._is_ending = True
            n_left = self.outbox.give_up()
            if self._is_connected:
                self._send_diagnostics(self._monotonic())
                self._send(AVAILABILITY, OFFLINE)
        self._client.stop(_LEAVE_S)
        if n_left:
            self._settings.warn(
                f"{how_many(n_left, 'record')} did not reach the broker {self._address}"
            )

    # What follows is called by the connection, in its thread.

    def connected(self) -> None:
        """Say what is so now, to whoever came while we were away, too."""
        with self._lock:
            self._take_news()
            now_s = self._monotonic()
            self._is_connected = True
            self._troubles.connected(now_s, self.outbox.n_dropped)
            # Before we say that we are there: whoever hears it may begin at once.
            if self._client is not None and self._address.discovery is not None:
                self._client.subscribe([status_topic(self._address)])
            self._announce(now_s)
            # And behind it, so that what was kept of an earlier connection is not heard.
            if self._client is not None:
                self._client.subscribe([self._topic(AVAILABILITY)])
            self._pump()

    def failed(self, words: str) -> None:
        """Say why the broker cannot be reached, once."""
        with self._lock:
            self._take_news()
            if not self._is_ending:
                self._troubles.failed(words, self.outbox.n_dropped)

    def lost(self) -> None:
        """Note that the connection was lost; without a lock."""
        self._news.append(_Lost(self._monotonic()))

    def delivered(self, number: int) -> None:
        """Note that a message has arrived; without a lock."""
        self._news.append(number)

    def message(self, topic: str, payload: bytes) -> None:
        """Describe the device again where Home Assistant began, or somebody said we are gone."""
        wanted = None
        if topic == self._topic(AVAILABILITY):
            # The will of an earlier connection, which the broker found dead only now.
            wanted = OFFLINE
        elif self._address.discovery is not None and topic == status_topic(self._address):
            wanted = ONLINE
        if wanted is None or payload != wanted.encode():
            return
        with self._lock:
            self._must_announce = True
            self._pump()

    # What follows is called with the lock held.

    def _pump(self) -> None:
        """Send what is due and can be sent."""
        self._take_news()
        if not self._is_connected or self._is_ending:
            return
        now_s = self._monotonic()
        if self._must_announce and now_s - self._announced_s >= _ANNOUNCE_S:
            self._announce(now_s)
        if self._board.kind != self._shown or now_s - self._state_s >= _STATE_S:
            self._send_state(now_s)
        if now_s - self._diagnostics_s >= _DIAGNOSTICS_S:
            self._send_diagnostics(now_s)
        self.outbox.send(self._send_record)

    def _announce(self, now_s: float) -> None:
        """Describe the device, say that it is there, and how it is."""
        self._must_announce, self._announced_s = False, now_s
        if self._address.discovery is not None and self._client is not None:
            settings = self._settings
            described = discovery_of(self._address, settings.about, settings.labels)
            self._client.publish(
                discovery_topic(self._address), json.dumps(described), is_kept=True, is_sure=False
            )
        self._send(AVAILABILITY, ONLINE)
        self._send_state(now_s)
        self._send_diagnostics(now_s)

    def _send_state(self, now_s: float) -> None:
        self._shown, self._state_s = self._board.kind, now_s
        self._send(STATE, json.dumps(self._board.state(), allow_nan=False))

    def _send_diagnostics(self, now_s: float) -> None:
        self._diagnostics_s = now_s
        counted = {
            "records_told": self.outbox.n_told,
            "records_published": self.outbox.n_published,
            "records_dropped": self.outbox.n_dropped,
        }
        found = {**self._board.diagnostics(), **counted}
        self._send(DIAGNOSTICS, json.dumps(found, allow_nan=False))

    def _send(self, last: str, payload: str) -> None:
        if self._client is not None:
            self._client.publish(self._topic(last), payload, is_kept=True, is_sure=False)

    def _send_record(self, record: str) -> int | None:
        if self._client is None:
            return None
        return self._client.publish(self._topic(RECORDS), record, is_kept=False, is_sure=True)

    def _take_news(self) -> None:
        while self._news:
            news = self._news.popleft()
            if not isinstance(news, _Lost):
                self.outbox.delivered(news)
            elif self._is_connected:
                self._is_connected = False
                if not self._is_ending:
                    self._troubles.lost(news.at_s, self.outbox.n_dropped)

    def _topic(self, last: str) -> str:
        return f"{self._address.topic}/{last}"

    def _wait(self, condition: Callable[[], bool], most_s: float) -> None:
        until_s = time.monotonic() + most_s
        while time.monotonic() < until_s:
            with self._lock:
                self._pump()
                if condition():
                    return
            time.sleep(_POLL_S)


@dataclasses.dataclass(frozen=True, slots=True)
class _Lost:
    at_s: float


def make(target: Target, settings: SinkSettings) -> MqttSink:
    """Make one for the registry."""
    address = address_of(target)
    if address.topic == address.discovery:
        raise ParameterError(
            f"the topic is {printable(address.topic)}, which is that of Home Assistant's own "
            "messages, another one is wanted"
        )
    check_paho()
    encryption_of(address)
    return MqttSink(address, settings)
