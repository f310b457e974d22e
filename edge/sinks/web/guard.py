"""Who may ask, and how: before any answer is made."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from edge.sinks.web.event_stream import Message, Receive, Send
from edge.sinks.web.settings import WebSettings, is_loopback
from edge.sinks.web.words import as_json

__all__ = ["COOKIE", "Guard"]

COOKIE = "edge_ser_page"
_COOKIE_S = 30 * 86_400
_LONGEST_QUERY = 2_048
#: Asked by our page, or by a person.
_OWN_SITE = {"same-origin", "none"}

Headers = list[tuple[bytes, bytes]]
App = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

#: With every answer: nothing from elsewhere, no script and style but ours, in nobody's frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src '%s'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]


class Guard:
    """Lets through what is a plain question of somebody who may ask.

    Parameters
    ----------
    app : ASGI application
        Answers.
    settings : WebSettings
    style_hash : str
        Of the only style that a browser obeys.

    Notes
    -----
    Without a token the page is for this machine, and a page of the web that has its own name
    point here (DNS rebinding) is told apart by the name it asks for.
    """

    def __init__(self, app: App, settings: WebSettings, style_hash: str) -> None:
        self._safe = [(b"content-security-policy", (_POLICY % style_hash).encode()), *_SAFE]
        self._app, self._token = app, settings.token
        # Derived: the token itself lies in no browser.
        self._cookie = hmac.new(
            settings.token.encode(), b"edge-ser cookie", hashlib.sha256
        ).hexdigest()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._safe]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_safely)
            return
        status, headers, sentence = refusal
        body = as_json({"error": sentence}) if sentence else b""
        headers = [
            *headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send_safely({"type": "http.response.start", "status": status, "headers": headers})
        await send_safely({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Mapping[str, Any]) -> tuple[int, Headers, str] | None:
        headers = _as_text(scope["headers"])
        refusal = _odd_question(scope, headers)
        if refusal is not None:
            return refusal
        if not self._token:
            if _is_own_name(headers.get("host", "")):
                return None
            return 421, [], "the name in Host is not this machine's own: localhost is wanted"
        return self._without_token(scope, headers)

    def _without_token(
        self, scope: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, Headers, str] | None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _is_same(given.strip(), self._token):
            return None
        if any(_is_same(each, self._cookie) for each in _cookies(headers.get("cookie", ""))):
            return None
        try:
            pairs = parse_qsl(scope["query_string"].decode("ascii", "replace"), max_num_fields=32)
        except ValueError:
            pairs = []
        if any(name == "token" and _is_same(value, self._token) for name, value in pairs):
            rest = urlencode([pair for pair in pairs if pair[0] != "token"])
            # Of ours alone, and never of another host: a path that begins with two slashes is one.
            path = "/" + scope.get("raw_path", b"/").decode("ascii", "replace").lstrip("/\\")
            cookie = (
                f"{COOKIE}={self._cookie}; Path=/; Max-Age={_COOKIE_S}; HttpOnly; SameSite=Strict"
            )
            return (
                303,
                [
                    (b"location", (path + (f"?{rest}" if rest else "")).encode("ascii", "replace")),
                    (b"set-cookie", cookie.encode()),
                ],
                "",
            )
        return (
            401,
            [(b"www-authenticate", b'Bearer realm="edge-ser"')],
            "a token is wanted: open this page once with ?token=TOKEN behind its address, or send "
            "the header Authorization: Bearer TOKEN",
        )


def _odd_question(
    scope: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[int, Headers, str] | None:
    if scope["method"] not in {"GET", "HEAD"}:
        return 405, [(b"allow", b"GET, HEAD")], "GET or HEAD is wanted: nothing is changed here"
    if headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers:
        return 400, [(b"connection", b"close")], "a question without a body is wanted"
    if len(scope["query_string"]) > _LONGEST_QUERY:
        return 414, [], "a shorter question is wanted"
    # Another port of this machine is the same site, and still somebody else's page.
    if headers.get("sec-fetch-site", "none") not in _OWN_SITE and scope["path"] != "/":
        return 403, [], "the page of somebody else may not ask"
    return None


def _as_text(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _is_own_name(host: str) -> bool:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::[0-9]{1,5})?", host)
    return match is not None and is_loopback(match[1].strip("[]"))


def _cookies(header: str) -> list[str]:
    pairs = (pair.partition("=") for pair in header[:4_096].split(";"))
    return [value.strip() for name, _, value in pairs if name.strip() == COOKIE]


def _is_same(given: str, wanted: str) -> bool:
    # Digests are of one length, so that nothing is told by how long it takes.
    return hmac.compare_digest(
        hashlib.sha256(given.encode("utf-8", "replace")).digest(),
        hashlib.sha256(wanted.encode()).digest(),
    )
