"""A run folder, and the one place that knows what lies in it."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import EdgeSerError
from quantize.basics.errors import CheckpointError, SplitError, TrainingError
from quantize.basics.progress import progress_note
from quantize.data.corpora import LABELS, Clip, Roots
from quantize.data.splits import Split, check_split, read_split
from quantize.runs.begin import TrainingFolder, begin_training
from quantize.runs.files import RunFiles, read_json
from quantize.runs.header import Header, content_digest, read_header
from quantize.runs.own_settings import differs_from
from quantize.runs.settings import RunSettings
from quantize.runs.temperature import Tempering, not_current, read_tempering, write_tempering

if TYPE_CHECKING:
    from quantize.runs.checkpoint import Checkpoint

__all__ = ["Run", "open_run"]

#: What ``training`` in a checkpoint calls a split that holds nothing out.
NO_SPLIT = "all"


class Run:
    """A trained run; make one with :func:`open_run`.

    What lies in its folder is read when it is asked for, and once.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.files = RunFiles(self.folder)

    @property
    def name(self) -> str:
        """Its folder and that one's parent: runs of one split are called alike."""
        resolved = self.folder.resolve()
        return f"{resolved.parent.name}/{resolved.name}"

    @property
    def slug(self) -> str:
        """Its name as a file may be called."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.name)

    @functools.cached_property
    def header(self) -> Header:
        """What the checkpoint says of itself, without its weights.

        Raises
        ------
        CheckpointError
            If the file is missing or damaged.
        """
        return read_header(self.files.checkpoint)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of its sizes, features, normalisation and weights, see ``runs.header``."""
        return content_digest(self.files.checkpoint)

    @functools.cached_property
    def checkpoint(self) -> Checkpoint:
        """Its model, ready to run.

        Raises
        ------
        CheckpointError
            If it cannot be used.
        """
        from quantize.runs.checkpoint import load_checkpoint

        return load_checkpoint(self.files.checkpoint)

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """What its model tells apart, in the order of its outputs.

        Raises
        ------
        CheckpointError
            If the checkpoint does not tell.
        """
        if "labels" not in self.header.metadata:
            # Of before a run could have its own.
            return LABELS
        try:
            return tuple(str(label) for label in self.header.json("labels"))
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"{self.files.checkpoint} does not say what it tells apart ({error!r}): train the "
                "run anew"
            ) from error

    @functools.cached_property
    def training(self) -> dict[str, Any]:
        """How it was trained, as the checkpoint tells.

        Raises
        ------
        CheckpointError
            If it does not tell.
        """
        try:
            return dict(self.header.json("training"))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{self.files.checkpoint} does not say how it was trained ({error!r}): train the "
                "run anew"
            ) from error

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """All settings of the training.

        Raises
        ------
        TrainingError
            If its file is missing or not what training writes.
        """
        config = read_json(self.files.config)
        if not isinstance(config, dict) or not isinstance(config.get("run"), dict):
            raise TrainingError(
                f"{self.files.config} is not what training writes: move the folder away, and the "
                "same command trains it anew"
            )
        # A training that was interrupted has its settings before it has a checkpoint.
        is_there = self.files.checkpoint.is_file()
        other = differs_from(config, self.training) if is_there else None
        if other:
            raise TrainingError(
                f"{self.files.config} tells of other {other} than the checkpoint beside it was "
                "trained on: the two are of different runs, copy whole run folders"
            )
        return config

    @functools.cached_property
    def settings(self) -> RunSettings:
        """Corpora, split, seed and the like.

        Raises
        ------
        TrainingError
            If the settings' file is missing or not what training writes.
        """
        run = self.config["run"]
        try:
            names = {key: tuple(run[key]) for key in ("corpora", "lessons") if key in run}
            return RunSettings(**{**run, **names})
        except (KeyError, TypeError, EdgeSerError) as error:
            raise TrainingError(
                f"{self.files.config} does not say how the run was trained ({error}): a whole run "
                "folder of edge-ser-quantize train is wanted"
            ) from error

    @functools.cached_property
    def label_map(self) -> dict[str, str | None]:
        """Classes of the corpora's words, where they are not the corpora's own."""
        found = self.config.get("label_map") or {}
        # The checkpoint's own word, where it has one.
        found = self.training.get("label_map", found)
        if not isinstance(found, dict):
            raise TrainingError(f"{self.files.config} has no table label_map: train the run anew")
        return dict(found)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Ids of clips that the training left out: unreadable, silent or too short."""
        found = self.config.get("left_out") or []
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @functools.cached_property
    def split(self) -> Split | None:
        """What was held out; None where nothing was.

        Raises
        ------
        EdgeSerError
            If it cannot be read, or is not the one that the checkpoint was trained on.
        """
        told = self.training.get("split")
        if told == NO_SPLIT or (told is None and not self.files.split.exists()):
            return None
        split = read_split(self.files.split)
        wanted = self.training.get("split_fingerprint", split.fingerprint)
        if told not in (None, split.id) or split.fingerprint != wanted:
            raise SplitError(
                f"{self.files.split} is the split {split.id}, the checkpoint beside it was trained "
                f"on {told}{'' if told != split.id else ' of other clips'}: the two are of "
                "different runs, copy whole run folders"
            )
        return split

    @functools.cached_property
    def tempering(self) -> Tempering:
        """Temperature and abstention that were chosen for these very weights.

        Raises
        ------
        TrainingError
            If their file is damaged.
        """
        found, digest = read_tempering(self.files.temperature)
        if found == Tempering() or digest == self.digest:
            return found
        progress_note(f"edge-ser-quantize: {not_current(self.files.temperature, digest)}")
        return Tempering()

    @property
    def temperature(self) -> float:
        """What the logits are divided by; 1 where nothing was chosen for these weights."""
        return self.tempering.temperature

    def keep(self, tempering: Tempering, n_utterances: int) -> None:
        """Keep a temperature that was chosen for this run on so many utterances."""
        write_tempering(self.files.temperature, tempering, n_utterances, self.digest)
        self.__dict__.pop("tempering", None)

    def clips(
        self,
        data: Roots,
        corpora: Sequence[str] | None = None,
        asked: Mapping[str, str | None] | None = None,
        cache: Path | None = None,
    ) -> list[Clip]:
        """Load the corpora as the run was trained on them.

        Parameters
        ----------
        data : path
            Folder that holds the corpora.
        corpora : sequence of str, optional
            These only; those of the training if None.
        asked : mapping, optional
            A label map that somebody named, which must be the run's own.
        cache : path, optional
            Folder of cached features, which knows what files hold: where it is named, other
            recordings under the names of the run's clips are refused.

        Raises
        ------
        EdgeSerError
            If they cannot be loaded, or another label map is asked for.
        """
        from quantize.runs.clips import load_clips

        return load_clips([self], data, corpora, asked, cache)

    def held_out(self, clips: Sequence[Clip]) -> list[Clip]:
        """Those that the run held out, checked against its split.

        Raises
        ------
        TrainingError
            If nothing was held out.
        SplitError
            If the split leaks or names clips that are missing.
        """
        split = self.held_out_split()
        check_split(split, clips)
        by_id = {c.clip_id: c for c in clips}
        return [by_id[i] for i in split.test]

    def held_out_split(self) -> Split:
        """The split of a run that can be measured.

        Raises
        ------
        TrainingError
            If nothing was held out.
        """
        if self.split is None:
            raise TrainingError(
                f"{self.folder} held nothing out (--split all), so it cannot be measured: "
                "evaluate a run of another --split"
            )
        return self.split

    @staticmethod
    def begin(
        folder: Path, config: Mapping[str, Any]
    ) -> contextlib.AbstractContextManager[TrainingFolder]:
        """Hold a folder for a training, see :func:`quantize.runs.begin.begin_training`."""
        return begin_training(folder, config)

    def artifact(self, kind: str) -> Path:
        """Folder of its artifact of a kind, exported anew where it is not there or not current.

        Raises
        ------
        EdgeSerError
            If the run cannot be exported as that kind.
        """
        from quantize.runs.artifacts import current_artifact

        return current_artifact(self, kind)


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Open the folder of a finished training.

    Raises
    ------
    EdgeSerError
        If there is no finished one, or what it holds is damaged.
    """
    run = Run(folder)
    if not run.files.checkpoint.is_file() and run.files.state.is_file():
        raise CheckpointError(
            f"the training in {run.folder} has not come to its end: the command that began it "
            "goes on with it"
        )
    # Reads no weights, and refuses what is none or cut off.
    assert run.header
    return run
