"""The bounded buffer between the audio callback and the pipeline."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time

import numpy as np
import numpy.typing as npt

from edge.errors import ParameterError

__all__ = ["Piece", "RingBuffer"]

FloatArray = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """Samples without a hole, and what was lost right before them.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    n_overrun : int
        Samples lost before the first one because they were read too late.
    n_lost : int
        Samples lost before the first one because they never came.
    """

    samples: FloatArray
    n_overrun: int = 0
    n_lost: int = 0


class RingBuffer:
    """Samples in order from one writing thread to one reading thread.

    When it is full the oldest samples make room: a listener that fell behind
    skips, it does not lag. Memory is taken once, in the constructor. Where something is
    missing is known to the sample.

    Parameters
    ----------
    capacity : int
        Samples held at most.

    Raises
    ------
    ParameterError
        If ``capacity`` is below 1.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ParameterError(f"capacity is {capacity}, at least 1 sample is wanted")
        self._samples = np.zeros(capacity, dtype=np.float32)
        self._first = 0
        self._n_held = 0
        self._n_dropped = 0
        self._closed = False
        # Samples ever written, and where some of those that never came belong among them:
        # (written before, how many), oldest first.
        self._n_written = 0
        self._holes: collections.deque[tuple[int, int]] = collections.deque()
        # What is missing right before the oldest sample held.
        self._n_overrun = 0
        self._n_lost = 0
        # The reader goes no further than this place, as a hole may turn out to be there.
        self._barrier: int | None = None
        # Samples that the reader waits for.
        self._n_least = 1
        self._n_newest = 0
        # The lock is held for one copy at most, so the writer never waits for the reader's work.
        self._changed = threading.Condition()

    @property
    def capacity(self) -> int:
        """Samples held at most."""
        return self._samples.size

    @property
    def dropped_samples(self) -> int:
        """Samples that were overwritten before they were read, ever."""
        with self._changed:
            return self._n_dropped

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        with self._changed:
            return self._closed

    @property
    def n_behind(self) -> int:
        """Samples waiting to be read, none when all of them came with the one before them."""
        with self._changed:
            return self._n_held if self._n_held >= self._n_newest else 0

    def __len__(self) -> int:
        """Count the samples waiting to be read."""
        with self._changed:
            return self._n_held

    def write(self, block: FloatArray, n_lost: int = 0, n_newest: int | None = None) -> int:
        """Append a block, dropping the oldest samples when there is no room.

        Never waits for the reader. A closed buffer takes nothing.

        Parameters
        ----------
        block : float32 [shape=(n_samples,)]
            Copied.
        n_lost : int
            Samples missing between the block before and this one.
        n_newest : int, optional
            How many of them came together at last; None: all.

        Returns
        -------
        n_dropped : int
            Samples overwritten by this call.
        """
        with self._changed:
            if self._closed or block.size == 0:
                return 0
            if n_lost:
                self._holes.append((self._n_written, n_lost))
            self._n_newest = block.size if n_newest is None else n_newest
            capacity = self._samples.size
            n_dropped = max(0, self._n_held + block.size - capacity)
            if block.size >= capacity:
                self._samples[:] = block[block.size - capacity :]
                self._first, self._n_held = 0, capacity
            else:
                end = (self._first + self._n_held) % capacity
                n_before_wrap = min(block.size, capacity - end)
                self._samples[end : end + n_before_wrap] = block[:n_before_wrap]
                if n_before_wrap < block.size:
                    self._samples[: block.size - n_before_wrap] = block[n_before_wrap:]
                self._first = (self._first + n_dropped) % capacity
                self._n_held += block.size - n_dropped
            self._n_written += block.size
            self._n_dropped += n_dropped
            self._n_overrun += n_dropped
            self._pass_holes()
            if self._is_enough():
                self._changed.notify()
            return n_dropped

    def hold(self) -> None:
        """Keep back what is written from now on, until :meth:`release`."""
        with self._changed:
            self._barrier = self._n_written

    def release(self, n_lost: int = 0) -> None:
        """Hand out what was kept back.

        Parameters
        ----------
        n_lost : int
            Samples missing where :meth:`hold` was called.
        """
        with self._changed:
            if self._barrier is None:
                return
            if n_lost:
                # Between two others, where one was noted in the meantime.
                self._holes = collections.deque(
                    sorted([*self._holes, (self._barrier, n_lost)], key=lambda hole: hole[0])
                )
                self._pass_holes()
            self._barrier = None
            self._changed.notify()

    def read(self, max_samples: int, timeout_s: float | None = None) -> FloatArray:
        """Take the oldest samples; :meth:`take` without a word on what is missing."""
        return self.take(max_samples, timeout_s).samples

    def take(self, max_samples: int, timeout_s: float | None = None, n_least: int = 1) -> Piece:
        """Take the oldest samples, up to the next hole, waiting until there are enough.

        Parameters
        ----------
        max_samples : int
            Samples taken at most.
        timeout_s : float or None
            Longest wait in seconds; 0 does not wait, None waits for ever.
        n_least : int
            Samples that are enough; fewer are where a hole comes behind them, or the end.

        Returns
        -------
        Piece
            Empty when the time is over, or when the buffer is closed and drained.
        """
        if max_samples < 1:
            raise ParameterError(f"max_samples is {max_samples}, at least 1 is wanted")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            self._n_least = min(max_samples, n_least, self._samples.size)
            while not self._is_enough() and not self._closed:
                wait_s = None if deadline is None else deadline - time.monotonic()
                if wait_s is not None and wait_s <= 0:
                    break
                self._changed.wait(wait_s)
            n = min(max_samples, self._n_ready())
            if n == 0 or not (self._closed or self._is_enough()):
                return Piece(np.zeros(0, dtype=np.float32))
            capacity = self._samples.size
            n_before_wrap = min(n, capacity - self._first)
            samples = np.empty(n, dtype=np.float32)
            samples[:n_before_wrap] = self._samples[self._first : self._first + n_before_wrap]
            if n_before_wrap < n:
                samples[n_before_wrap:] = self._samples[: n - n_before_wrap]
            self._first = (self._first + n) % capacity
            self._n_held -= n
            piece = Piece(samples, self._n_overrun, self._n_lost)
            self._n_overrun = self._n_lost = 0
            self._pass_holes()
            return piece

    def close(self) -> None:
        """End the stream: what is held can still be read, nothing more is written."""
        with self._changed:
            self._closed = True
            self._barrier = None
            self._changed.notify_all()

    def _is_enough(self) -> bool:
        """Whether there is what the reader waits for, or no more to come before a hole."""
        n_ready = self._n_ready()
        return n_ready >= self._n_least or 0 < n_ready < self._n_held

    def _n_ready(self) -> int:
        """Samples up to the next hole or barrier."""
        position = self._n_written - self._n_held
        end = self._holes[0][0] if self._holes else self._n_written
        if self._barrier is not None:
            end = min(end, max(position, self._barrier))
        return end - position

    def _pass_holes(self) -> None:
        """Count the holes that lie before the oldest sample now."""
        position = self._n_written - self._n_held
        while self._holes and self._holes[0][0] <= position:
            self._n_lost += self._holes.popleft()[1]
