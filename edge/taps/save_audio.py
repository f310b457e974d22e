"""Keep what a model heard, where that was asked for."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

import numpy as np

from edge.arrays import as_number
from edge.errors import printable
from edge.sources.base import Block, Gap, say_nothing
from edge.stream.status import Status
from edge.taps.recordings import HEADER_BYTES, Recordings, header

__all__ = ["DEFAULT_MAX_MB", "SaveAudio"]

#: 52 minutes at 16 kHz.
DEFAULT_MAX_MB = 100.0
#: Longest piece, a quarter at most of what may be kept, as the oldest piece goes at once.
_PIECE_S, _PIECE_SHARE = 300.0, 0.25
#: Seconds of sound after which what was written is in the header, too.
_WRITTEN_S = 1.0
#: After a failure, such as a full disk, it is tried again so much later.
_AGAIN_S = 60.0
#: Word of a source after which the sound goes on at another time.
_BREAKS = frozenset({"lost", "waiting", "stalled", "back"})


class SaveAudio:
    """A tap that writes what goes into the stream, as 16-bit WAV files; a context manager.

    Parameters
    ----------
    folder : str or os.PathLike
        Made, for its owner alone, where it is not there.
    sample_rate : int
        Of the blocks, in Hz.
    max_mb : float
        Megabytes (1,000,000 bytes) that the recordings in the folder may take: the oldest are
        deleted.  Only what was written by this class is counted or deleted.
    warn : callable
        Takes a sentence on what was odd but not fatal, such as a full disk.
    now : callable
        Unix time.

    Notes
    -----
    Pieces of five minutes at most are named by when they begin, in UTC.  A gap begins a new one.
    A piece that is being written has a hidden name; its header is right to the second, and the
    next start gives it its name if the power goes.  Nothing here ends the listening.

    Raises
    ------
    AudioFileError
        If the folder cannot be used.
    ParameterError
        If ``max_mb`` is no number from 1 to 1e9.
    """

    longest_block_s = math.inf

    def __init__(
        self,
        folder: str | os.PathLike[str],
        sample_rate: int,
        max_mb: float = DEFAULT_MAX_MB,
        *,
        warn: Callable[[str], None] = say_nothing,
        now: Callable[[], float] = time.time,
    ) -> None:
        wanted = "a number of megabytes from 1 to 1e9 is wanted"
        self._max_bytes = round(1e6 * as_number(max_mb, "max_mb", wanted, 1, 1e9))
        piece_bytes = min(2 * _PIECE_S * sample_rate, _PIECE_SHARE * self._max_bytes)
        self._max_samples = (int(piece_bytes) - HEADER_BYTES) // 2
        self._sample_rate = sample_rate
        self._warn, self._now = warn, now
        self._recordings = Recordings(folder)
        self._names: list[str] = []
        self._file: BinaryIO | None = None
        self._n_samples = self._n_in_header = 0
        self._failed_s: float | None = None
        self._recordings.mend()

    def __enter__(self) -> SaveAudio:
        """Hand out the tap."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the piece that is being written."""
        self.close()

    def close(self) -> None:
        """Finish the piece that is being written, and let go of the folder."""
        self._finish()
        self._recordings.close()

    @property
    def has_failed(self) -> bool:
        """Whether what was heard last could not be saved."""
        return self._failed_s is not None

    def describe(self) -> str:
        """Say where what is heard is kept, and how much of it."""
        return (
            f"what is heard is saved in {printable(self._recordings.path)}, "
            f"{self._max_bytes / 1e6:g} MB at most"
        )

    def __call__(self, item: Block | Gap | Status) -> None:
        """Write a block; a gap or a source that was away ends the piece."""
        if isinstance(item, Block):
            if item.samples.size:
                self._write(item)
        elif isinstance(item, Gap) or item.kind in _BREAKS:
            self._finish()

    def _write(self, block: Block) -> None:
        if self._failed_s is not None and time.monotonic() - self._failed_s < _AGAIN_S:
            return
        pcm = np.clip(np.round(block.samples * np.float32(32768)), -32768, 32767).astype("<i2")
        start = 0
        try:
            while start < pcm.size:
                if self._file is None:
                    self._begin((pcm.size - start) / self._sample_rate)
                start += self._append(pcm[start:].tobytes()) // 2
        except OSError as error:
            self._fail(error)
        else:
            if self._failed_s is not None:
                self._failed_s = None
                self._warn("what is heard is saved again")

    def _begin(self, before_s: float) -> None:
        """Begin a piece whose first sample came so long ago."""
        piece_bytes = HEADER_BYTES + 2 * self._max_samples
        self._recordings.make_room(self._max_bytes - piece_bytes, self._names)
        name, self._file = self._recordings.begin(self._now() - before_s)
        self._names = [*self._names[-10_000:], name]
        self._n_samples = self._n_in_header = 0
        self._file.write(header(self._sample_rate, 0))
        self._file.flush()

    def _append(self, data: bytes) -> int:
        """Write as many bytes as the piece may hold; how many."""
        assert self._file is not None
        data = data[: 2 * (self._max_samples - self._n_samples)]
        self._file.write(data)
        self._n_samples += len(data) // 2
        if self._n_samples - self._n_in_header >= _WRITTEN_S * self._sample_rate:
            self._settle()
        if self._n_samples >= self._max_samples:
            self._end()
        return len(data)

    def _settle(self) -> None:
        """Bring the header up to what was written, which comes first."""
        assert self._file is not None
        self._file.flush()
        self._file.seek(0)
        self._file.write(header(self._sample_rate, 2 * self._n_samples))
        self._file.flush()
        self._file.seek(0, os.SEEK_END)
        self._n_in_header = self._n_samples

    def _end(self) -> None:
        """Give the piece its name, once it is on the disk."""
        assert self._file is not None
        file, name = self._file, self._names[-1]
        self._settle()
        os.fsync(file.fileno())
        self._recordings.finish(name)
        self._file = None
        file.close()

    def _finish(self) -> None:
        if self._file is None:
            return
        try:
            self._end()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Say what failed, once, and keep what is on the disk already."""
        is_first = self._failed_s is None
        self._failed_s = time.monotonic()
        if self._file is not None:
            file, self._file = self._file, None
            # What is still buffered has no room; closed it is all the same.
            with contextlib.suppress(OSError):
                file.close()
            if self._n_in_header:
                self._recordings.mend()
            else:
                self._recordings.discard(self._names[-1])
        if is_first:
            self._warn(
                f"what is heard is not saved in {printable(self._recordings.path)}: "
                f"{error.strerror or error}; listening goes on, and saving is tried again every "
                "minute: free space there, or lower --save-max-mb"
            )
