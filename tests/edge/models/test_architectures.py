"""Another network is one module and one row of the registry."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import manifest_fields
from runtime_fakes import LABELS, voice
from toy_network import TOY, ToySizes

import edge
from edge.artifact import Artifact, read_artifact, write_artifact
from edge.errors import ArtifactError, BackendError
from edge.explain.explain import attentive
from edge.models.registry import ARCHITECTURES
from edge.stream.classifier import Classifier

SIZES = ToySizes("toy", 34, 8)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARCHITECTURES, TOY.name, TOY)


def drawn() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    matrix = generator.normal(0, 0.5, (8, 34)).astype(np.float32)
    return matrix, generator.normal(0, 0.5, 8).astype(np.float32)


def fields(**changes: Any) -> dict[str, Any]:
    """Fill in a manifest: one input, one corpus."""
    found = manifest_fields()
    matrix, bias = drawn()
    rows = np.array(found["reference"]["features"], dtype=np.float32)
    logits = (rows.mean(axis=0) @ matrix.T + bias).tolist()
    return {
        **found,
        "architecture": {"type": "toy", "n_features": 34, "n_labels": 8},
        "inputs": found["inputs"][:1],
        "languages": ["unknown"],
        "reference": {**found["reference"], "language": 0, "logits": logits},
        **changes,
    }


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def decide(artifact: Artifact) -> Classifier:
    """Open it, decide on a clip and compare with the network by hand."""
    classifier = edge.load(artifact.path)
    matrix, bias = drawn()
    samples = voice(48_000)
    decision, *_ = classifier.classify(samples, 16_000)
    assert decision.posterior
    assert decision.label in LABELS
    features = edge.FeatureExtractor(classifier.spec).extract(samples)[: classifier.window_frames]
    rows = (features - classifier.mean) / classifier.std
    powers = np.exp(rows.mean(axis=0) @ matrix.T + bias)
    found = list(decision.posterior.values())
    assert np.abs(found - powers / powers.sum()).max() < 0.02
    return classifier


def test_a_toy_runs_from_its_archive_to_a_decision(tmp_path: Path) -> None:
    matrix, bias = drawn()
    artifact = write_artifact(tmp_path / "toy", fields(), archive(matrix=matrix, bias=bias))
    classifier = decide(read_artifact(artifact.path))
    with pytest.raises(BackendError, match="gives no attention weights"):
        attentive(classifier.model)


def test_its_weights_may_be_whole_numbers(tmp_path: Path) -> None:
    matrix, bias = drawn()
    scale = np.abs(matrix).max(axis=1) / 127
    whole = np.round(matrix / scale[:, None]).astype(np.int8)
    arrays = {"matrix:int8": whole, "matrix:scale": scale.astype(np.float32), "bias": bias}
    reference = {**fields()["reference"], "tolerance": 0.01}
    decide(write_artifact(tmp_path / "toy", fields(reference=reference), archive(**arrays)))


def test_it_runs_through_onnx_without_a_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A child would not know what this test registered.
    monkeypatch.setattr("edge.runtimes.probe.can_try", lambda: False)
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    matrix, bias = drawn()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["features", "axes"], ["mean"], keepdims=0),
            helper.make_node("Gemm", ["mean", "matrix", "bias"], ["logits"], transB=1),
        ],
        "toy",
        [helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["B", "T", 34])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["B", 8])],
        [
            numpy_helper.from_array(np.array([1], dtype=np.int64), "axes"),
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    changed = fields(backend="onnx", model_file="model.onnx")
    decide(write_artifact(tmp_path / "toy", changed, model.SerializeToString()))


def test_what_the_network_refuses_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="n_labels is 1, 2 or more are wanted"):
        write_artifact(
            tmp_path / "a",
            fields(architecture={"type": "toy", "n_features": 34, "n_labels": 1}),
            b"x",
        )
    with pytest.raises(ArtifactError, match=r"inputs are named .*\['features'\] are wanted"):
        write_artifact(tmp_path / "a", fields(inputs=manifest_fields()["inputs"]), b"x")
    sizes = {"type": "toy", "n_features": 34, "n_labels": 8, "hidden": 4}
    with pytest.raises(ArtifactError, match="architecture has unknown keys: hidden"):
        write_artifact(tmp_path / "a", fields(architecture=sizes), b"x")
    with pytest.raises(ArtifactError, match=r"type is 'other', one of claf-ser, toy is wanted"):
        write_artifact(tmp_path / "a", fields(architecture={"type": "other"}), b"x")
