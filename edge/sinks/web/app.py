"""What is answered where: the page, the interface for programs, figures, and whether it lives."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from edge.sinks.registry import About
from edge.sinks.web.about import about_json
from edge.sinks.web.assets import read_assets
from edge.sinks.web.board import LONGEST_RECENT_S, Board
from edge.sinks.web.event_stream import EventStream, Receive, Send
from edge.sinks.web.guard import App
from edge.sinks.web.history import SPANS, HistoryPages
from edge.sinks.web.metrics import Metrics
from edge.sinks.web.openapi import openapi_json
from edge.sinks.web.words import Word, as_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Answers", "make_app"]

_JSON = "application/json"
_USUAL_RECENT_S = 300.0


@dataclasses.dataclass(slots=True)
class Answers:
    """All that is answered from; belongs to the event loop's thread.

    Parameters
    ----------
    about : About
    labels : tuple of str
        Those of the model.
    board : Board
    stream : EventStream
    history : HistoryPages
    metrics : Metrics
    complain : callable
        Takes the sentence for an error of ours.
    """

    about: About
    labels: tuple[str, ...]
    board: Board
    stream: EventStream
    history: HistoryPages
    metrics: Metrics
    complain: Callable[[str], None]

    def tell(self, word: Word) -> None:
        """Pass on what the sink was told."""
        self.board.tell(word)
        if word.latency_ms is not None:
            self.metrics.observe(word.latency_ms)
        self.stream.tell(word.kind, word.record)


class _Events:
    """The answer that goes on."""

    def __init__(self, stream: EventStream, first: bytes) -> None:
        self._stream, self._first = stream, first

    async def __call__(self, _scope: Any, receive: Receive, send: Send) -> None:
        await self._stream.serve(self._first, receive, send)


def make_app(answers: Answers) -> App:
    """Make the application.

    Parameters
    ----------
    answers : Answers

    Returns
    -------
    ASGI application
        Without a guard.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.routing import Route

    board, stream = answers.board, answers.stream
    about = about_json(answers.about, answers.labels)
    document = openapi_json(answers.about.version)

    def json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(
            body, status, {"cache-control": "no-store", **(headers or {})}, media_type=_JSON
        )

    def refused(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
        return json(as_json({"error": sentence}), status, headers)

    async def now(_request: Request) -> Response:
        return json(board.now())

    async def recent(request: Request) -> Response:
        text = request.query_params.get("span_s", str(_USUAL_RECENT_S))
        try:
            span_s = float(text)
        except ValueError:
            span_s = -1.0
        if not 0 < span_s <= LONGEST_RECENT_S:
            return refused(
                400, f"span_s is {text[:40]!r}, a number over 0 to {LONGEST_RECENT_S:g} is wanted"
            )
        return json(board.recent(span_s))

    async def history(request: Request) -> Response:
        span = request.query_params.get("span", "day")
        if span not in SPANS:
            return refused(400, f"span is {span[:40]!r}, one of {', '.join(SPANS)} is wanted")
        return json(await answers.history.answer(span))

    async def health(_request: Request) -> Response:
        return json(board.health_json(stream.n_clients, stream.n_left_out))

    async def healthz(_request: Request) -> Response:
        body = as_json({"ok": not board.is_late, "age_s": board.health()["age_s"]})
        return json(body, 503 if board.is_late else 200)

    async def events(request: Request) -> Response:
        if request.method == "HEAD":
            return Response(b"", 200, media_type="text/event-stream")
        if not stream.has_room:
            return refused(503, "too many listen already", {"retry-after": "30"})
        first = b"retry: 2000\n\n"
        if board.latest is not None:
            first += b"event: decision\ndata: %s\n\n" % board.latest.record
        return _Events(stream, first)  # type: ignore[return-value]

    async def metrics(_request: Request) -> Response:
        return Response(answers.metrics.text(), 200, {"content-type": answers.metrics.media_type})

    async def not_found(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return refused(status, "there is nothing here: /api/v1/openapi.json says what there is")

    async def failed(_request: Request, error: Exception) -> Response:
        answers.complain(f"the page could not answer: {error!r}"[:300])
        return refused(500, "this could not be answered, and the log of edge-ser says why")

    assets = read_assets()
    routes = [
        Route("/", _constant(assets.html, "text/html; charset=utf-8")),
        Route("/page.js", _constant(assets.script, "text/javascript; charset=utf-8")),
        Route("/api/v1/now", now),
        Route("/api/v1/recent", recent),
        Route("/api/v1/history", history),
        Route("/api/v1/health", health),
        Route("/api/v1/about", _constant(about, _JSON)),
        Route("/api/v1/events", events),
        Route("/api/v1/openapi.json", _constant(document, _JSON)),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: not_found, Exception: failed})
    # It would send whoever asks for "//elsewhere/" there.
    app.router.redirect_slashes = False
    return app  # type: ignore[return-value]


def _constant(body: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """Answer with what never changes while this runs."""
    from starlette.responses import Response

    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"cache-control": "no-cache", "etag": tag}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(None, 304, headers)
        return Response(body, 200, headers, media_type=kind)

    return answer
