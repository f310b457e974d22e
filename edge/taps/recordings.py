"""A folder of recordings: what of it was written here, and nothing else, is counted and deleted.

Whoever can write to the folder can put links into it.  It is opened once, and every name is looked
up in what was opened, never through a link.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import re
import stat
import struct
from typing import BinaryIO

from edge.errors import AudioFileError, printable
from edge.files import as_path, hold_open_file

__all__ = ["HEADER_BYTES", "Recordings", "header"]

_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_O_BINARY = getattr(os, "O_BINARY", 0)
_O_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
#: Windows knows no files of an opened folder.
_BY_FOLDER = {os.open, os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd

#: One that is whole, and one that is being written or was when the power went.
_NAME = re.compile(r"edge-ser-\d{8}T\d{6}\.\d{3}Z\.wav")
_PART = re.compile(r"\.edge-ser-\d{8}T\d{6}\.\d{3}Z\.wav\.part")

#: In every file, between what it is and its samples: who wrote it.
_MARK = b"LIST" + struct.pack("<I", 22) + b"INFOISFT" + struct.pack("<I", 10) + b"edge-ser\0\0"
HEADER_BYTES = 36 + len(_MARK) + 8


def header(sample_rate: int, n_bytes: int) -> bytes:
    """Write what stands before ``n_bytes`` of 16-bit samples of one channel."""
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + _MARK
    data = b"data" + struct.pack("<I", n_bytes)
    return b"RIFF" + struct.pack("<I", len(body) + len(data) + n_bytes) + body + data


class Recordings:
    """The recordings of a folder, which is made where it is not there, for its owner alone.

    Parameters
    ----------
    folder : str or os.PathLike
        Not a link.

    Raises
    ------
    AudioFileError
        If it cannot be made, is no folder, or may not be written to.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = as_path(folder, "the folder to save audio in")
        self._descriptor: int | None = None
        try:
            with contextlib.suppress(FileExistsError):
                os.makedirs(self.path, mode=0o700)
            if os.path.islink(self.path.rstrip(os.sep)):
                raise OSError(errno.ELOOP, "it is a link, name the folder that it leads to")
            if _BY_FOLDER:
                flags = os.O_RDONLY | os.O_DIRECTORY | _O_NOFOLLOW
                self._descriptor = os.open(self.path, flags)
            elif not os.path.isdir(self.path):
                raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except (OSError, ValueError) as error:
            self.close()
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise AudioFileError(
                f"audio cannot be saved in {printable(self.path)}: {reason}; give --save-audio a "
                "folder that you may write to"
            ) from error

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def begin(self, time_s: float) -> tuple[str, BinaryIO]:
        """Open a new file for its owner alone; its name tells a Unix time in UTC.

        Returns
        -------
        name : str
            For :meth:`finish`.
        file : binary file
            Empty.

        Raises
        ------
        OSError
            As for any file.
        """
        # A clock that was set back meets names that are there.
        for n_later in range(1000):
            name = _named(time_s + n_later / 1000)
            if self._status(name) is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _O_NOFOLLOW | _O_BINARY
                try:
                    descriptor = self._open(_part(name), flags)
                except FileExistsError:
                    continue
                return name, self._locked(descriptor)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    def finish(self, name: str) -> None:
        """Give a file that is whole its name.

        Raises
        ------
        OSError
            As for any file.
        """
        self._rename(_part(name), name)
        if self._descriptor is not None:
            # Some file systems cannot sync a folder.
            with contextlib.suppress(OSError):
                os.fsync(self._descriptor)

    def discard(self, name: str) -> None:
        """Delete a file that was begun."""
        with contextlib.suppress(OSError):
            self._unlink(_part(name))

    def mend(self) -> None:
        """Finish what was being written when the power went or the process was killed."""
        for part in self._names(_PART):
            with contextlib.suppress(OSError):
                self._mend(part)

    def make_room(self, max_bytes: int, newest: list[str]) -> int:
        """Delete the oldest until no more than so many bytes are left.

        Parameters
        ----------
        max_bytes : int
        newest : list of str
            Names that were given by this process, in their order: a clock that was set back
            makes none of them older than those of before.

        Returns
        -------
        int
            Bytes of recordings that are left.
        """
        rank = {name: place for place, name in enumerate(newest)}
        names = sorted(self._names(_NAME), key=lambda name: (rank.get(name, -1), name))
        sizes = {name: size for name in names if (size := self._own_size(name)) is not None}
        total = sum(sizes.values())
        for name, size in sizes.items():
            if total <= max_bytes:
                break
            with contextlib.suppress(OSError):
                self._unlink(name)
                total -= size
        return total

    def _mend(self, part: str) -> None:
        seen = self._status(part)
        if seen is None or not stat.S_ISREG(seen.st_mode):
            return
        descriptor = self._open(part, os.O_RDWR | _O_NOFOLLOW | _O_BINARY | _O_NONBLOCK)
        with self._locked(descriptor) as file:
            size = os.fstat(descriptor).st_size
            if size == 0:
                self._unlink(part)
            if not _is_own(file, size):
                return
            n_bytes = (size - HEADER_BYTES) // 2 * 2
            name = part[1 : -len(".part")]
            if n_bytes <= 0 or self._status(name) is not None:
                self._unlink(part)
                return
            file.seek(0)
            sample_rate = struct.unpack_from("<I", file.read(28), 24)[0]
            file.truncate(HEADER_BYTES + n_bytes)
            file.seek(0)
            file.write(header(sample_rate, n_bytes))
            file.flush()
            os.fsync(descriptor)
            self._rename(part, name)

    def _own_size(self, name: str) -> int | None:
        """Bytes of a recording; None where it is not one of ours."""
        status = self._status(name)
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        try:
            descriptor = self._open(name, os.O_RDONLY | _O_NOFOLLOW | _O_BINARY | _O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            return status.st_size if _is_own(file, status.st_size) else None

    def _status(self, name: str) -> os.stat_result | None:
        """What has a name, a link itself; None where nothing has it."""
        try:
            if self._descriptor is None:
                return os.lstat(os.path.join(self.path, name))
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return None

    def _locked(self, descriptor: int) -> BinaryIO:
        """Take a file for this process, for another one may save in the same folder."""
        try:
            hold_open_file(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise
        return open(descriptor, "r+b")

    def _names(self, pattern: re.Pattern[str]) -> list[str]:
        try:
            names = os.listdir(self.path if self._descriptor is None else self._descriptor)
        except OSError:
            return []
        return sorted(name for name in names if pattern.fullmatch(name))

    def _open(self, name: str, flags: int) -> int:
        if self._descriptor is None:
            return os.open(os.path.join(self.path, name), flags, 0o600)
        return os.open(name, flags, 0o600, dir_fd=self._descriptor)

    def _unlink(self, name: str) -> None:
        if self._descriptor is None:
            os.unlink(os.path.join(self.path, name))
        else:
            os.unlink(name, dir_fd=self._descriptor)

    def _rename(self, old: str, new: str) -> None:
        folder = self._descriptor
        if folder is None:
            os.rename(os.path.join(self.path, old), os.path.join(self.path, new))
        else:
            os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)


def _named(time_s: float) -> str:
    start = datetime.datetime.fromtimestamp(time_s, datetime.timezone.utc)
    return f"edge-ser-{start:%Y%m%dT%H%M%S}.{start.microsecond // 1000:03d}Z.wav"


def _part(name: str) -> str:
    return f".{name}.part"


def _is_own(file: BinaryIO, size: int) -> bool:
    """Whether a regular file bears the mark."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or size < HEADER_BYTES:
        return False
    file.seek(36)
    return file.read(len(_MARK)) == _MARK
