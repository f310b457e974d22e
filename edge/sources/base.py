"""What a source is, and what it yields."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from edge.stream.status import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BLOCK_SAMPLES",
    "LISTEN_S",
    "POLL_S",
    "Block",
    "Gap",
    "Source",
    "SourceSettings",
    "Status",
    "Stop",
    "say_nothing",
]

#: About what an audio callback hands over: 32 ms at 16 kHz.
BLOCK_SAMPLES = 512

#: Longest wait before a source looks whether it should stop, or whether sound is to be had.
POLL_S = 0.1

#: The same while sound comes: each look is a wake-up of the processor's.
LISTEN_S = 0.25


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Samples as they arrived.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Mono at the model's rate, full scale 1.
    arrived_s : float or None
        ``time.perf_counter()`` when the last sample was there; None: as soon as
        it is asked for.
    waits : bool
        Whether what comes behind it waits until it is read, as a file does, and what writes
        into a pipe.  A microphone's does not and is lost in the end: a device that is too
        slow for it leaves decisions out, see :meth:`edge.stream.stream.Stream.push`.
    """

    samples: NDArray[np.float32]
    arrived_s: float | None = None
    waits: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """Samples that were lost between the block before and the next.

    Parameters
    ----------
    n_samples : int
        How many, at the model's rate.
    reason : str
        Why, in words that follow "sound is missing:".
    is_said : bool
        Whether a status says as much, so that no warning need.
    """

    n_samples: int
    reason: str = "lost"
    is_said: bool = False


class Stop:
    """A plain flag that ends a source.

    Notes
    -----
    ``threading.Event`` takes a lock to be set.  A signal handler runs between two
    instructions of the very thread that may hold that lock, and would wait for itself; a
    plain attribute has nothing to wait for.
    """

    __slots__ = ("requested",)

    def __init__(self) -> None:
        self.requested = False

    def __repr__(self) -> str:
        return f"<Stop: {'requested' if self.requested else 'not requested'}>"

    def request(self) -> None:
        """Ask for the end; safe in a signal handler and from any thread."""
        self.requested = True

    def wait(self, timeout_s: float) -> bool:
        """Sleep until it is requested or the time is over.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds.

        Returns
        -------
        bool
            Whether it is requested.
        """
        deadline_s = time.monotonic() + timeout_s
        # A sleep goes on behind a signal handler, so a long one is cut in pieces.
        while not self.requested and (left_s := deadline_s - time.monotonic()) > 0:
            time.sleep(min(left_s, LISTEN_S))
        return self.requested


class Source(Protocol):
    """Anything that yields blocks, gaps and word of itself until it ends or is stopped.

    Notes
    -----
    A source with a pace of its own may have a method ``want(n_samples)``, which is called before
    every item: a block shorter than that completes nothing, so it need not be yielded before so
    many samples are there, and one that ends there is decided on at once.  One without it yields
    what it likes.
    """

    #: What a person would call it.
    name: str
    #: Seconds spent waiting for audio, so that the rest is known to be work.
    waited_s: float

    def blocks(self, stop: Stop) -> Iterator[Block | Gap | Status]:
        """Yield in order; ends early, also out of a wait, once ``stop`` is requested.

        An iterator with a ``close()``, such as a generator, is closed when it is left.
        """
        ...


def say_nothing(_: str) -> None:
    """Take a sentence and drop it."""


def do_nothing() -> None:
    """Take note of nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a source is opened with; each takes what concerns it.

    Parameters
    ----------
    sample_rate : int
        Rate of the blocks, in Hz.
    path : str
        The audio file, where it is one.
    device : str or int, optional
        Identity or name of a microphone, a part of it, or its index; None: the default input.
    channel : int or str
        Of a microphone or a pipe: from 0, ``"mix"`` for the mean of all, ``"auto"`` for the
        loudest.
    capture_rate : int, optional
        Rate to open a microphone at, in Hz; None: its own.
    gain_db : float
        By how much the sound of a microphone or a pipe is made louder.
    give_up_after_s : float, optional
        Seconds without a microphone after which it is an error; None: it is waited for.
    fast : bool
        Do not play a file at the pace of speech.
    input_format : str, optional
        Of raw samples from a pipe: ``s16le`` and so on; None: that.
    input_rate : int, optional
        Of raw samples from a pipe, in Hz; None: ``sample_rate``.
    n_channels : int, optional
        Of raw samples from a pipe; None: 1.
    warn : callable
        Takes a sentence on what was odd but not fatal.
    opened : callable
        Takes a description once it yields.
    attempted : callable
        Called every few seconds while a microphone is waited for, as a sign of life.
    """

    sample_rate: int
    path: str = ""
    device: str | int | None = None
    channel: int | str = "auto"
    capture_rate: int | None = None
    gain_db: float = 0.0
    give_up_after_s: float | None = None
    fast: bool = False
    input_format: str | None = None
    input_rate: int | None = None
    n_channels: int | None = None
    warn: Callable[[str], None] = say_nothing
    opened: Callable[[str], None] = say_nothing
    attempted: Callable[[], None] = do_nothing
