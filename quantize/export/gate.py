"""A gate in a file, and into artifacts."""

from __future__ import annotations

import json
from pathlib import Path

from edge.artifact import Artifact, TrainedGate, read_artifact, write_artifact
from edge.errors import ArtifactError
from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path, write_json
from quantize.basics.json_files import load_json
from quantize.export.model_card import model_card

__all__ = ["DEFAULT_GATES", "give_gate", "read_default_gate", "read_gate", "write_gate"]

#: Gates that come along, of the features of before there was a high-pass in front of them and of
#: those with one: every export has that of its own features.
DEFAULT_GATES = tuple(Path(__file__).parent / f"gate{end}.json" for end in ("", "-high-pass"))

_CARD = "MODEL_CARD.md"


def write_gate(path: Path, gate: TrainedGate) -> None:
    """Write a gate, whole or not at all."""
    write_json(path, gate.to_dict())


def read_gate(path: Path, spec: FeatureSpec) -> TrainedGate:
    """Read a gate that is to be used with the features of a spec.

    Raises
    ------
    TrainingError
        If the file cannot be read, is no gate, or one for other features.
    """
    try:
        return TrainedGate.from_dict(load_json(path), spec)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise TrainingError(
            f"{path} is no gate of edge-ser-quantize train-gate: {error}"
        ) from error
    except ArtifactError as error:
        raise TrainingError(f"{path} cannot be used: {error}") from error


def read_default_gate(spec: FeatureSpec) -> TrainedGate | None:
    """Read the gate that comes along for some features; None where there is none."""
    for path in DEFAULT_GATES:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["feature_fingerprint"] == spec.fingerprint:
            return TrainedGate.from_dict(content, spec)
    return None


def give_gate(directory: Path, gate: TrainedGate) -> Artifact:
    """Put a gate into an artifact, whole or not at all; its model card is written anew.

    Raises
    ------
    ArtifactError
        If the folder is no artifact, or the gate is for other features.
    """
    artifact = read_artifact(directory)
    fields = artifact.manifest.to_dict() | {"gate": gate.to_dict()}
    written = write_artifact(directory, fields, artifact.read_model())
    card = directory / _CARD
    if card.exists():
        with atomic_path(card) as temporary:
            temporary.write_text(model_card(written.manifest), encoding="utf-8")
    return written
