"""What is known of a run that writes a file: kept beside it, a line an answer, until it is whole.

A run that is killed loses what it was at.  A line that was cut off, and what no line is, counts for
nothing; the work it stood for is done again, and comes to the same.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from edge.answers.records import is_record
from edge.answers.request import Task
from edge.errors import ParameterError, how_many, printable, shown
from edge.files import hold_open_file, not_a_file

__all__ = ["Journal", "stamp_of"]

_SUFFIX = ".partial"
_TYPE = "journal of edge-ser classify"
_NOWHERE = -1


class Journal:
    """Answers of a run, each with its place in the order of the files.

    Parameters
    ----------
    output : path
        The file that is to be written; the journal lies beside it.
    head : mapping
        What the answers depend on, of plain JSON types.
    is_resumed : bool
        Whether to go on with what an earlier run left.

    Raises
    ------
    ParameterError
        If there is a journal and it is not to be gone on with, it is of another model or other
        options, another process writes it, or it is none; or if its folder is not there.
    OSError
        If it cannot be written.

    Attributes
    ----------
    n_kept : int
        Answers it holds.
    """

    def __init__(
        self, output: str | os.PathLike[str], head: Mapping[str, Any], *, is_resumed: bool
    ) -> None:
        self.path = Path(f"{os.fspath(output)}{_SUFFIX}")
        #: Where the line of each file begins, by its place.
        self._places = array.array("q")
        self.n_kept = 0
        self._file = _open(self.path)
        try:
            _lock(self._file, self.path)
            found = self._read()
            if found is not None and self.n_kept and not is_resumed:
                raise ParameterError(
                    f"{self.path} holds {how_many(self.n_kept, 'answer')} of a run that did "
                    "not come to its end: add --resume to go on, or remove it to begin anew"
                )
            if found is None or not is_resumed:
                self._begin(head)
            else:
                _compare(self.path, found, head)
                # What follows was cut off, or never reached the disk.
                self._file.truncate(self._end)
        except BaseException:
            self._file.close()
            raise

    @staticmethod
    def head_of(output: str | os.PathLike[str]) -> dict[str, Any] | None:
        """Read what an earlier run for this file depended on; None where there was none."""
        try:
            with open(f"{os.fspath(output)}{_SUFFIX}", "rb") as file:
                return _parsed(file.readline())
        except OSError:
            return None

    def has(self, n: int, task: Task) -> bool:
        """Whether the answer of a file is known, and the file as it was.

        Raises
        ------
        ParameterError
            If the file at that place was another.
        """
        entry = self._entry(n)
        if entry is None:
            return False
        path = entry["record"]["path"]
        if path != task.path:
            raise ParameterError(
                f"{self.path} is of other files: number {n + 1} was {shown(path, 200)} and is "
                f"{shown(task.path, 200)}; give the same files in the same order, or remove it to "
                "begin anew"
            )
        return bool(entry["stamp"] == stamp_of(task.path))

    def write(self, n: int, record: Mapping[str, Any], stamp: object) -> None:
        """Keep an answer; what is written survives the end of this process.

        Parameters
        ----------
        n : int
            Place of the file, from 0.
        record : mapping
            Its answer.
        stamp : object
            What :func:`stamp_of` gave before the file was read.

        Raises
        ------
        OSError
            If it cannot be written; what was kept before is still there.
        """
        line = json.dumps({"n": n, "stamp": stamp, "record": record}, allow_nan=False)
        place = self._end
        self._append(line.encode() + b"\n")
        self._note(n, place)

    def records(self, n_files: int) -> Iterator[dict[str, Any]]:
        """Give the answers in the order of the files.

        Raises
        ------
        ParameterError
            If there are more of them than files.
        """
        if len(self._places) > n_files:
            raise ParameterError(
                f"{self.path} is of other files: it holds answers of {len(self._places)}, and "
                f"{n_files} were given; give the same files, or remove it to begin anew"
            )
        for n in range(n_files):
            entry = self._entry(n)
            assert entry is not None
            yield entry["record"]

    def remove(self) -> None:
        """Close it and take it away: what it held is in the file."""
        self.path.unlink()
        self._file.close()

    def close(self) -> None:
        """Leave it to a later run."""
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())
        # What a full disk did not take would fail once more.
        with contextlib.suppress(OSError):
            self._file.close()

    def _begin(self, head: Mapping[str, Any]) -> None:
        self._places = array.array("q")
        self._file.truncate(0)
        self._end = 0
        self._append(json.dumps({"type": _TYPE, **head}).encode() + b"\n")

    def _read(self) -> dict[str, Any] | None:
        """Learn what is there; None where that is nothing, or not even a whole first line."""
        first = self._file.readline()
        head = _parsed(first)
        if head is None or head.get("type") != _TYPE:
            begin = json.dumps({"type": _TYPE})[:-1].encode()
            if head is not None or not (first.startswith(begin) or begin.startswith(first)):
                raise ParameterError(
                    f"{self.path} is no journal of edge-ser: it would be replaced; remove it, or "
                    "name another --output"
                )
            return None
        self._end = len(first)
        for line in self._file:
            entry = _parsed(line)
            if entry is None or not _is_entry(entry, len(self._places)):
                break
            self._note(entry["n"], self._end)
            self._end += len(line)
        return head

    def _note(self, n: int, place: int) -> None:
        while len(self._places) <= n:
            self._places.append(_NOWHERE)
        self.n_kept += self._places[n] == _NOWHERE
        self._places[n] = place

    def _entry(self, n: int) -> dict[str, Any] | None:
        if n >= len(self._places) or self._places[n] == _NOWHERE:
            return None
        self._file.seek(self._places[n])
        return _parsed(self._file.readline())

    def _append(self, line: bytes) -> None:
        try:
            self._file.seek(self._end)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._end += len(line)


def stamp_of(path: str) -> list[int] | None:
    """Tell a file from what it was earlier; None where it is not there, or not here."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    # The last is of the change of its inode, which nobody can set back.
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_entry(entry: dict[str, Any], n_before: int) -> bool:
    # They are written in the order of the files, and some of them again.
    n = entry.get("n")
    is_place = isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= n_before
    return is_place and "stamp" in entry and is_record(entry.get("record"))


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _compare(path: Path, found: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps(head))
    other = [name for name, value in wanted.items() if found.get(name) != value]
    if other:
        told = ", ".join(
            f"{name} was {shown(found.get(name))} and is {shown(wanted[name])}" for name in other
        )
        raise ParameterError(
            f"{path} is of another run: {told}; give the same again, or remove it to begin anew"
        )


def _open(path: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    # A pipe would be waited for.
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except FileNotFoundError as error:
        raise ParameterError(
            f"--output cannot be written: there is no folder {printable(str(path.parent))}"
        ) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise ParameterError(f"{path} cannot be written: {not_a_file(mode)}")
    return os.fdopen(descriptor, "r+b")


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        hold_open_file(file.fileno())
    except BlockingIOError as error:
        raise ParameterError(
            f"{path} is being written by another edge-ser: wait for it, or name another --output"
        ) from error
