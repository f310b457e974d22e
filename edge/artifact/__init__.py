"""What a model folder holds: reading, checking and writing it."""

from __future__ import annotations

from edge.artifact.abstention import Abstention, ActivationScale, CoverageRow
from edge.artifact.folder import MANIFEST_FILE, Artifact, read_artifact, write_artifact
from edge.artifact.gate import GateColumns, TrainedGate
from edge.artifact.manifest import SCHEMA_VERSION, Manifest
from edge.artifact.parts import (
    Normalisation,
    Quantization,
    Reference,
    TensorSpec,
)

__all__ = [
    "MANIFEST_FILE",
    "SCHEMA_VERSION",
    "Abstention",
    "ActivationScale",
    "Artifact",
    "CoverageRow",
    "GateColumns",
    "Manifest",
    "Normalisation",
    "Quantization",
    "Reference",
    "TensorSpec",
    "TrainedGate",
    "read_artifact",
    "write_artifact",
]
