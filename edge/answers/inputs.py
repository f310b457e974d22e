"""The files of an archive: named, searched for in folders, and read from lists as they come."""

from __future__ import annotations

import codecs
import collections
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from edge.answers.request import Task
from edge.audio.find import FoundFiles, search
from edge.errors import ParameterError

__all__ = ["Inputs"]

#: Bytes that are read of a list together, and the longest line.
_PIECE_BYTES = 1 << 16


class Inputs:
    """Files in the order in which they were given, each once.

    Parameters
    ----------
    paths : sequence of str
        Files and folders, which are searched at once.
    lists : sequence of str
        Files with a path a line, or with zero bytes between the paths; ``-`` is standard input.
        They are read as they come, behind the paths.

    Raises
    ------
    ParameterError
        If a list cannot be opened.

    Attributes
    ----------
    n_known : int or None
        How many there are; None while lists may name more.
    """

    def __init__(self, paths: Sequence[str], lists: Sequence[str]) -> None:
        self._seen: set[str] = set()
        self._passed_over: collections.Counter[str] = collections.Counter()
        self._tasks = [task for path in paths for task in self._inside(path)]
        self._lists = [(name, _open(name)) for name in lists]
        self.n_known = None if lists else len(self._tasks)

    @property
    def known(self) -> list[Task]:
        """Those that were given as paths, and what their folders hold."""
        return self._tasks

    def passed_over(self) -> str | None:
        """Say how many files of other kinds were passed over since this was last asked."""
        sentence = FoundFiles(passed_over=self._passed_over).sentence()
        self._passed_over = collections.Counter()
        return sentence

    def __iter__(self) -> Iterator[Task]:
        yield from self._tasks
        for name, file in self._lists:
            with file:
                for path in _paths(name, file):
                    yield from self._inside(path)

    def _inside(self, path: str) -> Iterable[Task]:
        found = search([path])
        self._passed_over += found.passed_over
        for problem in found.problems:
            yield Task(path, str(problem))
        for file in found.files:
            name = str(file)
            if name not in self._seen:
                self._seen.add(name)
                yield Task(name)


def _open(name: str) -> BinaryIO:
    try:
        if name == "-":
            # Not `sys.stdin`: a thread that waits in it cannot be left behind.
            return open(0, "rb", buffering=0, closefd=False)
        return open(name, "rb", buffering=0)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ParameterError(
            f"--list {name!r} cannot be read: {why}; a text file with a path a line is wanted"
        ) from error


def _paths(name: str, file: BinaryIO) -> Iterator[str]:
    """Give the paths of a list, each as soon as its line is there."""
    # Editors of Windows write a mark in front of the first one.
    rest, end, mark = b"", b"\n", codecs.BOM_UTF8
    while piece := _piece(name, file):
        if b"\0" in piece:
            end = b"\0"
        *lines, rest = (rest + piece).split(end)
        if len(rest) > _PIECE_BYTES:
            raise ParameterError(f"--list {name!r} is no list of paths: one has {len(rest)} bytes")
        if lines:
            lines[0], mark = lines[0].removeprefix(mark), b""
        yield from _spelt(lines)
    yield from _spelt([rest.removeprefix(mark)])


def _piece(name: str, file: BinaryIO) -> bytes:
    try:
        return file.read(_PIECE_BYTES)
    except OSError as error:
        raise ParameterError(f"--list {name!r} cannot be read: {error.strerror}") from error


def _spelt(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        path = line.removesuffix(b"\r")
        if path:
            yield os.fsdecode(path)
