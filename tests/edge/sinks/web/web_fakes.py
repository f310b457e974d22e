"""What the tests of the page tell it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import io
import json
import math
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.sinks.web.app import Answers, make_app
from edge.sinks.web.assets import read_assets
from edge.sinks.web.board import Board
from edge.sinks.web.event_stream import EventStream
from edge.sinks.web.guard import Guard
from edge.sinks.web.history import HistoryPages
from edge.sinks.web.metrics import Metrics
from edge.sinks.web.settings import WebSettings, read_settings
from edge.sinks.web.sink import WebSink
from edge.stream.decision import Decision, Timing

LABELS = ("neutral", "happy", "sad", "angry")
ACCURACY = (
    {
        "split": "speaker-5fold, toy",
        "metric": "uar",
        "value": 0.625,
        "n": 1320,
        "ci95": [0.6, 0.65],
    },
    {"split": "paper", "metric": "accuracy", "value": 0.88, "n": 2997, "sd": 0.01, "command": "x"},
    {"split": "speaker-5fold", "metric": "ece", "value": 0.05, "n": 10},
)
ABOUT = About("0.1.0", "toy-model", "ab" * 32, "mic", 0.5, ACCURACY)
TOKEN = "correct-horse-battery"


def decision(n: int, time_s: float | None = None, **changes: Any) -> Decision:
    """Speech, by turns of every label; every seventh is quiet."""
    quiet = n % 7 == 6
    label = LABELS[n // 3 % len(LABELS)]
    posterior = {each: 0.7 if each == label else 0.1 for each in LABELS}
    made: dict[str, Any] = {
        "start_s": n * 0.5,
        "end_s": n * 0.5 + 3.0,
        "state": "quiet" if quiet else "speech",
        "label": None if quiet else label,
        "posterior": None if quiet else posterior,
        "raw_label": None if quiet else label,
        "level_db": -70.0 if quiet else -20.0,
        "activation": None if quiet else round(0.5 + 0.4 * math.sin(n), 3),
        "timing": Timing(2.0, 1.0, 4.0 + n % 5),
        "time_s": time.time() if time_s is None else time_s,
    }
    return Decision(**made | changes)


@contextlib.contextmanager
def served(options: str = "", read: Any = None, host: str = "127.0.0.1") -> Iterator[WebSink]:
    """Serve a page on a free port."""
    target = target_from_text(f"web:{host}:0{options}")
    said: list[str] = []
    settings = SinkSettings(
        io.StringIO(), labels=LABELS, about=ABOUT, warn=said.append, say=said.append
    )
    sink = WebSink(read_settings(target, {}), settings, read)
    sink.open()
    sink.said = said
    try:
        yield sink
    finally:
        sink.close()


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask once; header names have underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def ask_json(port: int, path: str, **headers: str) -> Any:
    """Ask for what must be there."""
    status, found, body = ask(port, path, **headers)
    assert status == 200, (status, body)
    assert found["content-type"] == "application/json"
    return json.loads(body)


def until(is_so: Any, limit_s: float = 10.0) -> None:
    """Wait for something."""
    end_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end_s, "it did not come to be"
        time.sleep(0.01)


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


@dataclasses.dataclass
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Bench:
    """The application without a server, and the clock that it reads."""

    def __init__(self, token: str = "", read: Any = None) -> None:
        self.clock = Clock()
        self.board = Board(ABOUT, self.clock)
        stream = EventStream(n_clients=2)
        self.complaints: list[str] = []
        self.answers = Answers(
            ABOUT, LABELS, self.board, stream, HistoryPages(read),
            Metrics(self.board, stream, ABOUT), self.complaints.append,
        )  # fmt: skip
        settings = WebSettings("127.0.0.1", 80, token)
        self._app = Guard(make_app(self.answers), settings, read_assets().style_hash)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def request(self, method: str, path: str, content: bytes = b"", **headers: str) -> Answer:
        """Ask as a server would; the headers' names have underscores."""
        named = {"host": "localhost"} | headers
        if content:
            named["content_length"] = str(len(content))
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": unquote(path), "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "server": ("127.0.0.1", 80), "client": None,
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in named.items()
            ],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        async def run() -> None:
            # What the application could not answer is raised behind its answer.
            with contextlib.suppress(ZeroDivisionError):
                await self._app(scope, receive, send)

        asyncio.run(run())
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(each["body"] for each in sent[1:]))

    def tell(self, *words) -> None:
        # Not through the stream, which wants a loop.
        for word in words:
            self.board.tell(word)
            if word.latency_ms is not None:
                self.answers.metrics.observe(word.latency_ms)
