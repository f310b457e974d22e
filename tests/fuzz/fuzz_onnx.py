"""ONNX models: nodes, shapes, weights and lengths that nobody exports."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.artifact import read_artifact
from edge.bundled import MODELS_DIR
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier
from fuzz.fuzz_manifest import open_and_decide
from fuzz.fuzz_wav import demo_samples
from fuzz.judge import check_decision, manifest_of, write_folder
from fuzz.mutate import EDGES, TEXTS, mutate_bytes
from fuzz.target import Trial

__all__ = ["OnnxTarget", "decide_in_process"]

_BUNDLED = MODELS_DIR / "claf-ser-tiny-onnx"
_OPERATORS = (
    "Identity", "Relu", "Softmax", "Transpose", "MatMul", "Gemm", "Conv", "LSTM", "Expand", "Tile",
    "ConstantOfShape", "Loop", "If", "Scan", "Resize", "Pad", "Range", "NonZero", "Unique", "TopK",
    "Gather", "Scatter", "Slice", "Reshape", "Cast", "StringNormalizer", "Einsum", "RandomNormal",
    "Nothing", "Optional", "SequenceConstruct", "QuantizeLinear", "TfIdfVectorizer", "OneHot",
)  # fmt: skip


class OnnxTarget:
    """Opened within the worker, which stands for the process in which ``load`` tries first."""

    may_probe = True
    needs = ("onnx", "onnxruntime")
    has_short_road = True

    def prepare(self, seeds: Path) -> None:
        """Read the bundled model."""
        self._manifest = manifest_of(_BUNDLED)
        self._model = (_BUNDLED / "model.onnx").read_bytes()
        self._clip = demo_samples()[20_000:60_000]

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change a model, to open its folder and let it decide."""
        rng = trial.rng
        # What external data could name, in the folder and where the process stands.
        (trial.folder / "weights.bin").write_bytes(bytes(4096))
        kind = rng.random()
        if kind < 0.3:
            changed = mutate_bytes(rng, self._model, self._model)
        else:
            changed = _change(rng, self._model)
            if kind > 0.95:
                changed = mutate_bytes(rng, changed, self._model, 1)
        folder = trial.folder / "m"
        write_model(folder, self._manifest, "model.onnx", changed)
        if trial.product:
            return lambda: open_and_decide(folder, None, self._clip)
        return lambda: decide_in_process(folder, self._clip)


def write_model(folder: Path, manifest: dict[str, Any], name: str, model: bytes) -> None:
    """Write an artifact whose manifest names its model's true size and hash."""
    digest = hashlib.sha256(model).hexdigest()
    fields = {**manifest, "model_bytes": len(model), "model_sha256": digest}
    write_folder(folder, json.dumps(fields).encode(), name, model)


def decide_in_process(folder: Path, clip: Any) -> None:
    """What the process that tries a stranger's model does: open it, and run it once."""
    artifact = read_artifact(folder)
    classifier = Classifier(artifact, open_model(artifact))
    for decision in classifier.classify(clip[:12_000].astype("float32"), 16_000):
        check_decision(decision, classifier.labels)


def _change(rng: random.Random, content: bytes) -> bytes:
    """Change the parsed model once or twice."""
    import onnx

    model = onnx.ModelProto.FromString(content)
    for _ in range(rng.choice((1, 1, 2))):
        rng.choice(_CHANGES)(rng, model)
    serialized: bytes = model.SerializeToString()
    return serialized


