"""What serves: uvicorn with a loop of its own, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from edge.errors import SinkError
from edge.sinks.web.guard import App
from edge.sinks.web.settings import WebSettings

__all__ = ["WebServer", "bind"]

#: Longest wait for the thread to begin, and, of the two seconds that closing may take, for whoever
#: reads slowly and for the thread to end.
_START_S, _PATIENCE_S, _END_S = 4.0, 0.5, 1.5
#: A request is in our hands by then, and an answer in the client's, or the connection is cut.
_REQUEST_S, _STALLED_S = 10.0, 30.0
#: Between two requests.
_IDLE_S = 20
#: Connections, open and half open; files of the process are worth more.
_N_CONNECTIONS = 400
_N_BACKLOG = 128
_HEADER_BYTES = 16_384
#: Waits for a client in the system's hands. In ours it is little: each has a copy of its own there,
#: while the records that wait behind it are shared by all.
_BUFFER_BYTES, _OWN_BYTES = 65_536, 8_192
#: Closed by a reset: what is left is thrown away, on both sides and at once. The system would keep
#: it, and offer it for minutes to whoever reads nothing.
_NO_LINGER = struct.pack("ii", 1, 0)


def bind(settings: WebSettings) -> socket.socket:
    """Take the address.

    Raises
    ------
    SinkError
        If it is taken, not this machine's, or not allowed.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SinkError(
            f"the page cannot be served at {where}: {error.strerror}; an address of this machine "
            "is wanted, such as web:127.0.0.1:8080"
        ) from error
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        taken.bind(address)
        # Here and not by the loop: two that bind may both believe that it is theirs.
        taken.listen(_N_BACKLOG)
        taken.setblocking(False)
    except OSError as error:
        taken.close()
        raise SinkError(
            f"the page cannot be served at {where}: {error.strerror}; name another port, such as "
            f"web:{settings.host}:{settings.port % 60_000 + 1_024}"
        ) from error
    return taken


class WebServer:
    """Serves an application until it is stopped.

    Parameters
    ----------
    app : callable
    at : socket
        Bound and listening.
    end : callable
        Called in the loop as it ends, so that whoever listens is sent home.
    """

    def __init__(self, app: App, at: socket.socket, end: Callable[[], None]) -> None:
        import uvicorn

        self._at, self._end = at, end
        self._loop = asyncio.new_event_loop()
        # Whatever a stranger does to a connection is no news for a journal.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._has_started = threading.Event()
        self._error: BaseException | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=_protocol(),
                ws="none",
                lifespan="off",
                loop="none",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=_HEADER_BYTES,
            )
        )
        self._thread = threading.Thread(target=self._run, name="web server", daemon=True)

    def start(self) -> None:
        """Begin to serve.

        Raises
        ------
        SinkError
            If it does not begin.
        """
        self._thread.start()
        self._has_started.wait(_START_S)
        self.check()
        if not self._has_started.is_set():
            raise SinkError(f"the page's server did not begin in {_START_S:g} s")

    def check(self) -> None:
        """Raise what ended it.

        Raises
        ------
        SinkError
        """
        if self._error is not None:
            raise SinkError(f"the page's server ended: {self._error!r}"[:300]) from self._error

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have something done by the thread that serves, soon; nothing once it has ended."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if self._thread.is_alive():
                raise

    def stop(self) -> None:
        """Send everybody home and end, within two seconds."""
        if self._thread.is_alive():
            self.call(self._finish)
            self._thread.join(_END_S + _PATIENCE_S)
        self._at.close()

    def _finish(self) -> None:
        self._end()
        self._server.should_exit = True
        self._loop.call_later(_PATIENCE_S, self._cut)

    def _cut(self) -> None:
        # Who has not read by now is not waited for.
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._has_started.set()
            self._loop.close()

    async def _serve(self) -> None:
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._at]))
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        self._has_started.set()
        await serving


def _protocol() -> Any:
    """Give uvicorn's protocol, with an end to every wait."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    silent = logging.Logger("edge_ser.web", logging.CRITICAL + 1)

    class BoundedProtocol(H11Protocol):  # type: ignore[misc,unused-ignore]
        """One connection."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.logger = silent
            self._deadline: asyncio.TimerHandle | None = None
            self._stalled: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=_OWN_BYTES)
            if len(self.connections) > _N_CONNECTIONS:
                transport.abort()
                return
            self._expect()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._expect()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._unset_keepalive_if_required()
            self._forget()
            if self._stalled is not None:
                self._stalled.cancel()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stalled = self.loop.call_later(_STALLED_S, self._cut_off)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._stalled is not None:
                self._stalled.cancel()
                self._stalled = None

        def _cut_off(self) -> None:
            connection = self.transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.transport.abort()

        def _expect(self) -> None:
            # Bytes of a request that trickle in do not move its end.
            is_answering = self.cycle is not None and not self.cycle.response_complete
            if is_answering or self.timeout_keep_alive_task is not None:
                self._forget()
            elif self._deadline is None and not self.transport.is_closing():
                self._deadline = self.loop.call_later(_REQUEST_S, self.transport.abort)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return BoundedProtocol
