"""The sink: what it is told crosses to the thread that serves, and nobody is waited for."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import MissingDependencyError, SinkError, printable
from edge.sinks.base import SinkBase
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.sinks.web.app import Answers, make_app
from edge.sinks.web.assets import read_assets
from edge.sinks.web.board import Board
from edge.sinks.web.event_stream import EventStream
from edge.sinks.web.guard import Guard
from edge.sinks.web.history import HistoryPages, Reader
from edge.sinks.web.metrics import Metrics
from edge.sinks.web.server import WebServer, bind
from edge.sinks.web.settings import WebSettings, read_settings
from edge.sinks.web.words import (
    Word,
    of_decision,
    of_event,
    of_status,
    of_summary,
    of_warning,
)
from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status

__all__ = ["WebSink", "make"]

#: Records on their way to the thread that serves: a file that is decided on at full speed waits.
_N_UNDERWAY = 256
#: Longest wait for it by a record; what then finds no room is left out and counted.
_PATIENCE_S = 1.0

_PACKAGES = {
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "prometheus_client": "prometheus-client",
}


class WebSink(SinkBase):
    """Serves the page while it is open.

    Parameters
    ----------
    web : WebSettings
    settings : SinkSettings
    read : Reader, optional
        Of the history; None: there is none.

    Attributes
    ----------
    port : int
        The one that it is served at, once it is open.
    """

    def __init__(
        self, web: WebSettings, settings: SinkSettings, read: Reader | None = None
    ) -> None:
        self._web, self._settings, self._read = web, settings, read
        self._server: WebServer | None = None
        self._answers: Answers | None = None
        self._has_complained = False
        self._room = threading.Semaphore(_N_UNDERWAY)
        self._n_lost = 0
        self.port = web.port

    def open(self) -> None:
        """Begin to serve.

        Raises
        ------
        SinkError
            If the address cannot be had.
        """
        about = self._settings.about
        at = bind(self._web)
        try:
            self.port = int(at.getsockname()[1])
            board, stream = Board(about), EventStream()
            self._answers = Answers(
                about,
                self._settings.labels,
                board,
                stream,
                HistoryPages(self._read, self._settings.now),
                Metrics(board, stream, about),
                self._complain,
            )
            app = Guard(make_app(self._answers), self._web, read_assets().style_hash)
            self._server = WebServer(app, at, stream.close)
            self._server.start()
        except BaseException:
            at.close()
            raise
        host = f"[{self._web.host}]" if ":" in self._web.host else self._web.host
        self._settings.say(f"the page is at http://{host}:{self.port}/")
        if self._web.is_token_open:
            self._settings.warn(
                "other users of this machine may read the token's file: chmod 600 mends it"
            )

    def emit(self, decision: Decision) -> None:
        """Show a decision or a gap."""
        self._tell(of_decision, decision)
        if decision.warning is not None:
            self.warn(decision.warning)

    def event(self, event: Event) -> None:
        """Show that a label began to hold or ended."""
        self._tell(of_event, event)

    def status(self, status: Status) -> None:
        """Show what the source has to say of itself."""
        self._tell(of_status, status)

    def warn(self, sentence: str) -> None:
        """Show what was odd."""
        self._tell(of_warning, sentence, self._settings.now())

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Show what the run came to."""
        self._tell(of_summary, summary)

    def close(self) -> None:
        """Send everybody home and let the address go."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _tell(self, make_word: Callable[..., Word], *arguments: Any) -> None:
        server, answers = self._server, self._answers
        if server is None or answers is None:
            raise SinkError("the page is not open")
        server.check()
        if not self._room.acquire(timeout=_PATIENCE_S):
            self._n_lost += 1
            return
        server.call(self._hand_over, answers, make_word(*arguments), self._n_lost)
        self._n_lost = 0

    def _hand_over(self, answers: Answers, word: Word, n_lost: int) -> None:
        self._room.release()
        answers.stream.n_left_out += n_lost
        answers.tell(word)

    def _complain(self, sentence: str) -> None:
        # Once: whoever can bring it about could do so all day.
        if not self._has_complained:
            self._has_complained = True
            self._settings.warn(sentence)


def make(target: Target, settings: SinkSettings) -> WebSink:
    """Make one for the registry.

    Raises
    ------
    ParameterError
        As :func:`read_settings`.
    MissingDependencyError
        If a package that serves is not installed.
    """
    web = read_settings(target)
    _check_packages()
    history = web.history or settings.history
    return WebSink(web, settings, _reader(history) if history else None)


def _reader(path: str) -> Reader:
    def read(since_s: float) -> Any:
        from edge.history import open_history

        # By whole hours: the first would hold a part of one.
        return open_history(path).summary(3_600 * math.floor(since_s / 3_600), by="hour")

    return read


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            f"the page needs {' and '.join(missing)}, which cannot be imported; install with: "
            f"pip install {' '.join(map(printable, _PACKAGES.values()))}"
        )
