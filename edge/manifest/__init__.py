"""What ``manifest.json`` of an artifact holds."""

from __future__ import annotations

from edge.manifest.manifest import SCHEMA_VERSION, Manifest
from edge.manifest.parts import (
    Architecture,
    Normalisation,
    Quantization,
    Reference,
    TensorSpec,
)

__all__ = [
    "SCHEMA_VERSION",
    "Architecture",
    "Manifest",
    "Normalisation",
    "Quantization",
    "Reference",
    "TensorSpec",
]
