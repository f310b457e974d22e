"""A text file that never grows too large: whole lines, the oldest in a file that is deleted."""

from __future__ import annotations

import contextlib
import os

from edge.files import hold_open_file, refuse_mode
from edge.sinks.place import writable_file

__all__ = ["RotatedFile"]

_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_PIECE_BYTES = 65_536


class RotatedFile:
    """Lines in ``FILE``, the ones before in ``FILE.1``, ``FILE.2`` and so on.

    Parameters
    ----------
    path : str
    max_bytes : int
        No file is larger, unless a single line is.
    n_files : int
        How many are kept, the one that is written among them.

    Raises
    ------
    ParameterError
        If the folder is not there or takes no files, or the name is that of no file.

    Notes
    -----
    Its owner alone may read it: it tells how people felt.  A line is in one file, and written at
    once; what a crash left of one is cut away when the file is opened again.  A file that
    somebody moves away is begun anew.
    """

    def __init__(self, path: str, max_bytes: int, n_files: int) -> None:
        self.path = writable_file(path)
        self._max_bytes, self._n_files = max_bytes, n_files
        self._descriptor: int | None = None
        self._size = 0

    def open(self) -> None:
        """Open it and cut away half a line.

        Raises
        ------
        OSError
            As for any file; BlockingIOError if another process writes to it.
        """
        descriptor = os.open(self.path, _FLAGS, 0o600)
        try:
            status = os.fstat(descriptor)
            refuse_mode(status.st_mode)
            hold_open_file(descriptor)
            self._size = _whole_lines(descriptor, status.st_size)
            if self._size != status.st_size:
                os.ftruncate(descriptor, self._size)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def write(self, line: str) -> int:
        """Write one line, or none of it.

        Raises
        ------
        OSError
            As for any file.
        """
        content = line.encode("utf-8")
        if self._descriptor is None or self._was_moved():
            self.close()
            self.open()
        if self._size and self._size + len(content) > self._max_bytes:
            self._rotate()
        descriptor = self._descriptor
        assert descriptor is not None
        n_written = 0
        try:
            while n_written < len(content):
                n_written += os.write(descriptor, content[n_written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._size)
            raise
        self._size += n_written
        return len(line)

    def flush(self) -> None:
        """Do nothing: a line is with the system when it was written."""

    def close(self) -> None:
        """Write through to the disk and let go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.fsync(descriptor)
            os.close(descriptor)

    def _was_moved(self) -> bool:
        assert self._descriptor is not None
        try:
            there, ours = os.stat(self.path), os.fstat(self._descriptor)
        except OSError:
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _rotate(self) -> None:
        self.close()
        if self._n_files == 1:
            os.unlink(self.path)
        # From the oldest on, so that a crash in between leaves a hole and loses none.
        for place in range(self._n_files - 1, 0, -1):
            older = self.path if place == 1 else f"{self.path}.{place - 1}"
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, f"{self.path}.{place}")
        self.open()


def _whole_lines(descriptor: int, size: int) -> int:
    """Bytes up to the end of the last whole line."""
    end = size
    while end:
        start = max(0, end - _PIECE_BYTES)
        os.lseek(descriptor, start, os.SEEK_SET)
        piece = os.read(descriptor, end - start)
        at = piece.rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0
