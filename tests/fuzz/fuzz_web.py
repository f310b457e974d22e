"""Bytes to the page's port: requests that are nearly right, and what is none at all."""

from __future__ import annotations

import contextlib
import io
import random
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.errors import ParameterError
from fuzz.mutate import mutate_bytes
from fuzz.target import Trial, UnsoundError

__all__ = ["WebTarget", "hostile_request"]

_METHODS = ("GET",) * 8 + ("HEAD", "POST", "OPTIONS", "CONNECT", "get", "G\x00T", "", "A" * 300)
_PATHS = (
    *("/", "/page.js", "/api/v1/now", "/api/v1/recent", "/api/v1/health", "/api/v1/about"),
    *("/api/v1/openapi.json", "/metrics", "/healthz", "/api/v1/history?span=day"),
    *("/api/v1/recent?span_s=", "/api/v1/history?span=", "/?token=", "*", "", "//", "/%00"),
    *("/%ff%fe", "/..%2f..%2fetc/passwd", "/../../page.css", "http://elsewhere.example/"),
    *("/page.js\u00e9", "/" + "a" * 5_000, "/?" + "&" * 1_500, "/%", "/api/v1/%6eow", "\\"),
)
_VERSIONS = ("HTTP/1.1",) * 6 + ("HTTP/1.0", "HTTP/2", "HTTP/9.9", "http/1.1", "", "HTTP/1.1 x")
_VALUES = (
    "", "1", "-1", "nan", "1e999", "5.5", "day", "x" * 3_000, "\u0661", "%", "%zz", "'\"<script>",
    "a=b; c=d", ";;;", "==", "Bearer", "Bearer x", "Basic eDp5", "chunked", "chunked, chunked",
    "99999999999999999999", "0x10", "close", "keep-alive", "upgrade", "websocket", "100-continue",
)  # fmt: skip
_HEADERS = (
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "Cookie",
    "Authorization", "If-None-Match", "Range", "Accept-Encoding", "Sec-Fetch-Site", "X" * 200,
    "X-Forwarded-For", "Sec-WebSocket-Key", "Bad Name", "", "N\u00e4me", ":", "Origin",
)  # fmt: skip
_HOSTS = ("localhost",) * 6 + ("127.0.0.1", "[::1]:80", "elsewhere.example", "", "a" * 300, "\x7f")
_MAX_BYTES = 40_000
_NOW = b"GET /api/v1/now HTTP/1.1\r\nHost: localhost\r\n\r\n"


def hostile_request(rng: random.Random) -> bytes:
    """Draw what somebody may send to the port."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.choice((0, 1, 10, 300, 20_000)))
    if kind == 1:
        # Another protocol, or a header without an end.
        return rng.choice(
            (b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 400,
             b"GET / HTTP/1.1\r\nA: " + b"b" * 30_000, b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 5_000,
             b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\n\n", b"\x00" * 64)
        )  # fmt: skip
    request = b"".join(_request(rng) for _ in range(rng.choice((1, 1, 1, 2, 5))))
    if kind < 5:
        request = mutate_bytes(rng, request)
    if kind == 5:
        request = request[: rng.randrange(len(request) + 1)]
    return request[:_MAX_BYTES]


def _request(rng: random.Random) -> bytes:
    path = rng.choice(_PATHS)
    if path.endswith("="):
        path += rng.choice(_VALUES)
    end = rng.choice(("\r\n",) * 8 + ("\n", "\r", ""))
    lines = [f"{rng.choice(_METHODS)} {path} {rng.choice(_VERSIONS)}"]
    if rng.random() < 0.9:
        lines.append(f"Host: {rng.choice(_HOSTS)}")
    for _ in range(rng.choice((0, 0, 1, 2, 8))):
        lines.append(f"{rng.choice(_HEADERS)}: {rng.choice(_VALUES)}")
    body = rng.choice(("",) * 5 + ("x" * 100, "5\r\nabcde\r\n0\r\n\r\n", "ffffffffff\r\n"))
    return (end.join(lines) + end + end + body).encode("utf-8", "surrogateescape")


class WebTarget:
    """Through a socket, to a page that is served."""

    may_probe = False
    needs = ("prometheus_client", "starlette", "uvicorn")
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Serve a page on a free port."""
        from edge.sinks.registry import About, SinkSettings
        from edge.sinks.web.settings import WebSettings
        from edge.sinks.web.sink import WebSink
        from edge.stream.decision import Decision

        self._said: list[str] = []
        settings = SinkSettings(
            io.StringIO(),
            labels=("happy", "sad"),
            warn=self._said.append,
            # It is alive for as long as the trials take.
            about=About(hop_s=1e6),
        )
        self._sink: Any = WebSink(WebSettings("127.0.0.1", 0), settings)
        self._sink.open()
        self._sink.emit(Decision(0.0, 3.0, "quiet", None, None, None, -70.0, time_s=1.0))

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Draw bytes; sent, they are answered or the connection is cut."""
        request = hostile_request(trial.rng)
        (trial.folder / "request.bin").write_bytes(request)
        # The guard forbids new sockets; the second has an answer, so the first is taken in.
        client, second = self._connect(), self._connect()
        second.sendall(_NOW)
        _read(second)

        def send() -> None:
            with client, second:
                with contextlib.suppress(ConnectionError):
                    client.sendall(request)
                    client.shutdown(socket.SHUT_WR)
                answer = _read(client)
                second.sendall(_NOW)
                _judge(answer, _read(second), self._said)

        return send

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._sink.port), 5)


def _read(client: socket.socket) -> bytes:
    """Read the first answer's beginning, or all of one that says how long it is."""
    text = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65_536):
            text += piece
            head, mark, body = text.partition(b"\r\n\r\n")
            n_bytes = re.search(rb"content-length: (\d+)", head)
            if mark and (n_bytes is None or len(body) >= int(n_bytes[1])):
                break
    return text


def _judge(answer: bytes, now: bytes, said: list[str]) -> None:
    if answer and not answer.startswith(b"HTTP/1.1 "):
        raise UnsoundError(f"no answer of HTTP: {answer[:80]!r}")
    status = int(answer[9:12]) if answer else 400
    if status >= 500 or said:
        raise UnsoundError(f"{status}, and {said} was said")
    if b'"state":"quiet"' not in now:
        raise UnsoundError(f"it is not what it was: {now[:200]!r}")
    if status >= 400:
        raise ParameterError(f"refused with {status}")
