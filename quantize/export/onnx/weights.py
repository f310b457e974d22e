"""Weights of an ONNX file stored in fewer bits than they are computed with.

The runtime brings them back to float32 when it loads the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quantize.export.rounding.codes import round_symmetric
from quantize.export.rounding.recipe import RoundingRecipe

__all__ = [
    "HALF_SUFFIX",
    "INT8_SUFFIX",
    "NODES_OF_LAYER",
    "ONCE_A_WINDOW",
    "halve_onnx",
    "kept_nodes",
    "store_in_int8",
]

HALF_SUFFIX = ":float16"
"""Ends the name of a weight that is stored as float16."""

INT8_SUFFIX = ":int8"
"""Ends the name of a weight that is stored as int8."""

# onnxruntime makes a MatMul of a Gemm before it quantizes.
NODES_OF_LAYER = {
    "lstm.weight_ih": ("/lstm/LSTM",),
    "lstm.weight_hh": ("/lstm/LSTM",),
    "attention.query": ("/query/MatMul",),
    "attention.key": ("/key/MatMul",),
    "attention.value": ("/value/MatMul",),
    # Both are one matrix in the file, which is kept in float for either.
    "attention.output": ("/fc1/Gemm", "/fc1/Gemm_MatMul"),
    "fc1": ("/fc1/Gemm", "/fc1/Gemm_MatMul"),
    "fc2": ("/fc2/Gemm", "/fc2/Gemm_MatMul"),
}
"""Names of the nodes that hold a layer's weights."""

ONCE_A_WINDOW = ("attention.value", "attention.output", "fc1", "fc2")
"""Layers that see one row, or one a head, for a whole window."""

_LARGEST_FLOAT16 = 65504.0


def kept_nodes(recipe: RoundingRecipe) -> list[str]:
    """Nodes whose weights stay float."""
    return [
        name for layer, names in NODES_OF_LAYER.items() if recipe.is_float(layer) for name in names
    ]


def halve_onnx(content: bytes) -> bytes:
    """Store weights as float16; the runtime brings them back to float32 when it loads them.

    Not the activations too: onnxruntime has no LSTM in float16 for CPUs.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    casts = []
    for at, entry in enumerate(graph.initializer):
        if entry.data_type != TensorProto.FLOAT:
            continue
        weight = numpy_helper.to_array(entry)
        if float(np.abs(weight).max()) > _LARGEST_FLOAT16:
            continue
        whole, half = entry.name, f"{entry.name}{HALF_SUFFIX}"
        graph.initializer[at].CopyFrom(numpy_helper.from_array(weight.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [whole], to=TensorProto.FLOAT))
    return _with_first(model, casts)


def store_in_int8(content: bytes, recipe: RoundingRecipe) -> bytes:
    """Store in 8 bits what is computed with in float32: see :data:`ONCE_A_WINDOW`.

    And the convolution, for which onnxruntime 1.16.3 and 1.23.0 have no integer kernel, and the
    language rows.  The runtime brings them back when it loads the file.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    per_tensor = recipe.granularity == "per_tensor"
    # By name, the axis of the outputs.
    small = [layer for layer in ("conv", "language") if not recipe.is_float(layer)]
    rounded = {f"{layer}.weight": 0 for layer in small}
    once = {name for layer in ONCE_A_WINDOW for name in NODES_OF_LAYER[layer]}
    once.difference_update(kept_nodes(recipe))
    for node in graph.node:
        if node.name in once:
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            rounded[node.input[1]] = 0 if turned else 1
    made = []
    for at, entry in enumerate(graph.initializer):
        if entry.name not in rounded:
            continue
        weight = numpy_helper.to_array(entry)
        outputs = None if per_tensor else rounded[entry.name]
        axes = tuple(axis for axis in range(weight.ndim) if axis != outputs)
        whole, scale = round_symmetric(weight, axes)
        name = entry.name
        parts = (f"{name}{INT8_SUFFIX}", f"{name}:float", f"{name}:scale")
        graph.initializer[at].CopyFrom(numpy_helper.from_array(whole, parts[0]))
        graph.initializer.append(numpy_helper.from_array(scale, parts[2]))
        made.append(helper.make_node("Cast", [parts[0]], [parts[1]], to=TensorProto.FLOAT))
        made.append(helper.make_node("Mul", [parts[1], parts[2]], [name]))
    return _with_first(model, made)


def _with_first(model: Any, made: Sequence[Any]) -> bytes:
    """Put nodes before all others, check the model and write it."""
    import onnx

    nodes = [*made, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
