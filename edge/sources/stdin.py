"""Raw samples from standard input."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Generator
from typing import BinaryIO

import numpy as np

from edge.errors import AudioFileError, ParameterError
from edge.sources.base import (
    BLOCK_SAMPLES,
    POLL_S,
    Block,
    Gap,
    SourceSettings,
    Status,
    Stop,
    say_nothing,
)
from edge.sources.container_marks import N_HEAD, container_mark

__all__ = ["StdinSource", "open_source"]


class StdinSource:
    """Raw mono 16-bit little-endian samples from a pipe.

    Parameters
    ----------
    stream : binary file
        With a file descriptor, such as ``sys.stdin.buffer``.
    sample_rate : int
        Rate that the samples must have, in Hz; raw samples do not say.
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.
    """

    def __init__(
        self,
        stream: BinaryIO,
        sample_rate: int,
        *,
        warn: Callable[[str], None] = say_nothing,
    ) -> None:
        self.name = "standard input"
        self.waited_s = 0.0
        self._stream = stream
        self._sample_rate = sample_rate
        self._warn = warn

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
        """Yield what comes, as it comes.

        Raises
        ------
        AudioFileError
            If the stream is a terminal, cannot be read, or starts as an audio file does.
        """
        if not self._stream.closed and self._stream.isatty():
            raise AudioFileError(
                "standard input is a terminal, raw 16-bit mono samples at "
                f"{self._sample_rate} Hz are wanted: pipe them in, such as from "
                f"`arecord -t raw -f S16_LE -c 1 -r {self._sample_rate}`"
            )
        rest, head = b"", b""
        while (data := self._read(stop)) is not None:
            arrived_s = time.perf_counter()
            if len(head) < N_HEAD:
                # However little comes at a time: a decision needs more than is looked at.
                head = (head + data)[:N_HEAD]
                self._check(head)
            data = rest + data
            n_whole = len(data) // 2 * 2
            rest = data[n_whole:]
            samples = np.frombuffer(data[:n_whole], dtype="<i2").astype(np.float32) / 32768.0
            yield Block(samples, arrived_s=arrived_s)
        if rest and not stop.requested:
            self._warn("standard input ended with half a sample: its last byte was left out")

    def _check(self, head: bytes) -> None:
        """Refuse what is a file of another kind, and would be noise as samples."""
        mark = container_mark(head)
        if mark is not None:
            raise AudioFileError(
                f"standard input starts with {mark}, the mark of an audio file; raw 16-bit mono "
                f"samples at {self._sample_rate} Hz are wanted: name the file instead of piping "
                "it, or pipe it through `ffmpeg -loglevel error -i - -f s16le -ac 1 -ar "
                f"{self._sample_rate} -`"
            )

    def _read(self, stop: Stop) -> bytes | None:
        """Next bytes, or None at the end or when stopped."""
        before_s = time.perf_counter()
        try:
            descriptor = self._stream.fileno()
            while not stop.requested:
                # A plain read would not come back for a signal.
                if select.select([descriptor], [], [], POLL_S)[0]:
                    return os.read(descriptor, 4 * BLOCK_SAMPLES * 2) or None
            return None
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise AudioFileError(f"standard input cannot be read: {reason}") from error
        finally:
            self.waited_s += time.perf_counter() - before_s


def open_source(settings: SourceSettings) -> StdinSource:
    """Open standard input.

    Raises
    ------
    ParameterError
        If it is closed.
    """
    if sys.stdin is None:
        raise ParameterError("standard input is closed, raw samples are wanted there")
    settings.opened("standard input")
    return StdinSource(sys.stdin.buffer, settings.sample_rate, warn=settings.warn)
