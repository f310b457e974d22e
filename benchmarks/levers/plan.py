"""Which clips each training hears in which step: chance comes from seed, epoch and fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.levers.levers import LESSONS, N_VARIANTS
from benchmarks.levers.packed import Packed
from benchmarks.levers.settings import LeverSettings
from edge.features.spec import FeatureSpec

__all__ = ["Plan", "crop_lengths", "plan_of", "train_clips"]

_N_LENGTHS = 8
_SEED = 77


@dataclass(frozen=True, slots=True)
class Plan:
    """One epoch of ``S`` steps.

    Parameters
    ----------
    clips, variants : int64 [shape=(S, M, B)]
    n_frames : int64 [shape=(S, M)]
        Of every crop of a training's step.
    length : int64 [shape=(S,)]
        Number of the longest that they may be, of :func:`crop_lengths`.
    """

    clips: NDArray[np.int64]
    variants: NDArray[np.int64]
    n_frames: NDArray[np.int64]
    length: NDArray[np.int64]


def crop_lengths(settings: LeverSettings, spec: FeatureSpec) -> NDArray[np.int64]:
    """Frames that crops have at most: a few numbers, so that each step has one of a few shapes."""
    least, most = settings.batches.min_crop_s, settings.batches.max_crop_s
    frames_a_second = spec.sample_rate / spec.hop_length
    first = least + 0.12 * (most - least) / 2
    seconds = np.linspace(first, most, _N_LENGTHS)
    frames = [int(s * spec.sample_rate / spec.hop_length) + 1 for s in seconds]
    return np.minimum(np.maximum(3, frames), int(most * frames_a_second))


def train_clips(packed: Packed, settings: LeverSettings) -> NDArray[np.int64]:
    """Clips that a training hears."""
    train = packed.folds[settings.fold].train
    unheard = set(LESSONS) - set(settings.lessons)
    left_out = [i for i, corpus in enumerate(packed.names.corpora) if corpus in unheard]
    kept: NDArray[np.int64] = train[~np.isin(packed.corpus[train], left_out)]
    return kept


def plan_of(
    packed: Packed,
    settings: Sequence[LeverSettings],
    train: Sequence[NDArray[np.int64]],
    lengths: NDArray[np.int64],
    n_steps: int,
    epoch: int,
) -> Plan:
    """Draw an epoch: every training hears equally many crops, over and over where it has few."""
    batch_size = settings[0].batches.batch_size
    n_drawn = n_steps * batch_size
    common = np.random.default_rng([_SEED, epoch])
    order, length = common.permutation(n_steps), common.integers(len(lengths), size=n_steps)
    shape = n_steps, len(settings), batch_size
    clips, variants = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    n_frames = np.zeros(shape[:2], np.int64)
    for number, one in enumerate(settings):
        rng = np.random.default_rng([one.training.seed, epoch, one.fold])
        mine = train[number]
        times = -(-n_drawn // len(mine))
        drawn = np.concatenate([rng.permutation(mine) for _ in range(times)])[:n_drawn]
        variant = _variants(one, rng, n_drawn)
        speech: NDArray[Any] = packed.lengths[variant, drawn]
        # Clips of like length share a batch, as in quantize.training.crops.
        like = np.argsort(speech * rng.uniform(0.8, 1.25, n_drawn)).reshape(n_steps, batch_size)
        like = like[order]
        clips[:, number], variants[:, number] = drawn[like], variant[like]
        n_frames[:, number] = np.minimum(lengths[length], speech[like].min(axis=1))
    return Plan(clips, variants, n_frames, length)


def _variants(one: LeverSettings, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Variants: 0, the clip itself, then those in rooms, lines and noise, then changed voices."""
    changed = rng.random(n) < one.voice_share
    voices = rng.integers(1 + N_VARIANTS, 1 + 2 * N_VARIANTS, size=n)
    clean = rng.random(n) < one.batches.clean_share
    noisy = rng.integers(1, 1 + one.n_variants, size=n)
    return np.where(clean, np.where(changed, voices, 0), noisy)
