"""What the files of a run folder are called; no other room knows their names."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path
from typing import Any

from quantize.basics.errors import TrainingError
from quantize.basics.json_files import load_json

__all__ = ["RUN_DIGEST", "RunFiles", "read_json", "remove_leftovers"]

#: Key of a run's digest where a file tells what it was made of.
RUN_DIGEST = "run_digest"

# As edge.files names them.
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.tmp")


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """Paths in a run folder, whether there is anything or not.

    Parameters
    ----------
    folder : path
    """

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """The trained weights; it comes last of all that a later command needs."""
        return self.folder / "checkpoint.safetensors"

    @property
    def config(self) -> Path:
        """All settings of the training."""
        return self.folder / "config.json"

    @property
    def split(self) -> Path:
        """Which clips were held out; there is none where nothing was."""
        return self.folder / "split.json"

    @property
    def corpora(self) -> Path:
        """What was found of every corpus."""
        return self.folder / "corpora.json"

    @property
    def history(self) -> Path:
        """Figures of every epoch."""
        return self.folder / "history.json"

    @property
    def log(self) -> Path:
        """The same as a table."""
        return self.folder / "log.csv"

    @property
    def curves(self) -> Path:
        """A picture of them."""
        return self.folder / "curves.png"

    @property
    def state(self) -> Path:
        """Where a training goes on from; a finished one has none."""
        return self.folder / "training_state.pt"

    @property
    def temperature(self) -> Path:
        """The temperature of the posterior, and when nothing had better be said."""
        return self.folder / "calibration.json"

    @property
    def lock(self) -> Path:
        """Held by the training that is at work here."""
        return self.folder / ".lock"

    @property
    def at_work(self) -> Path:
        """Who holds the lock."""
        return self.folder / ".at-work.json"

    def artifact(self, kind: str) -> Path:
        """Folder of an exported artifact."""
        return self.folder / "artifacts" / kind

    def measured(self, name: str) -> dict[str, Path]:
        """Figures and pictures of one measurement: ``figures``, ``confusion``, ``classes``."""
        return {
            "figures": self.folder / f"evaluation-{name}.json",
            "confusion": self.folder / f"confusion-{name}.png",
            "classes": self.folder / f"class-accuracy-{name}.png",
        }

    def protocol(self, name: str) -> Path:
        """Figures of one protocol; named so that a training anew finds and removes them."""
        return self.measured(name)["figures"]

    def of_a_training(self) -> list[Path]:
        """Whatever is there that tells of one training alone, its weights and artifacts aside."""
        names = (self.config, self.split, self.corpora, self.history, self.log, self.curves)
        each = [path for path in (*names, self.temperature) if path.is_file()]
        for path in self.measured("*").values():
            each += sorted(self.folder.glob(path.name))
        return each


def remove_leftovers(folder: Path) -> None:
    """Delete the unfinished files of writers that were killed; nobody may be writing there."""
    for path in folder.iterdir():
        if _UNFINISHED.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def read_json(path: Path) -> Any:
    """Read a file of a run folder.

    Raises
    ------
    TrainingError
        If it is missing, no JSON, or nested too deep.
    """
    try:
        return load_json(path)
    except FileNotFoundError as error:
        raise TrainingError(
            f"{path} is not there: a whole run folder of edge-ser-quantize train is wanted"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainingError(f"{path} cannot be read ({reason}): train the run anew") from error
