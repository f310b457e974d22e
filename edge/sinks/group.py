"""Several sinks as one, of which any may fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from edge.errors import EdgeSerError, SinkError
from edge.sinks.base import Sink
from edge.stream.decision import Decision
from edge.stream.events import Event
from edge.stream.status import Status

__all__ = ["SinkGroup"]


class SinkGroup:
    """Sinks that do not spoil each other's day; a context manager.

    Parameters
    ----------
    sinks : sequence of Sink
    notice : callable
        Takes every warning as well, such as for standard error.  Must not raise.
    say : callable, optional
        Takes what a source says of itself, which is no warning; None: ``notice`` does.

    Attributes
    ----------
    has_failed : bool
        Whether one of them raised, so that something was not told to the end; a reader that went
        away had heard enough.

    Notes
    -----
    A sink that raises is closed and named in a warning, once; the others go on.  When the
    last one fails, so does the call: nobody is left to decide for.  Without any sinks from
    the start nothing fails.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        notice: Callable[[str], None],
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._sinks = list(sinks)
        self._notice = notice
        self._say = say or notice
        self.has_failed = False

    def __enter__(self) -> SinkGroup:
        """Open all of them."""
        waiting, self._sinks = self._sinks, []
        try:
            while waiting:
                self._sinks.append(waiting.pop(0))
                self._tell([self._sinks[-1]], lambda sink: sink.open(), is_last=not waiting)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all that are left."""
        self._close()

    def emit(self, decision: Decision) -> None:
        """Pass a decision on.

        Raises
        ------
        OSError, EdgeSerError
            The error of the last sink, when none is left.
        """
        if decision.warning is not None:
            self._notice(decision.warning)
        self._tell(self._sinks, lambda sink: sink.emit(decision))

    def event(self, event: Event) -> None:
        """Pass on a beginning or an ending; fails as :meth:`emit`."""
        self._tell(self._sinks, lambda sink: sink.event(event))

    def status(self, status: Status) -> None:
        """Pass on what the source has to say of itself; fails as :meth:`emit`."""
        self._say(status.sentence)
        self._tell(self._sinks, lambda sink: sink.status(status))

    def note(self, sentence: str) -> None:
        """Say what the records have told the sinks already."""
        self._notice(sentence)

    def warn(self, sentence: str) -> None:
        """Pass a warning on; fails as :meth:`emit`."""
        self._notice(sentence)
        self._tell(self._sinks, lambda sink: sink.warn(sentence))

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Pass on what the run came to; fails as :meth:`emit`."""
        self._tell(self._sinks, lambda sink: sink.summary(summary))

    def _tell(
        self, sinks: Sequence[Sink], do: Callable[[Sink], None], *, is_last: bool = True
    ) -> None:
        failed: list[str] = []
        for sink in list(sinks):
            try:
                do(sink)
            except Exception as error:
                self._note_failure(error)
                self._sinks = [one for one in self._sinks if one is not sink]
                _close_quietly(sink)
                if is_last and not self._sinks:
                    if isinstance(error, (OSError, EdgeSerError)):
                        raise
                    raise SinkError(
                        f"{_name(sink)} failed ({_words(error)}), and no other sink is left"
                    ) from error
                failed.append(f"{_name(sink)} failed and is closed ({_words(error)})")
        for sentence in failed:
            # Those that are left are told, and may fail on it in their turn.
            self.warn(sentence)

    def _close(self) -> None:
        for sink in self._sinks:
            try:
                sink.close()
            except SinkError as error:
                self._note_failure(error)
                self._notice(str(error))
            except Exception as error:
                self._note_failure(error)
                self._notice(f"{_name(sink)} failed to close ({_words(error)})")
        self._sinks = []

    def _note_failure(self, error: Exception) -> None:
        self.has_failed = self.has_failed or not isinstance(error, BrokenPipeError)


def _close_quietly(sink: Sink) -> None:
    # It failed already and was named for that.
    with contextlib.suppress(Exception):
        sink.close()


def _name(sink: Sink) -> str:
    return f"the sink {getattr(sink, 'name', type(sink).__name__)}"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
