"""Server-sent events to many, of whom any may be slow or stand still."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

__all__ = ["EventStream"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Who is told at once; more are sent away.
_N_CLIENTS = 256
#: Records that wait for one client: half a minute of them.
_N_WAITING = 64
#: Handed on at once; what is longer waits here, where all share it, and not in a copy of each.
_PIECE_BYTES = 8_192
#: So many clients are woken at once, and then others have the processor.
_N_AT_ONCE, _PAUSE_S = 16, 0.002
#: A line that says nothing, so that whoever is gone is noticed.
_BEAT_S = 15.0
_HEAD = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # A proxy in front must not collect them.
    (b"x-accel-buffering", b"no"),
)


class _Client:
    """One that listens: what it was not sent yet."""

    __slots__ = ("has_ended", "is_due", "n_lost", "waiting")

    def __init__(self) -> None:
        self.waiting: collections.deque[bytes] = collections.deque()
        self.is_due = asyncio.Event()
        self.n_lost = 0
        self.has_ended = False

    def take(self) -> bytes:
        """Give a piece of what waits, and say what was left out before it."""
        taken, n_bytes = [], 0
        if self.n_lost:
            taken.append(b'event: lost\ndata: {"n_lost":%d}\n\n' % self.n_lost)
            self.n_lost = 0
        while self.waiting and n_bytes < _PIECE_BYTES:
            taken.append(self.waiting.popleft())
            n_bytes += len(taken[-1])
        return b"".join(taken)


class EventStream:
    """Hands records to everybody who listens; belongs to the event loop's thread.

    Parameters
    ----------
    n_clients : int
        Most that listen at once.
    n_waiting : int
        Most records that wait for one of them: the oldest is then left out and counted.
    """

    def __init__(self, n_clients: int = _N_CLIENTS, n_waiting: int = _N_WAITING) -> None:
        self._n_most, self._n_waiting = n_clients, n_waiting
        self._clients: set[_Client] = set()
        self._n_told = 0
        self.n_left_out = 0
        self._beat: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def n_clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    @property
    def has_room(self) -> bool:
        """Whether one more may."""
        return len(self._clients) < self._n_most and not self._is_closed

    def tell(self, kind: str, record: bytes) -> None:
        """Pass a record on to everybody, and wait for nobody."""
        self._n_told += 1
        self._pass_on(b"id: %d\nevent: %s\ndata: %s\n\n" % (self._n_told, kind.encode(), record))

    def close(self) -> None:
        """Send everybody what is left, and home."""
        self._is_closed = True
        if self._beat is not None:
            self._beat.cancel()
        for client in self._clients:
            client.has_ended = True
            client.is_due.set()

    async def serve(self, first: bytes, receive: Receive, send: Send) -> None:
        """Serve one client until it goes; ``first`` is what it is told at once."""
        client = _Client()
        self._clients.add(client)
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(_BEAT_S, self._keep_alive)
        gone = asyncio.ensure_future(_wait_until_gone(client, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEAD)})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            while True:
                await client.is_due.wait()
                client.is_due.clear()
                has_ended = client.has_ended
                while text := client.take():
                    await send({"type": "http.response.body", "body": text, "more_body": True})
                if has_ended:
                    break
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._clients.discard(client)
            gone.cancel()

    def _pass_on(self, text: bytes) -> None:
        for client in self._clients:
            if len(client.waiting) >= self._n_waiting:
                client.waiting.popleft()
                client.n_lost += 1
                self.n_left_out += 1
            client.waiting.append(text)
        self._wake(list(self._clients))

    def _wake(self, clients: Sequence[_Client]) -> None:
        # A few at a time: two hundred at once would keep the interpreter from whoever decides.
        for client in clients[:_N_AT_ONCE]:
            client.is_due.set()
        if rest := clients[_N_AT_ONCE:]:
            asyncio.get_running_loop().call_later(_PAUSE_S, self._wake, rest)

    def _keep_alive(self) -> None:
        self._beat = None
        if self._clients and not self._is_closed:
            for client in self._clients:
                if not client.waiting:
                    client.waiting.append(b":\n\n")
            self._wake(list(self._clients))
            self._beat = asyncio.get_running_loop().call_later(_BEAT_S, self._keep_alive)


async def _wait_until_gone(client: _Client, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client.has_ended = True
    client.waiting.clear()
    client.is_due.set()
