"""The weights that a quantized model computes with, as floats, to compare them with what they were.

TFLite and TorchScript files are not taken apart: they are compared by what they compute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Artifact
from edge.models.claf_ser import ClafSerSizes
from edge.runtimes.numpy.weights import read_weights
from quantize.models.sizes import claf_ser_sizes

if TYPE_CHECKING:
    import onnx

__all__ = ["WEIGHTS", "read_back", "sqnr_db"]

Floats = npt.NDArray[np.float32]

WEIGHTS = (
    "lstm.weight_ih",
    "lstm.weight_hh",
    "attention.query.weight",
    "attention.key.weight",
    "attention.value.weight",
    "attention.output.weight",
    "conv.weight",
    "language.weight",
    "fc1.weight",
    "fc2.weight",
)
"""Names of the matrices, as of :func:`quantize.export.numpy.weights_of`."""

_ONNX_NODES = {
    "attention.query.weight": "/query/",
    "attention.key.weight": "/key/",
    "attention.value.weight": "/value/",
    "fc1.weight": "/fc1/",
    "fc2.weight": "/fc2/",
}
_PRODUCTS = ("MatMul", "MatMulInteger", "Gemm")


def read_back(artifact: Artifact) -> dict[str, Floats] | None:
    """Weights of an artifact by :data:`WEIGHTS`; None where its file is not taken apart.

    An ONNX file has no ``attention.output.weight``: ``fc1.weight`` and ``language.weight`` are
    those of :func:`edge.models.claf_ser.weights.fold_output`.
    """
    manifest = artifact.manifest
    content = artifact.read_model()
    if manifest.backend == "numpy":
        weights = read_weights(content, manifest.architecture)
        return {name: weights[name] for name in WEIGHTS}
    if manifest.backend == "onnx":
        return _from_onnx(content, claf_ser_sizes(manifest))
    return None


def sqnr_db(weight: Floats, rounded: Floats) -> float:
    """Signal-to-quantization-noise ratio, ``10 log10(sum w^2 / sum (w - q)^2)``.

    Returns
    -------
    float
        In dB; infinite where nothing was lost.
    """
    signal = float(np.square(weight, dtype=np.float64).sum())
    noise = float(np.square(weight.astype(np.float64) - rounded).sum())
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal else float("-inf")


def _is_product(prefix: str, node: Any) -> bool:
    return node.op_type in _PRODUCTS and bool(node.name.startswith(prefix))


def _from_onnx(content: bytes, sizes: ClafSerSizes) -> dict[str, Floats]:
    import onnx

    graph = _Graph(onnx.load_from_string(content))
    found = {
        "conv.weight": graph.value(graph.node(lambda n: n.op_type == "Conv").input[1]),
        "language.weight": graph.value(
            graph.node(lambda n: n.name.startswith("/language/Gather")).input[0]
        ),
    }
    for name, prefix in _ONNX_NODES.items():
        node = graph.node(functools.partial(_is_product, prefix))
        weight = graph.value(node.input[1])
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        found[name] = weight if turned else weight.T
    # The twin carries the scores' factor in the queries.
    found["attention.query.weight"] = found["attention.query.weight"] * np.float32(
        (2 * sizes.hidden / sizes.n_heads) ** 0.5
    )
    node = graph.node(lambda n: n.op_type in ("LSTM", "DynamicQuantizeLSTM"))
    for name, at in (("lstm.weight_ih", 1), ("lstm.weight_hh", 2)):
        weight = graph.value(node.input[at])
        if node.op_type == "DynamicQuantizeLSTM":
            weight = weight.transpose(0, 2, 1)
        # ONNX has the gates i, o, f, g where torch has i, f, g, o.
        gates = weight.reshape(2, 4, sizes.hidden, -1)[:, [0, 2, 3, 1]]
        found[name] = gates.reshape(weight.shape)
    return {
        name: np.ascontiguousarray(found[name], dtype=np.float32)
        for name in WEIGHTS
        if name in found
    }


class _Graph:
    """Looks up weights by the name under which a node reads them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        self._nodes = list(model.graph.node)
        self._stored = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self._makers = {name: node for node in self._nodes for name in node.output}

    def node(self, wanted: Callable[[Any], bool]) -> Any:
        """First node of its kind."""
        return next(node for node in self._nodes if wanted(node))

    def value(self, name: str) -> Floats:
        """Weights in float32, whatever they are stored as."""
        if name in self._stored:
            weight = self._stored[name]
            if weight.dtype.kind == "f":
                return weight.astype(np.float32)
            base = name.removesuffix("_quantized")
            scale, zero = self._stored[f"{base}_scale"], self._stored[f"{base}_zero_point"]
            # Of an LSTM (2, k, 4 hidden) by (2, 4 hidden), of a MatMul (k, n) by (n,).
            if weight.ndim == 3 and scale.ndim:
                scale, zero = (v.reshape(v.shape[0], 1, -1) for v in (scale, zero))
            lstm: Floats = (weight.astype(np.float32) - zero) * scale
            return lstm
        maker = self._makers[name]
        if maker.op_type == "DequantizeLinear":
            weight, scale, zero = (self._stored[n] for n in maker.input)
            axis = next((a.i for a in maker.attribute if a.name == "axis"), 1)
            if scale.ndim:
                shape = [-1 if i == axis % weight.ndim else 1 for i in range(weight.ndim)]
                scale, zero = scale.reshape(shape), zero.reshape(shape)
            product: Floats = (weight.astype(np.float32) - zero) * scale
            return product
        if maker.op_type == "Mul":
            # Stored whole, computed with in float32.
            (cast,) = (self._makers[n] for n in maker.input if n in self._makers)
            (scale,) = (self._stored[n] for n in maker.input if n in self._stored)
            scaled: Floats = self._stored[cast.input[0]].astype(np.float32) * scale
            return scaled
        return self.value(maker.input[0])
