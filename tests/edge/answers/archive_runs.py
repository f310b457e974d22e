"""A run over an archive that was ended, for the tests of what it left."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from edge.cli.main import main

N_CLIPS = 12
COMMAND = [sys.executable, "-m", "edge.cli.main", "classify"]


class Half:
    """A run that was ended: what it would have written, and what it left."""

    def __init__(self, model: list[str], archive: Path, folder: Path) -> None:
        self.whole = folder / "whole.csv"
        self.output = folder / "a.csv"
        self.partial = folder / "a.csv.partial"
        self.command = ["classify", str(archive), *model, "--output", str(self.output)]
        # What cannot be written at the end is kept.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("edge.cli.classifying.atomic_path", _no_space)
            assert main(self.command) == 2
        self.journal = self.partial.read_bytes()
        assert main([*self.command, "--resume"]) == 2
        self.output.rename(self.whole)

    def cut(self, n_bytes: int, more: bytes = b"") -> None:
        self.output.unlink(missing_ok=True)
        self.partial.write_bytes(self.journal[:n_bytes] + more)

    def resume(self, *options: str) -> int:
        return main([*self.command, "--resume", *options])

    def is_as_whole(self) -> bool:
        return self.output.read_bytes() == self.whole.read_bytes() and not self.partial.exists()


def _no_space(path: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
