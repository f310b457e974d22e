"""Artifacts from anybody: they loop, they are too large, they read other files, they pretend."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import make_artifact, manifest_fields

import edge
from edge.artifact import read_artifact, write_artifact
from edge.errors import ArtifactError, BackendError, EdgeSerError
from edge.runtimes.onnx_file import check_onnx_file
from edge.runtimes.probe import probe_artifact
from edge.runtimes.registry import RUNTIMES

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

helper, numpy_helper = onnx.helper, onnx.numpy_helper
FLOAT, INT64, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL


def constant(name: str, values: Any, dtype: type = np.int64) -> Any:
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def model(nodes: list[Any], constants: list[Any], functions: tuple[Any, ...] = ()) -> Any:
    """Build a file with the inputs and the output of a CLAF-SER; its logits are of ``nodes``."""
    graph = helper.make_graph(
        nodes,
        "stranger",
        [
            helper.make_tensor_value_info("features", FLOAT, ["B", "T", 34]),
            helper.make_tensor_value_info("language", INT64, ["B"]),
        ],
        [helper.make_tensor_value_info("logits", FLOAT, ["B", "N"])],
        constants,
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)


def mean_times_matrix(n_labels: int = 8) -> tuple[list[Any], list[Any]]:
    nodes = [
        helper.make_node("ReduceMean", ["features", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["logits"]),
    ]
    return nodes, [constant("axes", [1]), constant("matrix", np.zeros((34, n_labels)), np.float32)]


def endless() -> Any:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["x", "x"], ["y"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", BOOL, []),
            helper.make_tensor_value_info("x", FLOAT, ["B", 8]),
        ],
        [
            helper.make_tensor_value_info("go_on", BOOL, []),
            helper.make_tensor_value_info("y", FLOAT, ["B", 8]),
        ],
    )
    nodes, constants = mean_times_matrix()
    nodes[1].output[0] = "start"
    nodes.append(helper.make_node("Loop", ["n", "yes", "start"], ["logits"], body=body))
    return model(nodes, [*constants, constant("n", 2**62), constant("yes", True, np.bool_)])


def enormous() -> Any:
    nodes, constants = mean_times_matrix()
    nodes[1].output[0] = "few"
    nodes += [
        helper.make_node("ConstantOfShape", ["shape"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["few", "sum"], ["logits"]),
    ]
    return model(nodes, [*constants, constant("shape", [1_000_000, 50_000])])


def artifact(folder: Path, file: Any, **changes: Any) -> Path:
    content = file if isinstance(file, bytes) else file.SerializeToString()
    fields = manifest_fields(backend="onnx", model_file="model.onnx", **changes)
    return write_artifact(folder / "stranger", fields, content).path


def test_a_model_of_another_width_is_an_artifact_error(tmp_path: Path) -> None:
    path = artifact(tmp_path, model(*mean_times_matrix(7)))
    for backend in (None, "onnx", "auto"):
        with pytest.raises(ArtifactError, match=r"gives float32 \(1, 7\), float32 \(1, 8\) is"):
            edge.load(path, backend)


def test_a_model_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    nodes, constants = mean_times_matrix()
    constants[1] = constant("matrix", np.full((34, 8), np.nan), np.float32)
    with pytest.raises(ArtifactError, match="posterior inf away from its reference"):
        edge.load(artifact(tmp_path, model(nodes, constants)))


@pytest.mark.parametrize("n_calls_before", [0, 1, 3])
def test_a_model_that_changes_its_width_is_refused_at_any_call(
    tmp_path: Path, n_calls_before: int
) -> None:
    # As many logits as the largest feature says.
    nodes, constants = mean_times_matrix()
    nodes[1].output[0] = "all"
    nodes += [
        helper.make_node("ReduceMax", ["features"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["n"], to=INT64),
        helper.make_node("Reshape", ["n", "one"], ["end"]),
        helper.make_node("Slice", ["all", "zero", "end", "one"], ["logits"]),
    ]
    constants += [constant("one", [1]), constant("zero", [0])]
    found = read_artifact(artifact(tmp_path, model(nodes, constants)))
    session = RUNTIMES["onnx"].load(found.manifest, found.read_model()).session()
    wide, narrow = (np.full((1, 5, 34), n, dtype=np.float32) for n in (8, 7))
    for _ in range(n_calls_before):
        assert session.infer(wide, 0).shape == (1, 8)
    with pytest.raises((ArtifactError, BackendError)):
        session.infer(narrow, 0)
    # And whoever comes after it is answered.
    assert session.infer(wide, 0).shape == (1, 8)


def test_a_model_that_loops_is_ended(tmp_path: Path) -> None:
    path = artifact(tmp_path, endless())
    started_s = time.perf_counter()
    probe = probe_artifact(path, cpu_s=0.3)
    assert time.perf_counter() - started_s < 5
    assert isinstance(probe.error, BackendError)
    assert "computes and computes without an end" in str(probe.error)


def test_a_model_that_wants_200_gb_is_ended(tmp_path: Path) -> None:
    path = artifact(tmp_path, enormous())
    with pytest.raises(BackendError, match=r"could not run the model|\(SIG"):
        edge.load(path)


# -- data in other files -----------------------------------------------------------------


def outside(values: Any) -> Any:
    """Point a tensor to a file in the current folder."""
    tensor = numpy_helper.from_array(values, "matrix")
    tensor.ClearField("raw_data")
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "matrix.bin"
    tensor.data_location = onnx.TensorProto.EXTERNAL
    return tensor


def in_initializers(tensor: Any) -> Any:
    nodes, constants = mean_times_matrix()
    return model(nodes, [constants[0], tensor])


def in_an_attribute(tensor: Any) -> Any:
    nodes, constants = mean_times_matrix()
    first = helper.make_node("Constant", [], ["matrix"], value=tensor)
    return model([first, *nodes], constants[:1])


def in_a_graph_within(tensor: Any) -> Any:
    nodes, constants = mean_times_matrix()
    info = helper.make_tensor_value_info("inner", FLOAT, [34, 8])
    tensor.name = "held"
    graph = helper.make_graph(
        [helper.make_node("Identity", ["held"], ["inner"])], "g", [], [info], [tensor]
    )
    first = helper.make_node("If", ["yes"], ["matrix"], then_branch=graph, else_branch=graph)
    return model([first, *nodes], [constants[0], constant("yes", True, np.bool_)])


def in_a_function(tensor: Any) -> Any:
    nodes, constants = mean_times_matrix()
    body = [helper.make_node("Constant", [], ["out"], value=tensor)]
    opsets = [helper.make_opsetid("", 18)]
    function = helper.make_function("own", "Held", [], ["out"], body, opsets)
    first = helper.make_node("Held", [], ["matrix"], domain="own")
    file = model([first, *nodes], constants[:1], (function,))
    file.opset_import.append(helper.make_opsetid("own", 1))
    return file


def in_a_sparse_tensor(tensor: Any) -> Any:
    file = model(*mean_times_matrix())
    sparse = file.graph.sparse_initializer.add()
    sparse.values.CopyFrom(tensor)
    return file


@pytest.mark.parametrize(
    "where",
    [in_initializers, in_an_attribute, in_a_graph_within, in_a_function, in_a_sparse_tensor],
)
def test_data_in_another_file_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Callable[[Any], Any]
) -> None:
    matrix = np.ones((34, 8), dtype=np.float32)
    path = artifact(tmp_path, where(outside(matrix)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matrix.bin").write_bytes(matrix.tobytes())
    (path / "matrix.bin").write_bytes(matrix.tobytes())
    with pytest.raises(ArtifactError, match="keeps weights in another file"):
        edge.load(path)
    inside = where(numpy_helper.from_array(matrix, "matrix")).SerializeToString()
    check_onnx_file(inside)


@pytest.mark.parametrize(
    "content",
    [b"not a model", b"\x3b", b"\x3a\xff\xff\x03", b"\x3a" + b"\xff" * 11, b"\x02\x00",
     bytes(4) + b"ORTM" + bytes(99), b"\x38\x01", b"\x39\x00"],
)  # fmt: skip
def test_what_is_no_onnx_file(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="is not an ONNX file"):
        check_onnx_file(content)


def test_deep_nesting_is_refused() -> None:
    inner = b""
    for _ in range(30):
        # An attribute with a graph, of a node, of a graph.
        for tag in (0x32, 0x2A, 0x0A):
            inner = bytes([tag]) + varint(len(inner)) + inner
    with pytest.raises(ArtifactError, match="nested more than 40 deep"):
        check_onnx_file(b"\x3a" + varint(len(inner)) + inner)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


# -- names that pretend ------------------------------------------------------------------


@pytest.mark.parametrize("backend", sorted(RUNTIMES))
def test_a_file_is_called_what_it_is(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TorchScript program in a file called model.npz never ran by mistake again."""
    right = RUNTIMES[backend].model_file
    other = "model.npz" if right != "model.npz" else "model.pt"
    with pytest.raises(EdgeSerError, match=f"{other}.*{right}|{right}.*{other}"):
        edge.load(make_artifact(tmp_path / "a", backend=backend, model_file=other).path, backend)
