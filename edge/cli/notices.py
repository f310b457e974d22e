"""What a command says beside its results, on a standard error that may be gone."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from edge.errors import printable

__all__ = ["Notices", "complain", "discard", "own_stderr", "say", "warn"]

#: A sentence that comes again and again is said this often at most.
_EVERY_S = 60.0

#: News that comes again and again is said this often in a row, and then once in that time: a
#: loose plug goes and comes back every two seconds, for as long as nobody looks.
_BURST, _NEWS_EVERY_S = 120, 30.0

#: Different sentences whose repetitions are counted; a device runs for weeks.
_N_KINDS = 64

#: Longest wait, while listening, for a reader of standard error that takes nothing.
_PATIENCE_S = 0.5


def say(sentence: str, *, patience_s: float | None = None) -> bool:
    """Write a sentence to standard error, if anybody can still be told there.

    Parameters
    ----------
    sentence : str
        What of it a terminal would obey is spelt out.
    patience_s : float, optional
        Longest wait for room in a pipe that nobody reads; None: as long as it takes.

    Returns
    -------
    bool
        False when it could not be written.  That is never an error: results do not depend on
        whether somebody reads the notices.
    """
    stream = sys.stderr
    if stream is None:
        return False
    try:
        if patience_s is not None and not _has_room(stream, patience_s):
            return False
        stream.write(f"edge-ser: {printable(sentence)}\n")
        stream.flush()
    except OSError:
        # What is still buffered would fail once more at exit, and be the exit code.
        discard(stream)
        return False
    except ValueError:  # closed
        return False
    return True


def warn(sentence: str) -> None:
    """Say what was odd but not fatal."""
    say(f"warning: {sentence}")


def complain(error: object) -> None:
    """Say what failed."""
    say(f"error: {error}")


def discard(stream: TextIO) -> None:
    """Send what a stream still buffers, and all that follows, nowhere."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


@contextlib.contextmanager
def own_stderr() -> Iterator[None]:
    """Write notices to a descriptor of their own for a while.

    Loading sounddevice sends descriptor 2 nowhere until PortAudio has looked for its devices: with
    a frozen sound server for half a minute, in which a person is to be told what is waited for.
    """
    stream = sys.stderr
    try:
        descriptor = os.dup(stream.fileno())
    except (AttributeError, OSError, ValueError):
        # There is none, or it is no file of the system's and nobody sends it anywhere.
        yield
        return
    own = open(  # noqa: SIM115
        descriptor, "w", encoding=stream.encoding, errors=stream.errors, buffering=1
    )
    sys.stderr = own
    try:
        yield
    finally:
        if sys.stderr is own:
            sys.stderr = stream
        with contextlib.suppress(OSError, ValueError):
            own.close()


class Notices:
    """Notices of a command that runs for weeks: none of them often, none of them waited for.

    Parameters
    ----------
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When each kind was said last, and how often it came since.
        self._said: dict[str, tuple[float, int]] = {}
        # How many of each kind of news may be said in a row, since when, and how many were not.
        self._news: dict[str, tuple[float, float, int]] = {}
        # Sinks warn in threads of their own.
        self._lock = threading.Lock()

    def say(self, sentence: str) -> None:
        """Say a sentence at once."""
        say(sentence, patience_s=_PATIENCE_S)

    def report(self, sentence: str) -> None:
        """Say what happened, each time: but for a storm of it, which would fill a disk."""
        with self._lock:
            words = self._reported(sentence)
        if words is not None:
            self.say(words)

    def warn(self, sentence: str) -> None:
        """Say what was odd, at most once a minute for sentences that differ in numbers only."""
        with self._lock:
            words = self._warned(sentence)
        if words is not None:
            self.say(words)

    def _reported(self, sentence: str) -> str | None:
        kind, now_s = _kind(sentence), self._clock()
        left, since_s, n_unsaid = self._news.pop(kind, (float(_BURST), now_s, 0))
        left = min(left + (now_s - since_s) / _NEWS_EVERY_S, float(_BURST))
        if left < 1:
            self._news[kind] = left, now_s, n_unsaid + 1
            return None
        self._make_room(self._news)
        self._news[kind] = left - 1, now_s, 0
        return sentence + _again(n_unsaid)

    def _warned(self, sentence: str) -> str | None:
        kind, now_s = _kind(sentence), self._clock()
        said_s, n_unsaid = self._said.pop(kind, (None, 0))
        if said_s is not None and now_s - said_s < _EVERY_S:
            self._said[kind] = said_s, n_unsaid + 1
            return None
        self._make_room(self._said)
        self._said[kind] = now_s, 0
        return f"warning: {sentence}{_again(n_unsaid)}"

    def _make_room(self, kinds: dict[str, Any]) -> None:
        while len(kinds) >= _N_KINDS:
            del kinds[next(iter(kinds))]


def _kind(sentence: str) -> str:
    return re.sub(r"\d+", "#", sentence)


def _again(n_unsaid: int) -> str:
    return f" ({n_unsaid} more like it since the last was said)" if n_unsaid else ""


def _has_room(stream: TextIO, patience_s: float) -> bool:
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return True  # not a file of the system's: it does not block
    return bool(select.select([], [descriptor], [], patience_s)[1])
