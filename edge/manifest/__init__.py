"""What ``manifest.json`` of an artifact holds."""

from __future__ import annotations

from edge.manifest.manifest import LABELS, LANGUAGES, SCHEMA_VERSION, Manifest
from edge.manifest.parts import (
    Architecture,
    Normalisation,
    Quantization,
    Reference,
    TensorSpec,
)

__all__ = [
    "LABELS",
    "LANGUAGES",
    "SCHEMA_VERSION",
    "Architecture",
    "Manifest",
    "Normalisation",
    "Quantization",
    "Reference",
    "TensorSpec",
]
