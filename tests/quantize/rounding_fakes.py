"""A checkpoint that nobody trained, and where its commands write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from export_fakes import SIZES, random_model

from edge.features.spec import FeatureSpec
from quantize.data.corpora import DOMAINS, LABELS
from quantize.runs.checkpoint import Checkpoint, save_checkpoint


def make_run(folder: Path, size: str = "small") -> Path:
    folder.mkdir(parents=True)
    spec = FeatureSpec()
    checkpoint = Checkpoint(
        random_model(SIZES[size]),
        np.zeros(34, dtype=np.float32),
        np.full(34, 50, dtype=np.float32),
        spec,
        {"corpora": ["tess"], "split": "all", "seed": 0, "commit": "abc"},
        LABELS,
        DOMAINS,
    )
    save_checkpoint(folder / "checkpoint.safetensors", checkpoint)
    return folder
