"""The page served for real: events, slow and silent clients, hostile bytes, and the end of it."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import signal
import socket
import threading
import time

import pytest
from fuzz.fuzz_web import hostile_request
from web_fakes import ask, ask_json, decision, served, until

from edge.errors import SinkError
from edge.sinks.web import server as module
from edge.sinks.web import sink as sink_module
from edge.stream.status import Status


def listen(port: int, *, buffer_bytes: int = 0) -> socket.socket:
    """Ask for the events, and read nothing yet."""
    client = socket.socket()
    if buffer_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    client.settimeout(10)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


def events(client: socket.socket, n: int) -> list[tuple[str, object]]:
    """Read until so many came."""
    text = b""
    while text.count(b"\ndata: ") < n or not text.endswith(b"\n\n\r\n"):
        piece = client.recv(65_536)
        assert piece, text[-300:]
        text += piece
    found = []
    for block in text.decode().split("event: ")[1:]:
        kind, _, rest = block.partition("\n")
        found.append((kind, json.loads(rest.partition("data: ")[2].partition("\n")[0])))
    return found


def n_clients(port: int) -> int:
    return ask_json(port, "/api/v1/health")["clients"]


def test_decisions_reach_who_listens_as_they_come():
    with served() as sink:
        sink.emit(decision(0))
        until(lambda: ask_json(sink.port, "/api/v1/now")["decision"] is not None)
        with contextlib.closing(listen(sink.port)) as client:
            assert events(client, 1) == [("decision", decision(0, 0.0).to_dict() | {
                "time": ask_json(sink.port, "/api/v1/now")["decision"]["time"]})]  # fmt: skip
            until(lambda: n_clients(sink.port) == 1)
            sink.emit(decision(1, 5.0))
            sink.status(Status("lost", "it went away", time_s=6.0))
            found = events(client, 2)
            assert found[0] == ("decision", decision(1, 5.0).to_dict())
            assert found[1][0] == "status"
        until(lambda: n_clients(sink.port) == 0)
    assert sink.said == [f"the page is at http://127.0.0.1:{sink.port}/"]


def test_one_that_reads_nothing_loses_the_oldest_and_holds_up_nobody():
    with served() as sink:
        stalled = listen(sink.port, buffer_bytes=4_096)
        reader = listen(sink.port)
        until(lambda: n_clients(sink.port) == 2)
        seen: list[float] = []

        def read() -> None:
            while len(seen) < 2_000:
                seen.extend(record["start_s"] for _, record in events(reader, 1))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        for n in range(2_000):
            sink.emit(decision(n, 5.0))
            if n % 20 == 19:
                until(lambda n=n: len(seen) >= n - 40)
        thread.join(20)
        assert seen == [n * 0.5 for n in range(2_000)]
        assert ask_json(sink.port, "/api/v1/health")["left_out"] > 500
        # It reads at last, is told how much it missed, and what came last.
        stalled.settimeout(0.5)
        text = b""
        with contextlib.suppress(TimeoutError):
            while piece := stalled.recv(1 << 20):
                text += piece
        assert b"event: lost\n" in text
        assert b'"start_s":999.5' in text
        stalled.close()
        reader.close()


def test_one_that_reads_nothing_is_cut_off_in_the_end(monkeypatch):
    monkeypatch.setattr(module, "_STALLED_S", 0.3)
    with served() as sink:
        stalled = listen(sink.port, buffer_bytes=4_096)
        until(lambda: n_clients(sink.port) == 1)
        for n in range(1_500):
            sink.emit(decision(n, 5.0))
            if n % 50 == 0:
                time.sleep(0.01)
        until(lambda: n_clients(sink.port) == 0)
        # It hears of it, however much it has not read.
        until(lambda: stalled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET)
        stalled.close()


def test_those_that_read_nothing_are_lent_little_memory_each():
    with served() as sink, contextlib.ExitStack() as stalled:
        for _ in range(8):
            stalled.enter_context(listen(sink.port, buffer_bytes=4_096))
        until(lambda: n_clients(sink.port) == 8)
        large = {"label": "x" * 2_000, "state": "quiet", "posterior": None}
        # More than the system holds: the rest waits in our hands.
        for n in range(400):
            sink.emit(decision(n, 5.0, **large))
        until(lambda: ask_json(sink.port, "/api/v1/health")["left_out"] > 0)
        connections = sink._server._server.server_state.connections
        waiting = [each.transport.get_write_buffer_size() for each in list(connections)]
        assert sum(waiting) < 8 * 20_000, waiting


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_half_a_request_is_not_waited_for(monkeypatch, sent):
    monkeypatch.setattr(module, "_REQUEST_S", 0.3)
    with served() as sink, socket.create_connection(("127.0.0.1", sink.port)) as client:
        client.settimeout(10)
        began_s = time.monotonic()
        with contextlib.suppress(ConnectionError):
            client.sendall(sent)
            # What trickles in does not put it off.
            while sent and time.monotonic() - began_s < 6:
                time.sleep(0.05)
                client.sendall(b"a")
            assert client.recv(100) == b""
        assert time.monotonic() - began_s < 5
        assert ask(sink.port, "/healthz")[0] == 200


def test_a_connection_is_used_again_and_then_let_go(monkeypatch):
    monkeypatch.setattr(module, "_REQUEST_S", 0.2)
    monkeypatch.setattr(module, "_IDLE_S", 0.6)
    with served() as sink, socket.create_connection(("127.0.0.1", sink.port)) as client:
        client.settimeout(5)
        for n in range(3):
            time.sleep(0.3 if n else 0.0)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            text = b""
            while not text.endswith(b"}"):
                text += client.recv(4_096)
            assert text.startswith(b"HTTP/1.1 200")
        assert client.recv(100) == b""


def test_more_connections_than_there_is_room_for_are_closed(monkeypatch):
    monkeypatch.setattr(module, "_N_CONNECTIONS", 5)
    with served() as sink:
        clients = [socket.create_connection(("127.0.0.1", sink.port)) for _ in range(9)]
        for client in clients:
            client.settimeout(0.5)
        n_cut = 0
        for client in clients:
            try:
                n_cut += client.recv(1) == b""
            except ConnectionError:
                n_cut += 1
            except TimeoutError:
                pass
        assert n_cut == 4
        for client in clients:
            client.close()
        until(lambda: ask(sink.port, "/healthz")[0] == 200)


@pytest.mark.parametrize("seed", range(2))
def test_hostile_bytes_are_answered_or_cut_and_change_nothing(seed, capfd):
    with served() as sink:
        sink.emit(decision(0))
        for n in range(50):
            request = hostile_request(random.Random(1_000 * seed + n))
            with socket.create_connection(("127.0.0.1", sink.port)) as client:
                client.settimeout(5)
                with contextlib.suppress(ConnectionError):
                    client.sendall(request)
                    client.shutdown(socket.SHUT_WR)
                    answer = client.recv(65_536)
                    assert answer == b"" or answer.startswith(b"HTTP/1.1 "), request
                    assert not answer.startswith(b"HTTP/1.1 500"), request
        sink.emit(decision(1, 7.0))
        until(lambda: ask_json(sink.port, "/api/v1/now")["decision"] == decision(1, 7.0).to_dict())
        until(lambda: n_clients(sink.port) == 0)
    assert len(sink.said) == 1
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_it_ends_within_two_seconds_whoever_listens():
    with served() as sink:
        port = sink.port
        stalled = listen(port, buffer_bytes=4_096)
        until(lambda: n_clients(port) == 1)
        for n in range(800):
            sink.emit(decision(n))
        readers = [listen(port) for _ in range(4)]
        silent = socket.create_connection(("127.0.0.1", port))
        until(lambda: n_clients(port) == 5)
        sink.summary({"version": 1, "type": "summary"})
        began_s = time.monotonic()
        sink.close()
        assert time.monotonic() - began_s < 2.0
    text = b""
    with contextlib.suppress(OSError):
        while piece := readers[0].recv(1 << 20):
            text += piece
    assert b"event: summary" in text
    assert text.endswith(b"0\r\n\r\n")
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    for client in (*readers, silent, stalled):
        client.close()
    assert not any(each.name == "web server" for each in threading.enumerate())


def test_a_port_in_use_is_one_sentence_and_free_again_after_an_end():
    with served() as sink:
        target = f"web:127.0.0.1:{sink.port}"
        other = type(sink)(module.WebSettings("127.0.0.1", sink.port), sink._settings)
        with pytest.raises(SinkError, match=f"served at {target[4:]}: .* name another port"):
            other.open()
        other.close()
        sink.emit(decision(0))
    again = type(sink)(module.WebSettings("127.0.0.1", sink.port), sink._settings)
    again.open()
    again.close()


def test_an_address_of_another_machine_is_one_sentence():
    for host in ("192.0.2.1", "no-such-name.invalid"):
        with pytest.raises(SinkError, match="the page cannot be served at"):
            module.bind(module.WebSettings(host, 8_080, "t"))


def test_signals_stay_as_they_were():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with served() as sink:
        assert ask(sink.port, "/")[0] == 200
        assert ask(sink.port, "/", "HEAD")[2] == ask(sink.port, "/api/v1/events", "HEAD")[2] == b""
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_server_that_ended_is_told_to_whoever_emits():
    with served() as sink:
        sink._server._error = RuntimeError("gone")
        with pytest.raises(SinkError, match="server ended"):
            sink.emit(decision(0))
        sink._server._error = None


def test_a_loop_that_stands_still_is_waited_for_and_never_buried(monkeypatch):
    monkeypatch.setattr(sink_module, "_PATIENCE_S", 0.05)
    with served() as sink:
        is_free = threading.Event()
        sink._server.call(is_free.wait, 10)
        began_s = time.monotonic()
        for n in range(sink_module._N_UNDERWAY + 4):
            sink.emit(decision(n, 5.0))
        assert time.monotonic() - began_s > 0.15
        is_free.set()
        last = decision(9_999, 5.0)
        sink.emit(last)
        until(lambda: ask_json(sink.port, "/api/v1/now")["decision"] == last.to_dict())
        health = ask_json(sink.port, "/api/v1/health")
        assert (health["decisions"], health["left_out"]) == (sink_module._N_UNDERWAY + 1, 4)
