"""The training clips of a run that is pruned, on which choices are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from edge.errors import ParameterError, how_many
from quantize.basics.errors import SplitError
from quantize.data.corpora import Clip
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet, corpus_segments
from quantize.data.splits import validation_split
from quantize.runs.run import Run
from quantize.runs.settings import VALIDATION_SHARE
from quantize.training.crops import Batch, CropSampler, examples_of

__all__ = ["choosing_clips", "choosing_segments", "training_batches", "training_clips"]


def training_clips(run: Run, clips: Sequence[Clip]) -> list[Clip]:
    """Those of a run's training side.

    Raises
    ------
    SplitError
        If one is missing.
    """
    return _named(run.split.train, clips) if run.split else list(clips)


def choosing_clips(run: Run, clips: Sequence[Clip]) -> list[Clip]:
    """Clips to choose sizes on: a part of the training side, never of the test side.

    Of a run with ``--validation`` it is what that held out. Any other run has heard them, so what
    counts is how much worse it gets.
    """
    if run.split is None:
        return list(clips)
    if run.split.name.endswith("/validation"):
        return _named(run.split.test, clips)
    return _named(validation_split(run.split, clips, VALIDATION_SHARE).test, clips)


def training_batches(
    run: Run,
    clips: Sequence[Clip],
    cache_folder: Path,
    n_batches: int,
    seed: int,
    n_workers: int,
    cluster: str | None = None,
) -> Iterator[Batch]:
    """Draw training batches of clips that are not augmented, the same for a seed."""
    if n_batches < 1:
        raise ParameterError(f"the number of batches is {n_batches}, at least 1 is wanted")
    saved = run.checkpoint
    rows = FeatureCache(cache_folder, saved.spec, cluster=cluster).load(clips, 0, n_workers)
    sampler = CropSampler(
        examples_of(training_clips(run, clips), saved.labels, saved.domains),
        [rows],
        saved.mean,
        saved.std,
        saved.spec,
        len(saved.domains),
    )
    rng = np.random.default_rng(seed)
    epochs = (batch for _ in range(n_batches) for batch in sampler.epoch(rng))
    return islice(epochs, n_batches)


def choosing_segments(
    run: Run,
    clips: Sequence[Clip],
    cache_folder: Path,
    n_segments: int,
    window_frames: int,
    seed: int,
    n_workers: int,
    cluster: str | None = None,
) -> SegmentSet:
    """Windows of :func:`choosing_clips`, the same for a seed."""
    return corpus_segments(
        choosing_clips(run, clips),
        FeatureCache(cache_folder, run.checkpoint.spec, cluster=cluster),
        clips,
        n_segments,
        seed=seed,
        window_frames=window_frames,
        n_workers=n_workers,
    )


def _named(clip_ids: Sequence[str], clips: Sequence[Clip]) -> list[Clip]:
    by_id = {c.clip_id: c for c in clips}
    missing = [i for i in clip_ids if i not in by_id]
    if missing:
        raise SplitError(
            f"of the run's training side, {how_many(len(missing), 'clip')} cannot be found here, "
            f"such as {missing[0]}: the corpora must be those of the training"
        )
    return [by_id[i] for i in clip_ids]
