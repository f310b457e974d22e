"""A toy corpus for trainings side by side: rows whose pitch and level tell the emotion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.levers.packed import Packed
from benchmarks.levers.packing import Divided, pack
from edge.features.spec import FeatureSpec
from quantize.data.corpora import Clip
from quantize.data.embeddings import Embeddings
from quantize.training.recipe import load_recipe

SPEC: FeatureSpec = load_recipe("claf-ser-alone").feature_spec()
LABELS = ("neutral", "happy", "calm")
N_VARIANTS = 9

Rows = dict[str, NDArray[np.float32]]


def toy_clips() -> list[Clip]:
    """Three voices each of RAVDESS, EMO-DB, which has no "calm", and of Italian lessons."""
    clips = []
    for corpus in ("ravdess", "emo-db", "emovo"):
        for voice in range(3):
            for label in LABELS if corpus == "ravdess" else LABELS[:2]:
                for take in range(4):
                    name = f"{corpus}/{voice}/{label}{take}"
                    speaker = f"{corpus}/{voice}"
                    clips.append(
                        Clip(name, Path("-"), corpus, speaker, "female", label, label, "en", "one")
                    )
    return clips


def toy_rows(clips: Sequence[Clip]) -> list[Rows]:
    """Rows of every variant, 45 to 80 frames."""
    rng = np.random.default_rng(0)
    names = SPEC.feature_names
    variants = []
    for _ in range(N_VARIANTS):
        rows = {}
        for clip in clips:
            each = rng.standard_normal((int(rng.integers(45, 80)), len(names))).astype(np.float32)
            number = LABELS.index(clip.label)
            each[:, names.index("rms")] = rng.uniform(0.1, 0.12, len(each)) * (1 + number)
            each[:, names.index("pitch_hz")] = 120.0 + 60.0 * number + rng.uniform(0, 9, len(each))
            each[:, 1:6] += 2.0 * number
            rows[clip.clip_id] = each
        variants.append(rows)
    return variants


def toy_folds(clips: Sequence[Clip]) -> dict[int, Divided]:
    """The last voice of what is scored validates; the lessons train."""
    test = [i for i, c in enumerate(clips) if c.corpus != "emovo" and c.speaker.endswith("2")]
    return {0: ([i for i in range(len(clips)) if i not in test], test)}


def toy_embeddings(clips: Sequence[Clip]) -> Embeddings:
    rng = np.random.default_rng(1)
    return Embeddings(
        {
            c.clip_id: (np.eye(4)[LABELS.index(c.label)] + 0.1 * rng.standard_normal(4)).astype(
                np.float32
            )
            for c in clips
        }
    )


def toy_packed() -> Packed:
    clips = toy_clips()
    return pack(clips, toy_rows(clips), SPEC, toy_folds(clips), toy_embeddings(clips))
