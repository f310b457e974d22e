"""A small CLAF-SER with drawn weights as a NumPy artifact, made without torch."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from edge.artifact import Artifact, Manifest, write_artifact
from edge.artifact.checks import plain
from edge.features.spec import FeatureSpec
from edge.models.claf_ser import ClafSerSizes
from edge.models.claf_ser.weights import weight_shapes
from edge.runtimes.base import Session
from edge.runtimes.numpy.model import NumpyModel

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
LANGUAGES = ("ravdess", "savee", "emo-db", "tess", "unknown")
UNKNOWN = 4

TINY = ClafSerSizes(
    type="claf-ser",
    n_features=34,
    hidden=8,
    n_heads=2,
    conv_channels=4,
    conv_kernel=3,
    classifier=16,
    n_labels=8,
    n_corpora=5,
)
#: One column more: how much of a voice's mean was taken away.
VOICE = dataclasses.replace(TINY, n_features=35)


def draw_weights(architecture: ClafSerSizes, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw every weight of a NumPy artifact, large enough that labels differ by input."""
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in weight_shapes(architecture).items():
        width = 1.5 / np.sqrt(shape[-1] if len(shape) > 1 else 4)
        weights[name] = generator.uniform(-width, width, shape).astype(np.float32)
    weights["norm.weight"] += 1
    return weights


def pack(weights: dict[str, np.ndarray]) -> bytes:
    """Return the bytes of a ``model.npz``."""
    file = io.BytesIO()
    np.savez(file, **weights)
    return file.getvalue()


def as_onnx(archive: bytes) -> bytes:
    """Make an archive an ONNX file without a graph; what reads archives takes it as well."""
    n_bytes, size = len(archive), bytearray()
    while n_bytes > 127:
        size.append(n_bytes & 127 | 128)
        n_bytes >>= 7
    # The model's text for people, field 6.
    return b"\x32" + bytes([*size, n_bytes]) + archive


def manifest_fields(sizes: ClafSerSizes = TINY, **changes: Any) -> dict[str, Any]:
    """Fill in a manifest for a NumPy artifact; the reference's logits are zeros."""
    spec = FeatureSpec()
    generator = np.random.default_rng(1)
    rows = generator.standard_normal((16, sizes.n_features)).round(4)
    fields: dict[str, Any] = {
        "schema_version": 1,
        "name": "tiny",
        "backend": "numpy",
        "model_file": "model.npz",
        "model_sha256": "0" * 64,
        "model_bytes": 1,
        "architecture": plain(sizes),
        "inputs": [
            {
                "name": "features",
                "shape": [None, None, sizes.n_features],
                "dtype": "float32",
                "layout": "batch,time,feature",
            },
            {"name": "language", "shape": [None], "dtype": "int64", "layout": "batch"},
        ],
        "outputs": [
            {
                "name": "logits",
                "shape": [None, sizes.n_labels],
                "dtype": "float32",
                "layout": "batch,label",
            }
        ],
        "labels": list(LABELS),
        "languages": list(LANGUAGES),
        "default_language": "unknown",
        "feature_spec": spec.to_dict(),
        "feature_fingerprint": spec.fingerprint,
        "window_frames": 61,
        "window_hop": 16,
        # Roughly what speech gives, so that normalised rows are of order 1.
        "normalisation": {
            "mean": [-300.0] + [0.0] * 12 + [100.0, 0.05] + [0.4] * 12 + [20.0] * 7,
            "std": [100.0] + [25.0] * 12 + [90.0, 0.06] + [0.3] * 12 + [6.0] * 7,
        },
        "temperature": 1.0,
        "quantization": {
            "recipe": "numpy_fp32",
            "weight_bits": 32,
            "granularity": "none",
            "float_layers": [],
            "calibration_fingerprint": None,
        },
        "training": {"corpora": [], "split": "none", "seed": 0, "commit": "none", "n_clips": 0},
        "accuracy": [],
        "licence": "CC0-1.0",
        "reference": {
            "features": rows.tolist(),
            "language": sizes.n_corpora - 1,
            "logits": [0.0] * sizes.n_labels,
            "tolerance": 1e-4,
        },
    }
    return {**fields, **changes}


def voice_fields(**changes: Any) -> dict[str, Any]:
    """Fill in a manifest of a model that takes a reference for a voice."""
    names = FeatureSpec().feature_names
    centre = [0.5] * len(names)
    centre[names.index("rms")], centre[names.index("pitch_hz")] = -30.0, 5.0
    reference = {"centre": centre, "prior_s": 5.0, "least_s": 8.0, "most_s": 120.0}
    return manifest_fields(VOICE, **{"voice_reference": reference, **changes})


def make_voice_artifact(directory: Path, seed: int = 0, **changes: Any) -> Artifact:
    """Write one that takes a reference for a voice."""
    fields = voice_fields(**changes)
    return make_artifact(directory, seed, VOICE, **fields)


def make_artifact(
    directory: Path, seed: int = 0, sizes: ClafSerSizes | None = None, **changes: Any
) -> Artifact:
    """Write a small CLAF-SER with drawn weights as a NumPy artifact, without torch."""
    sizes = sizes or TINY
    fields = manifest_fields(sizes, **changes)
    model = pack(draw_weights(sizes, seed))
    if fields["backend"] == "onnx":
        model = as_onnx(model)
    reference = fields["reference"]
    session = NumpyModel(Manifest.from_dict(fields), model).session()
    rows = np.array(reference["features"], dtype=np.float32)[None]
    logits = session.infer(rows, reference["language"])[0]
    reference = {**reference, "logits": [float(value) for value in logits]}
    return write_artifact(directory, {**fields, "reference": reference}, model)


def rows(n_batch: int, n_frames: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng((seed, n_batch, n_frames))
    return generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)


def session_of(sizes: ClafSerSizes = TINY, weights: dict[str, np.ndarray] | None = None) -> Session:
    weights = draw_weights(sizes) if weights is None else weights
    return NumpyModel(Manifest.from_dict(manifest_fields(sizes)), pack(weights)).session()