def _weight(rng: random.Random, model: Any) -> None:
    weights = model.graph.initializer
    weight = rng.choice(weights)
    kind = rng.randrange(7)
    if kind == 0:
        weight.dims[:] = [rng.choice(EDGES) % 2**62 for _ in range(rng.choice((0, 1, 2, 3, 9)))]
    elif kind == 1 and weight.dims:
        at = rng.randrange(len(weight.dims))
        weight.dims[at] = rng.choice((0, -1, weight.dims[at] + 1, weight.dims[at] - 1, 10**9))
    elif kind == 2:
        weight.data_type = rng.randrange(30)
    elif kind == 3:
        weight.raw_data = mutate_bytes(rng, weight.raw_data, b"", 1)
    elif kind == 4:
        weight.name = rng.choice((*TEXTS[:20], rng.choice(weights).name)).replace("\ud800", "?")
    elif kind == 5:
        weight.raw_data = rng.choice(
            (b"", b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f")
        ) * (len(weight.raw_data) // 4)
    else:
        _externalise(rng, weight)


def _externalise(rng: random.Random, weight: Any) -> None:
    """Say that the numbers lie in another file."""
    places = (
        "weights.bin", "../weights.bin", "/etc/passwd", "/dev/zero", "model.onnx", "manifest.json",
        "", ".", "*/_ORT_MEM_ADDR_/*", "x" * 5000, "../../../../../../etc/hostname",
    )  # fmt: skip
    entries = {
        "location": rng.choice(places),
        "offset": str(rng.choice((0, 4, 4096, -1, 2**63, 2**64))),
        "length": str(rng.choice((len(weight.raw_data), 0, 4, -1, 2**62))),
    }
    if rng.random() < 0.7:
        weight.ClearField("raw_data")
    weight.data_location = 1
    for key, value in entries.items():
        if key == "location" or rng.random() < 0.6:
            entry = weight.external_data.add()
            entry.key, entry.value = key, value


def _node(rng: random.Random, model: Any) -> None:
    nodes = model.graph.node
    node = rng.choice(nodes)
    kind = rng.randrange(8)
    if kind == 0:
        del nodes[rng.randrange(len(nodes))]
    elif kind == 1:
        nodes.add().CopyFrom(node)
    elif kind == 2:
        node.op_type = rng.choice(_OPERATORS)
    elif kind == 3:
        node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "x", "ai.onnx.training", ""))
    elif kind == 4 and node.input:
        names = [name for other in nodes for name in (*other.input, *other.output)]
        node.input[rng.randrange(len(node.input))] = rng.choice((*names, "", "nowhere"))
    elif kind == 5 and node.output:
        names = [name for other in nodes for name in other.output]
        node.output[rng.randrange(len(node.output))] = rng.choice((*names, "", "nowhere"))
    elif kind == 6 and node.attribute:
        _attribute(rng, rng.choice(node.attribute))
    else:
        at = rng.randrange(len(nodes))
        nodes[at].CopyFrom(rng.choice(nodes))


def _attribute(rng: random.Random, attribute: Any) -> None:
    kind = rng.randrange(5)
    if kind == 0:
        attribute.i = rng.choice(EDGES) % 2**63
    elif kind == 1:
        attribute.ints[:] = [rng.choice(EDGES) % 2**63 for _ in range(rng.choice((0, 1, 2, 4, 8)))]
    elif kind == 2:
        attribute.f = rng.choice((float("nan"), float("inf"), -1.0, 1e30))
    elif kind == 3:
        attribute.type = rng.randrange(15)
    else:
        attribute.name = rng.choice(("axis", "hidden_size", "to", "perm", "x", ""))


def _output(rng: random.Random, model: Any) -> None:
    """Put something between the logits and whoever reads them."""
    from onnx import TensorProto, helper

    graph = model.graph
    if not graph.output:
        return  # Another change has taken them all away.
    name = graph.output[0].name
    for node in graph.node:
        node.output[:] = ["inner" if output == name else output for output in node.output]
    kind = rng.randrange(8)
    make = helper.make_node
    sizes = rng.choice(
        ([1, 7], [1, 9], [100_000, 8], [2**31, 8], [1, 1, 8], [0, 8], [8], [2**40, 8])
    )
    shape = helper.make_tensor("fuzz_shape", TensorProto.INT64, [len(sizes)], sizes)
    if kind == 0:
        number = rng.choice((float("nan"), float("inf"), 1e38, 0.0))
        graph.initializer.append(helper.make_tensor("fuzz_k", TensorProto.FLOAT, [1], [number]))
        graph.node.append(make("Mul", ["inner", "fuzz_k"], [name]))
    elif kind == 1:
        graph.initializer.append(shape)
        graph.node.append(make("ConstantOfShape", ["fuzz_shape"], [name]))
    elif kind == 2:
        graph.initializer.append(shape)
        graph.node.append(make("Expand", ["inner", "fuzz_shape"], [name]))
    elif kind == 3:
        repeats = helper.make_tensor(
            "fuzz_r", TensorProto.INT64, [2], rng.choice(([10**6, 1], [1, 2], [0, 0]))
        )
        graph.initializer.append(repeats)
        graph.node.append(make("Tile", ["inner", "fuzz_r"], [name]))
    elif kind == 4:
        _loop(rng, graph, name)
    elif kind == 5:
        graph.node.append(make("Cast", ["inner"], [name], to=rng.choice((6, 7, 8, 9, 10, 11))))
    elif kind == 6:
        graph.node.append(make("Softmax", ["inner"], [name]))
    else:
        # Squares of a matrix that grows: 8, 64, 512 ... rows.
        last = "inner"
        for step in range(rng.choice((2, 5, 9))):
            graph.node.append(make("Concat", [last] * 8, [f"fuzz_{step}"], axis=0))
            last = f"fuzz_{step}"
        graph.node.append(make("ReduceMean", [last], [name], axes=[0], keepdims=1))


