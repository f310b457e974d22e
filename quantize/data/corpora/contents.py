"""What files hold, as SHA-256, without reading each of them every time.

The digest of a file is remembered with what the file system says of it: size, times, inode and
device.  A file whose entry is not exactly as it was is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from edge.errors import AudioFileError, EdgeSerError
from quantize.basics.files import atomic_path
from quantize.basics.json_files import parse_json
from quantize.basics.locks import locked
from quantize.basics.progress import progress_bar, progress_note

__all__ = ["ContentIndex", "file_digest"]

_FORMAT = "edge-ser digests of files, 1"
_PIECE_BYTES = 1 << 20
_N_THREADS = 4

#: A file that was changed less than this before it was read is read again the next time: within
#: one tick of its file system's clock (2 s for FAT) it could have been changed once more.
_SETTLED_NS = 2_100_000_000

#: Files of which no bar is shown: they are read in a moment.
_FEW = 500


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a regular file's bytes, in hexadecimal.

    Raises
    ------
    AudioFileError
        If it cannot be read, or is a folder, a pipe or a device.
    """
    try:
        # Asked first: opening a pipe would wait for its writer.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise AudioFileError(f"{os.fspath(path)} is no regular file, an audio file is wanted")
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise AudioFileError(f"cannot read {os.fspath(path)}: {error.strerror or error}") from error
    return digest.hexdigest()


class ContentIndex:
    """Digests of files, kept in a folder from run to run.

    Parameters
    ----------
    folder : path
        Holds ``contents.json``; made when something is to be remembered.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder) / "contents.json"
        self._known: dict[str, list[Any]] | None = None

    def digests(self, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
        """SHA-256 of every file, in the order of the paths.

        Parameters
        ----------
        paths : sequence of path

        Returns
        -------
        list of str
            In hexadecimal.

        Raises
        ------
        AudioFileError
            If one of them cannot be read or is no regular file.
        """
        if self._known is None:
            self._known = self._read()
        names = [os.path.abspath(path) for path in paths]
        marks = {name: _mark(name) for name in dict.fromkeys(names)}
        unread = [n for n, mark in marks.items() if self._known.get(n, [None])[:-1] != mark]
        found = {n: self._known[n][-1] for n in marks.keys() - set(unread)}
        fresh: dict[str, list[Any]] = {}
        for name, (digest, began_ns) in zip(unread, _read_all(unread), strict=True):
            found[name] = digest
            mark = marks[name]
            # Changed while it was read, or so shortly before that a change could look like none.
            if mark == _mark(name) and max(mark[1:3]) + _SETTLED_NS < began_ns:
                fresh[name] = [*mark, digest]
        if fresh:
            self._remember(fresh)
        return [found[name] for name in names]

    def _remember(self, fresh: Mapping[str, list[Any]]) -> None:
        assert self._known is not None
        self._known.update(fresh)
        # What cannot be kept is read again the next time: a folder that takes no file, a full disk.
        with contextlib.suppress(OSError), locked(self.path.with_name(".contents.lock")):
            files = {n: e for n, e in {**self._read(), **fresh}.items() if os.path.exists(n)}
            text = json.dumps(
                {"format": _FORMAT, "sha256": _checksum(files), "files": files}, sort_keys=True
            )
            with atomic_path(self.path) as temporary:
                temporary.write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, list[Any]]:
        try:
            content = parse_json(self.path.read_bytes())
            files: dict[str, list[Any]] = content["files"]
            if content["format"] == _FORMAT and content["sha256"] == _checksum(files):
                return files
        except OSError:
            return {}
        except (ValueError, KeyError, TypeError):
            pass
        progress_note(f"edge-ser-quantize: {self.path} is damaged: the audio files are read anew")
        with contextlib.suppress(OSError):
            self.path.unlink()
        return {}


def _checksum(files: Mapping[str, list[Any]]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _mark(name: str) -> list[int]:
    """What changes with a file, as far as the file system tells.

    The time of the last change of its inode is among it, which nobody can set back.
    """
    try:
        status = os.stat(name)
    except OSError as error:
        raise AudioFileError(f"cannot read {name}: {error.strerror or error}") from error
    return [
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    ]


def _read_all(names: Sequence[str]) -> Iterable[tuple[str, int]]:
    """Digest of every file and when its reading began, in nanoseconds since 1970."""
    if not names:
        return
    with ThreadPoolExecutor(_N_THREADS) as pool:
        try:
            read = pool.map(_timed_digest, names)
            many = len(names) > _FEW
            yield from progress_bar(read, len(names), "reading audio files") if many else read
        except EdgeSerError:
            pool.shutdown(cancel_futures=True)
            raise


def _timed_digest(name: str) -> tuple[str, int]:
    began_ns = time.time_ns()
    return file_digest(name), began_ns
