"""The bounded buffer between the audio callback and the pipeline."""

from __future__ import annotations

import threading
import time

import numpy as np
import numpy.typing as npt

from edge.errors import ParameterError

__all__ = ["RingBuffer"]

FloatArray = npt.NDArray[np.float32]


class RingBuffer:
    """Samples in order from one writing thread to one reading thread.

    When it is full the oldest samples make room: a listener that fell behind
    skips, it does not lag. Memory is taken once, in the constructor.

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

    def __len__(self) -> int:
        """Count the samples waiting to be read."""
        with self._changed:
            return self._n_held

    def write(self, block: FloatArray) -> int:
        """Append a block, dropping the oldest samples when there is no room.

        Never waits for the reader. A closed buffer takes nothing.

        Parameters
        ----------
        block : float32 [shape=(n_samples,)]
            Copied.

        Returns
        -------
        n_dropped : int
            Samples lost by this call.
        """
        with self._changed:
            if self._closed or block.size == 0:
                return 0
            capacity = self._samples.size
            n_dropped = max(0, self._n_held + block.size - capacity)
            if block.size >= capacity:
                self._samples[:] = block[block.size - capacity :]
                self._first, self._n_held = 0, capacity
            else:
                end = (self._first + self._n_held) % capacity
                n_before_wrap = min(block.size, capacity - end)
                self._samples[end : end + n_before_wrap] = block[:n_before_wrap]
                self._samples[: block.size - n_before_wrap] = block[n_before_wrap:]
                self._first = (self._first + n_dropped) % capacity
                self._n_held += block.size - n_dropped
            self._n_dropped += n_dropped
            self._changed.notify()
            return n_dropped

    def read(self, max_samples: int, timeout_s: float | None = None) -> FloatArray:
        """Take the oldest samples, waiting until there is at least one.

        Parameters
        ----------
        max_samples : int
            Samples taken at most.
        timeout_s : float or None
            Longest wait in seconds; 0 does not wait, None waits for ever.

        Returns
        -------
        samples : float32 [shape=(n_samples,)]
            Empty when the time is over, or when the buffer is closed and drained.
        """
        if max_samples < 1:
            raise ParameterError(f"max_samples is {max_samples}, at least 1 is wanted")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self._n_held == 0 and not self._closed:
                wait_s = None if deadline is None else deadline - time.monotonic()
                if wait_s is not None and wait_s <= 0:
                    break
                self._changed.wait(wait_s)
            n = min(max_samples, self._n_held)
            capacity = self._samples.size
            n_before_wrap = min(n, capacity - self._first)
            samples = np.empty(n, dtype=np.float32)
            samples[:n_before_wrap] = self._samples[self._first : self._first + n_before_wrap]
            samples[n_before_wrap:] = self._samples[: n - n_before_wrap]
            self._first = (self._first + n) % capacity
            self._n_held -= n
            return samples

    def close(self) -> None:
        """End the stream: what is held can still be read, nothing more is written."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
