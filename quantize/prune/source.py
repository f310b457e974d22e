"""The run that is pruned: its model, its split and the training clips that choices are made on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ParameterError, how_many
from quantize.basics.errors import SplitError, TrainingError
from quantize.basics.files import write_json
from quantize.data.corpora import Clip, labelled, load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet, corpus_segments
from quantize.data.splits import Split, read_split, validation_split, write_split
from quantize.prune.cut import refuse_unprunable
from quantize.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from quantize.runs.earlier import file_digest
from quantize.runs.settings import VALIDATION_SHARE, RunSettings
from quantize.training.crops import Batch, CropSampler, examples_of

__all__ = ["Source", "read_source"]


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained run.

    Parameters
    ----------
    folder : path
    digest : str
        SHA-256 of its checkpoint.
    checkpoint : Checkpoint
        Of a whole CLAF-SER.
    run : RunSettings
        What it was trained with.
    label_map : dict
        Classes of the corpora's words, as it was trained.
    split : Split or None
        None: nothing was held out.
    """

    folder: Path
    digest: str
    checkpoint: Checkpoint
    run: RunSettings
    label_map: dict[str, str | None]
    split: Split | None

    def clips(self, data: Path) -> list[Clip]:
        """All clips of the corpora that the run was trained with."""
        clips, _ = load_corpora(data, list(self.run.corpora), self.label_map)
        return labelled(clips, self.checkpoint.labels)

    def training_clips(self, clips: Sequence[Clip]) -> list[Clip]:
        """Those of the training side.

        Raises
        ------
        SplitError
            If one is missing.
        """
        return _named(self.split.train, clips) if self.split else list(clips)

    def choosing_clips(self, clips: Sequence[Clip]) -> list[Clip]:
        """Clips to choose sizes on: a part of the training side, never of the test side.

        Of a run with ``--validation`` it is what that held out. Any other run has heard them, so
        what counts is how much worse it gets.
        """
        if self.split is None:
            return list(clips)
        if self.split.name.endswith("/validation"):
            return _named(self.split.test, clips)
        return _named(validation_split(self.split, clips, VALIDATION_SHARE).test, clips)

    def batches(
        self, clips: Sequence[Clip], cache_folder: Path, n_batches: int, seed: int, n_workers: int
    ) -> Iterator[Batch]:
        """Draw training batches of clips that are not augmented, the same for a seed."""
        if n_batches < 1:
            raise ParameterError(f"the number of batches is {n_batches}, at least 1 is wanted")
        saved = self.checkpoint
        rows = FeatureCache(cache_folder, saved.spec).load(clips, 0, n_workers)
        sampler = CropSampler(
            examples_of(self.training_clips(clips), saved.labels, saved.domains),
            [rows],
            saved.mean,
            saved.std,
            saved.spec,
            len(saved.domains),
        )
        rng = np.random.default_rng(seed)
        epochs = (batch for _ in range(n_batches) for batch in sampler.epoch(rng))
        return islice(epochs, n_batches)

    def segments(
        self,
        clips: Sequence[Clip],
        cache_folder: Path,
        n_segments: int,
        window_frames: int,
        seed: int,
        n_workers: int,
    ) -> SegmentSet:
        """Windows of :meth:`choosing_clips`, the same for a seed."""
        return corpus_segments(
            self.choosing_clips(clips),
            FeatureCache(cache_folder, self.checkpoint.spec),
            clips,
            n_segments,
            seed=seed,
            window_frames=window_frames,
            n_workers=n_workers,
        )

    def training_of_pruned(self, how: dict[str, Any]) -> dict[str, Any]:
        """What the checkpoint of a pruned model says of its training, and of its pruning."""
        return {**self.checkpoint.training, "pruned": {**how, "sha256": self.digest}}

    def write_pruned(self, folder: Path, model: Any, how: dict[str, Any]) -> None:
        """Write a pruned model as a run folder of the same split; its checkpoint comes last.

        ``how`` says how it was pruned; it goes to the checkpoint's ``training``.
        """
        saved, training = self.checkpoint, self.training_of_pruned(how)
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        config |= {"model": model.config.to_dict(), "pruned": training["pruned"]}
        if self.split:
            write_split(self.split, folder / "split.json")
        write_json(folder / "config.json", config)
        save_checkpoint(
            folder / "checkpoint.safetensors",
            Checkpoint(
                model, saved.mean, saved.std, saved.spec, training, saved.labels, saved.domains
            ),
        )


def read_source(folder: Path) -> Source:
    """Read a run to prune.

    Raises
    ------
    EdgeSerError
        If its checkpoint cannot be used or is of another model, or its settings are missing.
    """
    path = folder / "checkpoint.safetensors"
    saved = load_checkpoint(path)
    refuse_unprunable(saved.model, str(folder))
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        run = RunSettings(**{**config["run"], "corpora": tuple(config["run"]["corpora"])})
        label_map = dict(config["label_map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{folder / 'config.json'} does not say how the run was trained ({error!r}): a whole "
            "run folder of train is wanted"
        ) from error
    split = None if run.split == "all" else read_split(folder / "split.json")
    return Source(folder, file_digest(path), saved, run, label_map, split)


def _named(clip_ids: Sequence[str], clips: Sequence[Clip]) -> list[Clip]:
    by_id = {c.clip_id: c for c in clips}
    missing = [i for i in clip_ids if i not in by_id]
    if missing:
        raise SplitError(
            f"of the run's training side, {how_many(len(missing), 'clip')} cannot be found here, "
            f"such as {missing[0]}: the corpora must be those of the training"
        )
    return [by_id[i] for i in clip_ids]
