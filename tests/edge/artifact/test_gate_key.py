"""The manifest's key ``gate``: what is read, what is refused, and one hash for all."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.artifact import GateColumns, TrainedGate, read_artifact, write_artifact
from edge.bundled import MODELS_DIR
from edge.errors import ArtifactError
from edge.features.families.mfcc import Mfcc
from edge.features.families.rms import Rms

MANIFEST = read_artifact(MODELS_DIR / "claf-ser-tiny").manifest
SPEC = MANIFEST.feature_spec


def bundled() -> dict[str, Any]:
    assert MANIFEST.gate is not None
    return MANIFEST.gate.to_dict()


def test_it_is_read_as_it_was_written() -> None:
    fields = bundled()
    assert TrainedGate.from_dict(fields, SPEC).to_dict() == fields


def test_it_takes_a_few_kilobytes() -> None:
    assert TrainedGate.from_dict(bundled(), SPEC).n_bytes < 10_000


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("type", "lstm", "gate.type is 'lstm', 'conv-memory' is wanted"),
        ("feature_fingerprint", "0" * 64, "the gate was trained on others"),
        ("floor_rise_db", -1, "gate.floor_rise_db is -1, 0 to 10 is wanted"),
        ("kernel", 0, "gate.kernel is 0, a whole number of at least 1"),
        ("kernel", 1000, "gate.kernel is 1000, at most 8 is wanted"),
        ("kernel", 2, r"gate.weights have \d+ bytes, \d+ are wanted"),
        ("widths", [24, 20], "gate.widths has 2 entries, 3 are wanted"),
        ("widths", [24, 20, 100_000], "gate.widths is 100000, at most 128 is wanted"),
        ("widths", 24, "gate.widths is 24, a list is wanted"),
        ("memories", [[6.0], [0.5]], "a length in gate.memories is 0.5 frames"),
        ("memories", [[6.0] * 9, [9.0]], "has 9 lengths, at most 8"),
        ("memories", [[6.0], ["long"]], "a length in gate.memories is 'long', a number"),
        ("open_above", 1.0, "gate.open_above is 1"),
        ("close_below", 0.99, "gate.close_below is 0.99"),
        ("close_below", float("nan"), "gate.close_below is nan, a finite number is wanted"),
        ("least_speech_s", 11, "gate.least_speech_s is 11, 0 to 10 is wanted"),
        ("weights", "###", "gate.weights are no base64"),
        ("weights", "AAAA", r"gate.weights have 3 bytes, \d+ are wanted"),
        ("weights", 3, "gate.weights is 3, a text is wanted"),
        ("training", [], r"gate.training is \[\], a JSON object is wanted"),
        ("colour", 1, "gate has unknown keys: colour"),
    ],
)
def test_what_cannot_be_used_is_named(key: str, value: Any, match: str) -> None:
    with pytest.raises(ArtifactError, match=match):
        TrainedGate.from_dict(bundled() | {key: value}, SPEC)


def test_weights_must_be_finite() -> None:
    fields = bundled()
    numbers = np.frombuffer(base64.b64decode(fields["weights"]), dtype="<f2").copy()
    numbers[7] = np.nan
    fields["weights"] = base64.b64encode(numbers.tobytes()).decode()
    with pytest.raises(ArtifactError, match="hold NaN or infinity, finite numbers"):
        TrainedGate.from_dict(fields, SPEC)


def test_a_key_that_is_missing_is_named() -> None:
    fields = bundled()
    del fields["kernel"]
    with pytest.raises(ArtifactError, match="gate lacks kernel"):
        TrainedGate.from_dict(fields, SPEC)


def test_features_that_it_needs() -> None:
    with pytest.raises(ArtifactError, match="is without pitch, chroma, spectral_contrast"):
        GateColumns.of(dataclasses.replace(SPEC, families=(Mfcc(), Rms())))


def test_one_hash_tells_model_gate_and_settings(tmp_path: Path) -> None:
    artifact = read_artifact(MODELS_DIR / "claf-ser-tiny")
    fields, content = artifact.manifest.to_dict(), artifact.read_model()
    same = write_artifact(tmp_path / "same", fields, content)
    assert same.digest == artifact.digest == read_artifact(tmp_path / "same").digest
    other = fields | {"gate": fields["gate"] | {"open_above": 0.91}}
    without = {key: value for key, value in fields.items() if key != "gate"}
    digests = {
        write_artifact(tmp_path / str(k), changed, content).digest
        for k, changed in enumerate((fields, other, without))
    }
    assert len(digests) == 3


def test_without_one_nothing_is_written_of_it(tmp_path: Path) -> None:
    artifact = read_artifact(MODELS_DIR / "claf-ser-tiny")
    fields = artifact.manifest.to_dict()
    del fields["gate"]
    written = write_artifact(tmp_path / "a", fields, artifact.read_model())
    assert written.manifest.gate is None
    assert "gate" not in (tmp_path / "a" / "manifest.json").read_text().replace("aggregate", "")


def test_kinds_of_one_model_have_one_gate() -> None:
    manifests = [read_artifact(path).manifest for path in sorted(MODELS_DIR.glob("claf-ser-int8*"))]
    assert len({manifest.model_identity for manifest in manifests}) == 1
    assert len({manifest.gate.weights for manifest in manifests if manifest.gate}) == 1
