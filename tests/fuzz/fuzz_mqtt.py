"""How a broker is named, and what one sends that is not to be trusted."""

from __future__ import annotations

import json
import random
import re
import socket
import struct
from collections.abc import Callable
from typing import Any

from edge.sinks.registry import SinkSettings
from fuzz.judge import check
from fuzz.mutate import TEXTS, mutate_bytes, mutate_text
from fuzz.target import Trial

__all__ = ["MqttTarget"]

_SECRET = "zebra"
_NAMES = (
    f"mqtt://me:{_SECRET}@host:1884/house/kitchen?name=Kitchen&discovery=ha",
    f"mqtts://me:{_SECRET}@[::1]:8883/a%20b?records=off&node=n",
    "mqtt://broker.lan/a/b/c?user=me&client_id=c",
)
_TOPICS = (b"homeassistant/status", b"a/availability", b"a/state", b"a/records", b"$SYS/x")
_PAYLOADS = (b"online", b"offline", b"", b"{}", b"\xff", b"online" * 100)


class MqttTarget:
    """Names through the parser; packets through the library to the sink, over a real connection."""

    may_probe = False
    needs: tuple[str, ...] = ("paho",)
    has_short_road = False

    def prepare(self, _seeds: object) -> None:
        """Read once how a broker is named."""
        from edge.sinks.mqtt.address import address_of
        from edge.sinks.mqtt.client import PahoClient
        from edge.sinks.mqtt.sink import MqttSink
        from edge.sinks.target import target_from_text

        self._read, self._address_of = target_from_text, address_of
        self._sink, self._client = MqttSink, PahoClient
        self._address = address_of(target_from_text("mqtt://127.0.0.1/a"), {})

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change a name, or make packets."""
        rng = trial.rng
        if rng.random() < 0.5:
            text = mutate_text(rng, rng.choice(_NAMES)).decode("utf-8", "surrogateescape")
            if rng.random() < 0.3:
                text = (
                    f"mqtt://me:{_SECRET}{rng.choice(TEXTS)[:300]}@host/{rng.choice(TEXTS)[:300]}"
                )
            (trial.folder / "name.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
            return lambda: self._name(text)
        packets = b"".join(_packet(rng) for _ in range(rng.choice((1, 3, 20))))
        if rng.random() < 0.5:
            packets = mutate_bytes(rng, packets)
        (trial.folder / "packets").write_bytes(packets)
        # Made here: a trial itself may open no connection.
        ours, theirs = socket.socketpair()
        return lambda: self._take(packets, ours, theirs)

    def _name(self, text: str) -> None:
        from edge.errors import ParameterError

        try:
            target = self._read(text)
            printed = f"{target}{target!r}"
            check(not self._shows(text, printed), printed)
            if target.kind not in ("mqtt", "mqtts"):
                return
            address = self._address_of(target, {})
        except ParameterError as error:
            said = str(error)
            check(said.isprintable() and len(said) < 800, said)
            check(not self._shows(text, said), said)
            raise
        check(1 <= address.port <= 65_535, address)
        check(bool(address.host) and bool(address.node), address)
        check(not set("+#\0") & set(address.topic), address)
        check(len(address.topic.encode()) < 300, address)
        check(_SECRET not in repr(address) or address.password is None, address)

    def _shows(self, text: str, printed: str) -> bool:
        """Whether a password is shown that can be known for one: a network's, in front of an @."""
        is_secret = re.match(rf"mqtts?:[^@]*:{_SECRET}.*@", text, re.DOTALL)
        return bool(is_secret) and _SECRET in printed

    def _take(self, packets: bytes, ours: socket.socket, one: socket.socket) -> None:
        said: list[str] = []
        sink = self._sink(self._address, SinkSettings(None, warn=said.append), self._unstarted)
        sink.open()
        paho = self._paho
        paho._create_socket = lambda: ours
        with one:
            paho.connect("127.0.0.1")
            one.sendall(b"\x20\x02\x00\x00" + packets)
            one.shutdown(socket.SHUT_WR)
            for _ in range(60):
                if paho.loop_read() or paho.loop_write():
                    break
            sent = _received(one)
        # Whatever came, the device is described a few times at most, and nothing else is said.
        check(sent.count(b"/config") <= 3, sent[:2000])
        check(len(said) <= 3, said)
        json.dumps(sink._board.state(), allow_nan=False)
        check(sink.outbox.n_told == 0, "a record of nothing")

    def _unstarted(self, *args: Any) -> Any:
        client = self._client(*args)
        client.start = lambda: None  # type: ignore[method-assign]
        self._paho = client._paho
        return client


def _packet(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.6:
        topic = rng.choice((*_TOPICS, rng.randbytes(rng.randrange(20))))
        body = struct.pack("!H", len(topic)) + topic + rng.choice(_PAYLOADS)
        return _framed(0x30 | rng.choice((0, 0, 0, 1, 2, 4, 6, 8)), body)
    return _framed(rng.randrange(256), rng.randbytes(rng.choice((0, 1, 2, 3, 8, 200))))


def _framed(head: int, body: bytes) -> bytes:
    length, n = b"", len(body)
    while True:
        n, digit = divmod(n, 128)[0], n % 128
        length += bytes([digit | (0x80 if n else 0)])
        if not n:
            return bytes([head]) + length + body


def _received(one: socket.socket) -> bytes:
    parts: list[bytes] = []
    one.settimeout(0.001)
    try:
        while part := one.recv(65_536):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)
