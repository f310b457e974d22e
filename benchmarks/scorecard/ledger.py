"""What a step was done with: the content of its inputs, and what of its command matters.

A line a step that ended well, written at once: what a killed run had done stays done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Ledger"]

_PIECE_BYTES = 1 << 20


class Ledger:
    """Steps that were done, and with what.

    Parameters
    ----------
    path : Path
        A file of JSON lines, one a step; the last of a step counts.  A line that was cut off counts
        for nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, dict[str, Any]] = {}
        self._seconds: dict[str, float] = {}
        #: Digests of this run, by the file and its state: a teacher is an input of many.
        self._known: dict[tuple[Path, int, int, int], str] = {}
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                entry = json.loads(line)
                self._done[entry["step"]] = entry["with"]
                self._seconds[entry["step"]] = float(entry["seconds"])
            except (ValueError, KeyError, TypeError, RecursionError):
                # Cut off, or of before seconds were noted.
                continue

    def knows(self, name: str) -> bool:
        """Whether a step is in here at all."""
        return name in self._done

    @property
    def seconds(self) -> dict[str, float]:
        """How long steps took when they were last run, by name; of those of which it is known."""
        return dict(self._seconds)

    def is_as_noted(self, name: str, what: Sequence[str], inputs: Iterable[Path]) -> bool:
        """Whether a step was done with just this.

        Parameters
        ----------
        name : str
            Of the step.
        what : sequence of str
            What of its command matters.
        inputs : iterable of path
            Files, all there.
        """
        return self._done.get(name) == self._now(what, inputs)

    def adopt(self, name: str, what: Sequence[str], inputs: Iterable[Path]) -> None:
        """Keep what a step that was done before there was a ledger must have been done with."""
        if not self.knows(name):
            self.note(name, what, inputs)

    def note(
        self,
        name: str,
        what: Sequence[str],
        inputs: Iterable[Path],
        *,
        seconds: float | None = None,
    ) -> None:
        """Keep what a step was done with, and how long it took where that is known."""
        entry = self._done[name] = self._now(what, inputs)
        line: dict[str, Any] = {"step": name, "with": entry}
        if seconds is not None:
            line["seconds"] = self._seconds[name] = round(seconds, 1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(line) + "\n"
        with open(self._path, "a+b") as file:
            # Behind a line that was cut off, a new one begins.
            if file.tell() and not _ends_a_line(file.fileno(), file.tell()):
                text = f"\n{text}"
            file.write(text.encode())

    def _now(self, what: Sequence[str], inputs: Iterable[Path]) -> dict[str, Any]:
        return {"what": list(what), "inputs": sorted(self._digest(path) for path in inputs)}

    def _digest(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_ino, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            digest = hashlib.sha256()
            with open(path, "rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    digest.update(piece)
            self._known[key] = f"{path.parent.name}/{path.name} {digest.hexdigest()}"
        return self._known[key]


def _ends_a_line(descriptor: int, n_bytes: int) -> bool:
    return os.pread(descriptor, 1, n_bytes - 1) == b"\n"
