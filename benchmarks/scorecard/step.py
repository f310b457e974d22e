"""One step: a command, what it needs and what it makes."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

from benchmarks.scorecard.ledger import Ledger

__all__ = ["Step"]


@dataclasses.dataclass(frozen=True)
class Step:
    """One command.

    Parameters
    ----------
    name : str
        Unlike any other.
    recipe : str
        Which recipe it is of.
    jobs : tuple of str
        Trainings that it is about.
    words : tuple of str
        The command without the program.
    inputs, outputs : tuple of path
        Files.
    what : tuple of str
        What of the command its result depends on, besides the inputs; not folders, nor how many
        do the work.
    log : path
        File that its output goes to.
    cost : float
        About how long it takes beside the others: what more waits for goes first.
    shares : path, optional
        A file that says that whatever others of the same `shares_as` would compute too is there to
        be read; until then they wait for the first of them.
    shares_as : str
        What is shared.
    turn : str
        Steps of one turn do not run at a time; the empty one is nobody's.
    """

    name: str
    recipe: str
    jobs: tuple[str, ...]
    words: tuple[str, ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    log: Path
    what: tuple[str, ...] = ()
    cost: float = 1.0
    shares: Path | None = None
    shares_as: str = ""
    turn: str = ""

    @property
    def command(self) -> str:
        """The command as a person types it."""
        return shlex.join(("edge-ser-quantize", *self.words))

    def is_done(self, ledger: Ledger) -> bool:
        """Tell whether every output is there, and was made with the inputs as they are."""
        if not all(path.exists() for path in (*self.outputs, *self.inputs)):
            return False
        if ledger.knows(self.name):
            return ledger.is_as_noted(self.name, self.what, self.inputs)
        made_ns = min(path.stat().st_mtime_ns for path in self.outputs)
        return all(path.stat().st_mtime_ns <= made_ns for path in self.inputs)
