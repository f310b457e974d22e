"""Models with drawn weights, and what an export is told of them."""

from __future__ import annotations

import numpy as np
import torch

from edge.features.spec import FeatureSpec
from quantize.data.corpora import DOMAINS, LABELS
from quantize.export import ExportFacts
from quantize.models.claf_ser import CLAFSER, ClafSerConfig

SIZES = {
    "default": ClafSerConfig(),
    "small": ClafSerConfig(hidden=32, n_heads=2, conv_channels=8, conv_kernel=5, classifier=24),
    "odd": ClafSerConfig(hidden=5, n_heads=2, conv_channels=1, conv_kernel=1, classifier=3),
    "stacked": ClafSerConfig(frame_stack=3, hidden=12, n_heads=2, conv_channels=6, classifier=10),
}


def random_model(config: ClafSerConfig, seed: int = 0) -> CLAFSER:
    """Draw weights large enough that labels depend on the input."""
    torch.manual_seed(seed)
    model = CLAFSER(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("lstm", "attention", "language", "fc")):
                parameter.mul_(2.5)
        model.norm.bias.normal_(std=0.3)
        model.norm.weight.add_(torch.randn_like(model.norm.weight) * 0.3)
    return model


def rows(n_batch: int, n_frames: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng((seed, n_batch, n_frames))
    return generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)


def facts(**changes: object) -> ExportFacts:
    generator = np.random.default_rng(3)
    settings: dict[str, object] = {
        "name": "a model",
        "spec": FeatureSpec(),
        "mean": generator.standard_normal(34).astype(np.float32),
        "std": np.full(34, 0.1, dtype=np.float32),
        "training": {"corpora": ["tess"], "split": "paper", "seed": 0, "commit": "abc"},
        "licence": "CC-BY-NC-SA-4.0",
        "labels": LABELS,
        "domains": DOMAINS,
    }
    return ExportFacts(**{**settings, **changes})  # type: ignore[arg-type]
