"""ONNX files: what old runtimes load, and nothing that a runtime does as well without."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from export_fakes import SIZES, facts, random_model, rows
from onnx import TensorProto, helper

from edge.artifact import Artifact
from edge.errors import ArtifactError, ParameterError
from edge.runtimes.open import open_model
from quantize.export import export_artifact
from quantize.export.onnx.compact import compact_onnx
from quantize.export.onnx.kind import onnx_bytes
from quantize.export.onnx.weights import INT8_SUFFIX

ONNX_KINDS = ["onnx-fp32", "onnx-fp16", "onnx-int8"]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Artifact]:
    folder = tmp_path_factory.mktemp("onnx")
    models = {size: random_model(SIZES[size]) for size in ("default", "stacked", "odd")}
    return {
        (size, kind): export_artifact(kind, model, facts(), folder / size / kind)
        for size, model in models.items()
        for kind in ONNX_KINDS
    }


@pytest.mark.parametrize("kind", ONNX_KINDS)
def test_onnx_is_what_old_runtimes_load(
    artifacts: dict[tuple[str, str], Artifact], kind: str
) -> None:
    graph = onnx.load_from_string(artifacts["default", kind].read_model())
    assert graph.ir_version <= 8
    versions = {entry.domain: entry.version for entry in graph.opset_import}
    assert versions.pop("") == 17
    assert set(versions) <= {"ai.onnx.ml", "com.microsoft"}
    operators = {node.op_type for node in graph.graph.node}
    assert "ConvInteger" not in operators
    assert ("DynamicQuantizeLSTM" in operators) == (kind == "onnx-int8")
    assert not {"Loop", "Scan"} & operators


def test_onnx_int8_cannot_saturate_16_bits(artifacts: dict[tuple[str, str], Artifact]) -> None:
    """Two products of a weight and an activation (0 to 255) fit a signed 16-bit sum."""
    graph = onnx.load_from_string(artifacts["default", "onnx-int8"].read_model())
    stored = {
        entry.name: onnx.numpy_helper.to_array(entry)
        for entry in graph.graph.initializer
        if entry.data_type == onnx.TensorProto.INT8 and len(entry.dims) > 1
    }
    # Some are brought back to float32 and take all 8 bits: convolution, language rows, and the
    # three matrices that a window meets once.
    whole = [stored.pop(name) for name in list(stored) if name.endswith(INT8_SUFFIX)]
    assert [int(np.abs(w.astype(np.int16)).max()) for w in whole] == [127] * 5
    weights = list(stored.values())
    n_weights = sum(w.size for w in weights)
    assert n_weights > 290_000
    # All but the biases and the norm: the output projection is in fc1.
    assert n_weights + sum(w.size for w in whole) > 400_000
    assert max(int(np.abs(w.astype(np.int16)).max()) for w in weights) * 255 * 2 < 2**15


@pytest.mark.parametrize("kind", ONNX_KINDS)
def test_onnx_holds_nothing_that_a_runtime_infers(
    artifacts: dict[tuple[str, str], Artifact], kind: str
) -> None:
    model = onnx.load_from_string(artifacts["stacked", kind].read_model())
    graph = model.graph
    assert not graph.value_info
    assert not any(node.op_type == "Constant" for node in graph.node)
    constants = [e for e in graph.initializer if re.fullmatch(r"c\d+", e.name)]
    assert constants
    unnamed = {
        (e.data_type, tuple(e.dims), onnx.numpy_helper.to_array(e).tobytes()) for e in constants
    }
    assert len(unnamed) == len(constants), "one constant is stored twice"
    made = [name for node in graph.node for name in node.output]
    weights = {e.name for e in graph.initializer}
    between = [name for name in made if name not in ("", "logits")]
    assert between
    assert all(re.fullmatch(r"v\d+", name) for name in between)
    assert not weights & set(made)
    content = model.SerializeToString(deterministic=True)
    assert compact_onnx(content) == content


def test_compact_onnx_computes_the_same() -> None:
    model = random_model(SIZES["stacked"])
    content = onnx_bytes(model)
    smaller = compact_onnx(content)
    assert len(smaller) < len(content) - 3000
    inputs = {"features": rows(2, 23), "language": np.array([4, 0])}
    before, after = (
        onnxruntime.InferenceSession(c).run(None, inputs)[0] for c in (content, smaller)
    )
    assert np.array_equal(before, after)


def test_an_lstm_begins_with_zeros_untold_and_is_turned_once() -> None:
    content = onnx_bytes(random_model(SIZES["odd"]))
    before, after = (onnx.load_from_string(c).graph.node for c in (content, compact_onnx(content)))
    (lstm,) = (node for node in after if node.op_type == "LSTM")
    assert list(lstm.input[5:]) == ["", ""]
    assert not any(node.op_type == "ConstantOfShape" for node in after)
    n_turns = [sum(node.op_type == "Transpose" for node in nodes) for nodes in (before, after)]
    assert n_turns[1] == n_turns[0] - 1


def test_an_lstm_that_begins_with_something_else_is_told_so() -> None:
    size = helper.make_tensor("size", TensorProto.INT64, [3], [1, 1, 2])
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, [1, 8, n], [0.5] * (8 * n))
        for name, n in (("w", 3), ("r", 2))
    ]
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["state"], value=one),
        helper.make_node("LSTM", ["x", "w", "r", "", "", "state", "state"], ["y"], hidden_size=2),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [5, 1, 3]), ("y", [5, 1, 1, 2]))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [size, *weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content = model.SerializeToString()
    inputs = {"x": rows(5, 1)[..., :3]}
    before, after = (
        onnxruntime.InferenceSession(c).run(None, inputs)[0]
        for c in (content, compact_onnx(content))
    )
    assert np.array_equal(before, after)


def test_onnx_uses_one_thread_and_does_not_spin(artifacts: dict[tuple[str, str], Artifact]) -> None:
    model: Any = open_model(artifacts["odd", "onnx-fp32"])
    options = model._runtime.get_session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
    for pool in ("intra", "inter"):
        assert options.get_session_config_entry(f"session.{pool}_op.allow_spinning") == "0"


def test_onnx_backend_checks_names_and_input(artifacts: dict[tuple[str, str], Artifact]) -> None:
    artifact = artifacts["odd", "onnx-fp32"]
    with pytest.raises(ParameterError, match=r"shape \(1, 5, 33\)"):
        open_model(artifact).session().infer(rows(1, 5)[..., :33], 4)
    language = dataclasses.replace(artifact.manifest.inputs[1], dtype="int32")
    inputs = (artifact.manifest.inputs[0], language)
    manifest = dataclasses.replace(artifact.manifest, inputs=inputs)
    with pytest.raises(ArtifactError, match=r"model.onnx: the model's inputs are .*int64"):
        open_model(dataclasses.replace(artifact, manifest=manifest))
