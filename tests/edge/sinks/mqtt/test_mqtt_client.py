"""The connection itself: what a broker that is none, or a hostile one, does to it."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from waiting import wait_for

from edge.sinks.mqtt import client as module
from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.sink import MqttSink, make
from edge.sinks.registry import SinkSettings
from edge.sinks.target import target_from_text

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

ACCEPTED = b"\x20\x02\x00\x00"


class Broker:
    """Accepts one connection after the other, and does to each what comes next."""

    def __init__(self, *doings: Callable[[socket.socket], None]) -> None:
        self.n_taken = 0
        self._doings = list(doings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            one, _ = self._socket.accept()
            with one, contextlib.suppress(OSError):
                if not self._doings:
                    return
                self.n_taken += 1
                do = self._doings.pop(0)
                one.settimeout(5)
                one.recv(1000)
                do(one)

    def close(self) -> None:
        # A thread that waits in accept() is let go by a connection alone.
        self._doings.clear()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join(5)
        self._socket.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "_BAD_WAIT_S", 0.02)
    monkeypatch.setattr(module, "_LEAST_WAIT_S", 0.02)
    monkeypatch.setattr("edge.sinks.mqtt.sink._REACH_S", 0.1)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(said) -> Iterator[Callable[..., Broker]]:
    opened = []

    def begin(*doings: Callable[[socket.socket], None], options: str = "") -> Broker:
        broker = Broker(*doings)
        sink = make(
            target_from_text(f"mqtt://127.0.0.1:{broker.port}/a{options}"),
            SinkSettings(None, warn=said.append, say=said.append),
        )
        sink.open()
        opened.extend([sink, broker])
        return broker

    yield begin
    for each in opened:
        each.close()


def answer(*packets: bytes) -> Callable[[socket.socket], None]:
    def send(one: socket.socket) -> None:
        one.sendall(ACCEPTED + b"".join(packets))
        time.sleep(0.05)

    return send


def hold(came: list[bytes]) -> Callable[[socket.socket], None]:
    def take(one: socket.socket) -> None:
        one.sendall(ACCEPTED)
        until_s = time.monotonic() + 1
        one.settimeout(0.5)
        while time.monotonic() < until_s and b"online" not in b"".join(came):
            came.append(one.recv(10_000))

    return take


def test_broken_packets_end_neither_the_connecting_nor_in_a_traceback(start, said, capfd):
    came: list[bytes] = []
    # A subscription's answer without a number, a message that is shorter than its topic.
    bad = [b"\x90\x01\x00", b"\x30\x01\xff", b"\x30\x03\x00\x10a", b"\x40\x00", b"\xf0\x00"]
    start(*[answer(each) for each in bad], hold(came))
    assert wait_for(lambda: b"online" in b"".join(came), 12)
    assert "Traceback" not in capfd.readouterr().err


def test_an_error_in_the_loop_of_the_library_is_a_sentence_and_not_its_end(
    start, said, capfd, monkeypatch
):
    came: list[bytes] = []
    connected, n_calls = MqttSink.connected, [0]

    def once_wrong(sink: MqttSink) -> None:
        n_calls[0] += 1
        if n_calls[0] == 1:
            raise KeyError("what nobody thought of")
        connected(sink)

    monkeypatch.setattr(MqttSink, "connected", once_wrong)
    start(hold([]), hold(came))
    assert wait_for(lambda: b"online" in b"".join(came))
    assert "could not be understood (KeyError); it is tried again and again" in said[0]
    assert "is reached" in said[1]
    assert "Traceback" not in capfd.readouterr().err


def test_packets_of_noise(start, said, capfd):
    rng = random.Random(0)

    def noise(one: socket.socket) -> None:
        packets = []
        for _ in range(50):
            topic = rng.choice(
                [b"homeassistant/status", b"a/availability", b"\xff", rng.randbytes(5)]
            )
            body = (
                struct.pack("!H", len(topic))
                + topic
                + rng.choice([b"online", b"", rng.randbytes(9)])
            )
            packets.append(bytes([0x30, len(body)]) + body)
        one.sendall(ACCEPTED + b"".join(packets) + rng.randbytes(20))
        with contextlib.suppress(TimeoutError):
            one.settimeout(0.05)
            one.recv(10_000)

    broker = start(*[noise] * 10)
    assert wait_for(lambda: broker.n_taken == 10, 10)
    assert len(said) <= 3
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_no_broker_is_said_once(start, said):
    broker = start(*[lambda one: one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")] * 3)
    assert wait_for(lambda: broker.n_taken >= 2)
    assert len(said) <= 1


@pytest.mark.parametrize(
    ("code", "options", "sentence"),
    [
        (4, "?user=me", "refuses the user or the password; it is tried again and again"),
        (5, "?user=me", "refuses the user or the password; it is tried again and again"),
        (5, "", "wants a user and a password; it is tried again and again"),
        (3, "", r"refuses the connection \(Server unavailable\); it is tried again and again"),
    ],
)
def test_a_refusal_is_one_sentence(start, said, code, options, sentence):
    start(*[lambda one: one.sendall(b"\x20\x02\x00" + bytes([code]))] * 2, options=options)
    assert wait_for(lambda: said)
    assert re.fullmatch(r"the broker 127\.0\.0\.1:\d+ " + sentence, said[0]), said


def test_an_end_while_it_connects_waits_for_nobody():
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    sink = make(target_from_text(f"mqtt://127.0.0.1:{silent.getsockname()[1]}"), SinkSettings(None))
    sink.open()
    began_s = time.monotonic()
    sink.close()
    assert time.monotonic() - began_s < 2.5
    silent.close()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "is not found: its name does not res"),
        (ConnectionRefusedError(111, "x"), "is not there: nobody listens at that port"),
        (TimeoutError("timed out"), "does not answer"),
        (OSError(113, "No route to host"), r"cannot be reached \(No route to host\)"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "does not speak TLS at that port"),
        (OSError("\x1b[2J"), r"cannot be reached \(OSError\)"),
        (None, "cannot be reached"),
    ],
)
def test_why_a_broker_is_not_reached_is_said_in_words(error, sentence):
    words = module._failure(error, address_of(target_from_text("mqtts://host"), {}))
    assert re.match(sentence, words), words
    assert "\x1b" not in words