def _loop(rng: random.Random, graph: Any, name: str) -> None:
    """A loop that ends late or never."""
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["going_on"]),
            helper.make_node(rng.choice(("Identity", "Relu")), ["value"], ["value_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 8]),
        ],
        [
            helper.make_tensor_value_info("going_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_on", TensorProto.FLOAT, [None, 8]),
        ],
    )
    turns = rng.choice((3, 10**6, 2**62))
    graph.initializer.append(helper.make_tensor("fuzz_turns", TensorProto.INT64, [], [turns]))
    graph.initializer.append(helper.make_tensor("fuzz_true", TensorProto.BOOL, [], [True]))
    graph.node.append(
        helper.make_node("Loop", ["fuzz_turns", "fuzz_true", "inner"], [name], body=body)
    )


def _ends(rng: random.Random, model: Any) -> None:
    """Change the graph's inputs and outputs."""
    ends = rng.choice((model.graph.input, model.graph.output))
    end = rng.choice(ends)
    kind = rng.randrange(6)
    tensor = end.type.tensor_type
    if kind == 0:
        tensor.elem_type = rng.randrange(25)
    elif kind == 1 and tensor.shape.dim:
        rng.choice(tensor.shape.dim).dim_value = rng.choice((0, 1, 7, 9, 10**9, -1, 2**62))
    elif kind == 2:
        tensor.shape.dim.add().dim_value = rng.choice((1, 0, 8))
    elif kind == 3:
        end.name = rng.choice(("", "features", "logits", "language", "x" * 1000))
    elif kind == 4:
        ends.add().CopyFrom(end)
    else:
        del ends[0]


def _model(rng: random.Random, model: Any) -> None:
    """Change what is around the graph."""
    kind = rng.randrange(5)
    if kind == 0:
        model.ir_version = rng.choice((0, 1, 3, 99, -1, 2**40))
    elif kind == 1 and model.opset_import:
        model.opset_import[0].version = rng.choice((0, 1, 7, 8, 9, 11, 99, -1, 2**40))
    elif kind == 2:
        entry = model.opset_import.add()
        entry.domain, entry.version = rng.choice((("x", 1), ("com.microsoft", 1), ("", 13)))
    elif kind == 3:
        entry = model.metadata_props.add()
        entry.key = rng.choice(("ort_config", "x"))
        entry.value = rng.choice(
            ('{"session_options": {"intra_op_num_threads": 500, "enable_profiling": 1, '
             '"optimized_model_filepath": "stolen.onnx"}}', "\x1b[31m", "{" * 1000)
        )  # fmt: skip
    else:
        for _ in range(rng.choice((100, 3000))):
            node = model.graph.node.add()
            node.op_type, node.name = "Identity", "x"
            node.input.append("features")
            node.output.append(f"n{len(model.graph.node)}")


_CHANGES: tuple[Callable[[random.Random, Any], None], ...] = (
    _weight, _weight, _node, _node, _output, _output, _ends, _model,
)  # fmt: skip
