"""What stands in a TensorFlow Lite file, and what cannot be written as one."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from export_fakes import SIZES, facts, random_model

from edge.errors import MissingDependencyError, ParameterError
from quantize.basics.errors import RecipeError
from quantize.export import KINDS, export_artifact
from quantize.export.numpy import weights_of
from quantize.export.tflite.graph import WEIGHTS, TfliteGraph
from quantize.export.tflite.kind import claf_ser_graph, tflite_model

OPERATORS = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
TYPES = schema.TensorType


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    model = random_model(SIZES["default"])
    return {w: tflite_model(model, KINDS[f"tflite-{w}"].recipe) for w in WEIGHTS}


def parsed(content: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def operators(model: Any) -> list[tuple[str, int, Any]]:
    """Return name, version and operator, in the order they run."""
    codes = [(OPERATORS[c.builtinCode], c.version) for c in model.operatorCodes]
    return [(*codes[o.opcodeIndex], o) for o in model.subgraphs[0].operators]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_file_is_one_fused_lstm_and_few_operators(contents: dict[str, bytes], weights: str) -> None:
    assert contents[weights][4:8] == b"TFL3"
    found = operators(parsed(contents[weights]))
    counts = Counter(name for name, _, _ in found)
    assert counts["BIDIRECTIONAL_SEQUENCE_LSTM"] == 1
    assert not {"WHILE", "CUSTOM", "CALL_ONCE"} & set(counts)
    # 16 matrices of the LSTM and 6 of the linear layers, or the convolution, are brought to
    # float32 once.
    assert counts.pop("DEQUANTIZE", 0) == {"fp32": 0, "fp16": 22, "int8": 1}[weights]
    assert sum(counts.values()) <= 32


@pytest.mark.parametrize("weights", WEIGHTS)
def test_versions_are_those_that_old_runtimes_know(
    contents: dict[str, bytes], weights: str
) -> None:
    """tflite-runtime 2.14 refuses an operator of a version it does not know."""
    versions: dict[str, set[int]] = {}
    for name, version, _ in operators(parsed(contents[weights])):
        versions.setdefault(name, set()).add(version)
    int8 = weights == "int8"
    assert versions.pop("BIDIRECTIONAL_SEQUENCE_LSTM") == ({3} if int8 else {1})
    assert versions.pop("FULLY_CONNECTED") == ({9} if int8 else {5, 6, 1})
    assert versions.pop("DEQUANTIZE", None) == {"fp32": None, "fp16": {3}, "int8": {2}}[weights]
    assert set().union(*versions.values()) == {1}


@pytest.mark.parametrize("weights", WEIGHTS)
def test_signature_and_shapes(contents: dict[str, bytes], weights: str) -> None:
    model = parsed(contents[weights])
    (signature,) = model.signatureDefs
    assert signature.signatureKey == b"serving_default"
    assert [entry.name for entry in signature.inputs] == [b"features", b"language"]
    assert [entry.name for entry in signature.outputs] == [b"logits"]
    tensors = model.subgraphs[0].tensors
    features, language = (tensors[k] for k in model.subgraphs[0].inputs)
    assert (list(features.shapeSignature), features.type) == ([1, -1, 34], TYPES.FLOAT32)
    assert (list(language.shape), language.type) == ([1], TYPES.INT32)
    states = [list(tensor.shape) for tensor in tensors if tensor.isVariable]
    assert states == [[1, 128]] * 4


def stored(content: bytes, dtype: int) -> list[Any]:
    model = parsed(content)
    return [t for t in model.subgraphs[0].tensors if t.buffer and t.type == dtype]


def test_weights_are_stored_as_asked(contents: dict[str, bytes]) -> None:
    for weights, dtype, count in (("int8", TYPES.INT8, 23), ("fp16", TYPES.FLOAT16, 22)):
        matrices = stored(contents[weights], dtype)
        assert len(matrices) == count
        assert sum(int(np.prod(t.shape)) for t in matrices) > 390_000
    for tensor in stored(contents["int8"], TYPES.INT8):
        # Hybrid kernels of tflite-runtime know one factor a tensor and no zero point.
        assert len(tensor.quantization.scale) == 1
        assert list(tensor.quantization.zeroPoint) == [0]
    assert stored(contents["fp32"], TYPES.INT8) == []
    assert len(contents["int8"]) <= 450_000
    assert len(contents["fp16"]) < 0.52 * len(contents["fp32"])


def test_numbers_start_at_multiples_of_16_bytes(contents: dict[str, bytes]) -> None:
    content = contents["int8"]
    model = schema.Model.GetRootAs(content, 0)
    starts = []
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if not buffer.DataIsNone():
            field = buffer._tab.Offset(4)
            starts.append(buffer._tab.Vector(field))
    assert len(starts) > 40
    assert {start % 16 for start in starts} == {0}


def test_int8_rounds_within_half_a_step() -> None:
    weight = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)
    graph = TfliteGraph("int8")
    graph.input("x", [1, 7])
    graph.weight("w", weight)
    graph.weight("zero", np.zeros((2, 2), dtype=np.float32))
    model = parsed(graph.to_bytes("two matrices"))
    _, tensor, zero = model.subgraphs[0].tensors
    whole = np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.int8).reshape(5, 7)
    assert np.abs(whole).max() == 127
    error = np.abs(whole * tensor.quantization.scale[0] - weight)
    assert error.max() <= tensor.quantization.scale[0] * 0.5001
    assert zero.quantization.scale[0] == 1
    assert not np.any(model.buffers[zero.buffer].data)


def test_manifest_says_one_segment_and_32_bits(tmp_path: Path) -> None:
    model = random_model(SIZES["odd"])
    manifest = export_artifact("tflite-int8", model, facts(), tmp_path / "a").manifest
    assert manifest.model_file == "model.tflite"
    assert [spec.shape for spec in manifest.inputs] == [(1, None, 34), (1,)]
    assert [spec.dtype for spec in manifest.inputs] == ["float32", "int32"]
    assert manifest.outputs[0].shape == (1, 8)
    assert manifest.quantization.granularity == "per_tensor"
    other = export_artifact("onnx-fp32", model, facts(), tmp_path / "b").manifest
    assert [spec.shape for spec in other.inputs] == [(None, None, 34), (None,)]
    assert other.inputs[1].dtype == "int64"


# -- refusals ----------------------------------------------------------------------------


def test_weight_that_float16_cannot_hold(tmp_path: Path) -> None:
    model = random_model(SIZES["odd"])
    with torch.no_grad():
        model.fc2.weight[0, 0] = 1e5
    with pytest.raises(ParameterError, match=r"fc2.weight holds 1e\+05, at most 65504 fits"):
        export_artifact("tflite-fp16", model, facts(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_unknown_weights_list_the_known() -> None:
    with pytest.raises(ParameterError, match="'int4', one of fp32, fp16, int8 is wanted"):
        claf_ser_graph(weights_of(random_model(SIZES["odd"])), 2, "int4")


def test_layers_beyond_the_small_ones_cannot_be_kept_in_float() -> None:
    with pytest.raises(RecipeError, match="no more than language for tflite"):
        KINDS["tflite-int8"].recipe.changed(float_layers=["lstm"])


@pytest.mark.parametrize("package", ["ai_edge_litert", "flatbuffers"])
def test_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install ai-edge-litert$"):
        export_artifact("tflite-fp32", random_model(SIZES["odd"]), facts(), tmp_path / "a")
    assert not (tmp_path / "a").exists()
