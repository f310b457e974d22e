"""One drawn model as an artifact of every runtime that is installed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.artifact import Artifact
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from quantize.data.corpora import DOMAINS, LABELS

KINDS = ("numpy", "onnx", "tflite", "torchscript")

_PACKAGES = {"onnx": ("onnxruntime", "onnx"), "tflite": ("ai_edge_litert",), "torchscript": ()}


def export_kind(
    backend: str, folder: Path, voice_reference: VoiceReference | None = None
) -> Artifact:
    """Export it, or skip the test where a package is missing."""
    for package in ("torch", *_PACKAGES.get(backend, ())):
        pytest.importorskip(package)
    import torch

    from quantize.export import ExportFacts
    from quantize.export.exporter import export_artifact
    from quantize.models.claf_ser import CLAFSER, ClafSerConfig

    torch.manual_seed(0)
    n_columns = FeatureSpec().n_features + (voice_reference is not None)
    config = ClafSerConfig(
        n_features=n_columns, hidden=32, n_heads=2, conv_channels=8, conv_kernel=5, classifier=24
    )
    model = CLAFSER(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("lstm", "attention", "language", "fc")):
                parameter.mul_(2.5)
    # Roughly what speech gives, so that normalised rows are of order 1.
    mean = [-300.0] + [0.0] * 12 + [100.0, 0.05] + [0.4] * 12 + [20.0] * 7
    std = [100.0] + [25.0] * 12 + [90.0, 0.06] + [0.3] * 12 + [6.0] * 7
    facts = ExportFacts(
        name="drawn",
        spec=FeatureSpec(),
        mean=np.array(mean, dtype=np.float32),
        std=np.array(std, dtype=np.float32),
        training={"corpora": [], "split": "none", "seed": 0, "commit": "none"},
        licence="CC0-1.0",
        labels=LABELS,
        domains=DOMAINS,
        voice_reference=voice_reference,
    )
    return export_artifact(f"{backend}-fp32", model, facts, folder / backend)
