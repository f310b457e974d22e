"""SIGHUP: the options are read anew while the old ones still listen, and then changed over to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from edge.sources.base import Block, Gap, Source, Status, Stop

__all__ = ["KeptSource", "Reloader", "RunStop", "has_terminal"]

Plan = TypeVar("Plan")

#: Longest wait, at the end, for options that are just being read.
_LAST_S = 5.0


def has_terminal() -> bool:
    """Whether a terminal controls this process, whose closing sends SIGHUP as well."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


class RunStop(Stop):
    """Ends one run, and is requested as well when the whole command is to end.

    Parameters
    ----------
    whole : Stop
        Of the command.
    """

    __slots__ = ("_own", "_whole")

    def __init__(self, whole: Stop) -> None:
        self._whole = whole
        self._own = False

    @property
    def requested(self) -> bool:
        """Whether the run is to end."""
        return self._own or self._whole.requested

    @requested.setter
    def requested(self, value: bool) -> None:
        self._own = value


class KeptSource:
    """A source that outlives a run: the next goes on with the very next sample.

    Parameters
    ----------
    source : Source
    whole : Stop
        Of the command.

    Attributes
    ----------
    name : str
        The source's own.
    waited_s : float
        Seconds of this run that were spent waiting for audio.
    stop : RunStop
        Ends the source itself.
    has_ended : bool
        Whether it came to its end without being told to.
    """

    def __init__(self, source: Source, whole: Stop) -> None:
        self.stop = RunStop(whole)
        self.name = source.name
        self.waited_s = 0.0
        self._source = source
        self._blocks: Iterator[Block | Gap | Status] | None = None
        self._waited_before_s = 0.0
        self._word: Status | None = None
        self._n_least = 0
        self.has_ended = False

    def go_on(self, word: Status, n_least: int) -> None:
        """Begin one more run with a word of why.

        Parameters
        ----------
        word : Status
            Comes first.
        n_least : int
            Samples that are too few for a complaint when the source ends within them: it was
            heard before.
        """
        self._word, self._n_least = word, n_least
        self.waited_s, self._waited_before_s = 0.0, self._source.waited_s

    def want(self, n_samples: int) -> None:
        """Pass on how many samples the next block is to have."""
        want = getattr(self._source, "want", None)
        if want is not None:
            want(n_samples)

    def blocks(self, stop: Stop) -> Iterator[Block | Gap | Status]:
        """Yield what comes until the source ends or this run is over."""
        if self._blocks is None:
            self._blocks = iter(self._source.blocks(self.stop))
        if self._word is not None:
            word, self._word = self._word, None
            yield word
        n_samples = 0
        # A source that was told to end comes to its end, with what it has in hand.
        while not stop.requested or self.stop.requested:
            item = next(self._blocks, None)
            self.name = self._source.name
            self.waited_s = self._source.waited_s - self._waited_before_s
            if item is None:
                self.has_ended = not self.stop.requested
                if self.has_ended and n_samples < self._n_least:
                    stop.request()
                return
            if isinstance(item, Block):
                n_samples += item.samples.size
            yield item

    def close(self) -> None:
        """Let go of the source, a microphone for instance."""
        close = getattr(self._blocks, "close", None)
        if close is not None:
            close()


class Reloader(Generic[Plan]):
    """Prepares a new plan on a thread of its own whenever it is asked to; a context manager.

    Parameters
    ----------
    prepare : callable
        Gives the new plan, or raises what is wrong with it.
    prepared : callable
        Called, on that thread, once there is one.
    refused : callable
        Called with what was wrong: the old plan stays.
    """

    def __init__(
        self,
        prepare: Callable[[], Plan],
        prepared: Callable[[Plan], None],
        refused: Callable[[Exception], None],
    ) -> None:
        self._prepare, self._prepared, self._refused = prepare, prepared, refused
        self._asked = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)

    def __enter__(self) -> Reloader[Plan]:
        """Begin to wait."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the thread."""
        self._is_over = True
        self._asked.set()
        self._thread.join(_LAST_S)

    def ask(self) -> None:
        """Ask for a new plan; never from a signal handler, which may hold the lock."""
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait() and not self._is_over:
            self._asked.clear()
            try:
                plan = self._prepare()
            except KeyboardInterrupt:
                # Ctrl-C ended a process that tried a backend; the command ends as well.
                return
            except Exception as error:
                self._refused(error)
            else:
                self._prepared(plan)
