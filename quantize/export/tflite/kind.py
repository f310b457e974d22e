"""CLAF-SER as TensorFlow Lite, for LiteRT and tflite-runtime alike.

The graph computes what ``quantize/export/twin.py`` does, with the same shortcuts as
``edge/backends/numpy.py``, for one segment of any number of frames:

* Both directions of the LSTM are one fused operator.  Its state outlives an
  invocation: whoever runs the file resets the variables first.
* The mean over time is taken of the attention's weights, which then mix the LSTM's
  rows: the value projection meets one row a head instead of one a frame.
* The output projection, the first classifier layer, the language rows and the layer
  norm's centring become one matrix and one table when the file is written.
* The bias of the attention's keys shifts all scores of a query alike and is gone
  after the softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.models.claf_ser.weights import fold_classifier
from quantize.export.numpy import weights_of
from quantize.export.rounding.recipe import RoundingRecipe
from quantize.export.tflite.graph import ABSENT, TfliteGraph
from quantize.export.tflite.stack import stack_frames

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["claf_ser_graph", "tflite_model"]

Floats = npt.NDArray[np.float32]

# Any number of frames.
_T = -1
# torch.nn.LayerNorm's default, with which CLAF-SER is trained.
_NORM_EPSILON = np.float32(1e-5)
_RELU, _TANH = 1, 4
_SAME_PADDING = 0
_WEIGHTS = {32: "fp32", 16: "fp16", 8: "int8"}


def tflite_model(model: CLAFSER, recipe: RoundingRecipe, _: object = None) -> bytes:
    """Write the model for one segment at a time, with any number of frames.

    Parameters
    ----------
    model : CLAFSER
        The trained model, on any device.
    recipe : RoundingRecipe
        float; fp16: the matrices in float16, computed with in float32; dynamic: the matrices
        in int8 with one factor each, met by activations that are rounded as they come, and the
        convolution's weights in int8, computed with in float32.

    Returns
    -------
    bytes
        Content of ``model.tflite``, the same for the same weights.  Inputs are
        ``features``, float32 [shape=(1, T, n_features)], and ``language``, int32
        [shape=(1,)]; output is ``logits``, float32 [shape=(1, n_labels)].

    Raises
    ------
    ParameterError
        If a weight does not fit float16.
    MissingDependencyError
        If ai-edge-litert is not installed.
    """
    weights = _WEIGHTS[recipe.weight_bits]
    config = model.config
    return claf_ser_graph(weights_of(model), config.n_heads, weights, config.frame_stack)


def claf_ser_graph(
    arrays: Mapping[str, Floats], n_heads: int, weights: str, frame_stack: int = 1
) -> bytes:
    """Write the model from arrays that are named and shaped as in a NumPy artifact.

    Parameters
    ----------
    arrays : mapping
        From :func:`quantize.export.numpy.weights_of`.
    n_heads : int
        Heads of the attention; no array tells it.
    weights : str
        ``"fp32"``, ``"fp16"`` or ``"int8"``; the result and the errors are those of
        :func:`tflite_model`.
    frame_stack : int
        Frames a step.
    """
    return _ClafSerGraph(arrays, n_heads, weights, frame_stack).to_bytes()


class _ClafSerGraph:
    def __init__(
        self, arrays: Mapping[str, Floats], n_heads: int, weights: str, frame_stack: int
    ) -> None:
        self._graph = TfliteGraph(weights)
        self._weights = arrays
        self._frame_stack = frame_stack
        # Of a step.
        self._n_features = arrays["lstm.weight_ih"].shape[2]
        self._hidden = arrays["lstm.weight_hh"].shape[2]
        self._n_heads, self._width = n_heads, 2 * self._hidden

    def to_bytes(self) -> bytes:
        graph = self._graph
        features = graph.input("features", [1, _T, self._n_features // self._frame_stack])
        language = graph.input("language", [1], "INT32")
        features = stack_frames(graph, features, self._frame_stack, self._n_features)
        pooled = self._attention(self._lstm(features))
        graph.output("logits", self._classifier(pooled, self._phonetic(features), language))
        return graph.to_bytes("CLAF-SER, speech emotion recognition")

    def _lstm(self, features: int) -> int:
        """(1, T, n_features) -> (1, T, 2 * hidden)."""
        graph = self._graph
        inputs = [features]
        for index, way in enumerate(("forward", "backward")):
            # torch's gates i, f, g, o are TensorFlow's i, f, c, o.
            for name in ("weight_ih", "weight_hh"):
                gates = np.split(self._weights[f"lstm.{name}"][index], 4)
                inputs += [graph.weight(f"lstm.{way}.{name}.{k}", g) for k, g in enumerate(gates)]
            # No peephole connections.
            inputs += [ABSENT] * 3
            gates = np.split(self._weights["lstm.bias"][index], 4)
            inputs += [graph.constant(f"lstm.{way}.bias.{k}", g) for k, g in enumerate(gates)]
            # No projection.
            inputs += [ABSENT] * 2
        for way in ("forward", "backward"):
            inputs += [
                graph.state(f"lstm.{way}.{name}", [1, self._hidden]) for name in ("output", "cell")
            ]
        # No second input.
        inputs += [ABSENT] * 9
        return graph.operator(
            "BIDIRECTIONAL_SEQUENCE_LSTM",
            inputs,
            [1, _T, self._width],
            version=3 if graph.hybrid else 1,
            options="BidirectionalSequenceLSTM",
            fusedActivationFunction=_TANH,
            mergeOutputs=True,
            timeMajor=False,
            asymmetricQuantizeInputs=graph.hybrid,
        )

    def _attention(self, rows: int) -> int:
        """Attend and take the mean over time: (1, T, 2 * hidden) -> (1, 2 * hidden)."""
        graph, n_heads, width = self._graph, self._n_heads, self._width
        scale = np.float32((width // n_heads) ** -0.5)
        query = self._by_head(
            "attention.query",
            rows,
            self._weights["attention.query.weight"] * scale,
            self._weights["attention.query.bias"] * scale,
        )
        key = self._by_head("attention.key", rows, self._weights["attention.key.weight"], None)
        scores = graph.operator(
            "BATCH_MATMUL", [query, key], [1, n_heads, _T, _T], options="BatchMatMul", adjY=True
        )
        weights = graph.operator(
            "SOFTMAX", [scores], [1, n_heads, _T, _T], options="Softmax", beta=1.0
        )
        mean = self._reduce("MEAN", weights, 2, [1, n_heads, _T])
        mixed = graph.operator(
            "BATCH_MATMUL", [mean, rows], [1, n_heads, width], options="BatchMatMul"
        )
        values = self._linear(
            "attention.value", mixed, self._weights["attention.value.weight"], None, [1, n_heads]
        )
        # Row i keeps the columns of head i.
        own = np.arange(width) // (width // n_heads) == np.arange(n_heads)[:, None]
        kept = graph.operator(
            "MUL",
            [values, graph.constant("attention.own_columns", own[None].astype(np.float32))],
            [1, n_heads, width],
            options="Mul",
        )
        return self._reduce("SUM", kept, 1, [1, width])

    def _by_head(self, name: str, rows: int, weight: Floats, bias: Floats | None) -> int:
        """(1, T, 2 * hidden) -> (1, n_heads, T, 2 * hidden / n_heads)."""
        graph, n_heads, per_head = self._graph, self._n_heads, self._width // self._n_heads
        flat = self._linear(name, rows, weight, bias, [1, _T])
        shape = [1, -1, n_heads, per_head]
        split = self._reshape(flat, shape)
        order = graph.constant(f"{name}.order", np.array([0, 2, 1, 3], dtype=np.int32))
        return graph.operator(
            "TRANSPOSE", [split, order], [1, n_heads, _T, per_head], options="Transpose"
        )

    def _phonetic(self, features: int) -> int:
        """(1, T, n_features) -> (1, conv_channels)."""
        graph = self._graph
        weight, bias = self._weights["conv.weight"], self._weights["conv.bias"]
        # An image of one row: (1, 1, T, n_features), and (channels, 1, kernel, n_features).
        image = self._reshape(features, [1, 1, -1, self._n_features])
        inputs = [
            image,
            graph.stored("conv.weight", weight.transpose(0, 2, 1)[:, None]),
            graph.constant("conv.bias", bias),
        ]
        convolved = graph.operator(
            "CONV_2D",
            inputs,
            [1, 1, _T, len(bias)],
            options="Conv2D",
            padding=_SAME_PADDING,
            strideW=1,
            strideH=1,
            fusedActivationFunction=_RELU,
        )
        return self._reduce("MEAN", convolved, (1, 2), [1, len(bias)])

    def _classifier(self, pooled: int, phonetic: int, language: int) -> int:
        graph, weights = self._graph, self._weights
        fc1, rows = (each.astype(np.float32) for each in fold_classifier(weights))
        size = [1, len(fc1)]
        table = graph.constant("language", rows)
        parts = [
            self._linear("fc1.attended", pooled, fc1[:, : self._width], None, [1]),
            self._linear("fc1.phonetic", phonetic, fc1[:, self._width :], None, [1]),
            graph.operator("GATHER", [table, language], size, options="Gather"),
        ]
        hidden = graph.operator("ADD", parts[:2], size, options="Add")
        hidden = graph.operator("ADD", [hidden, parts[2]], size, options="Add")
        hidden = self._norm(hidden, size)
        return self._linear("fc2", hidden, weights["fc2.weight"], weights["fc2.bias"], [1])

    def _norm(self, hidden: int, size: list[int]) -> int:
        """Layer norm and ReLU of rows whose mean is already gone."""
        graph = self._graph
        square = graph.operator("MUL", [hidden, hidden], size, options="Mul")
        power = self._reduce("MEAN", square, 1, [1, 1], keep=True)
        epsilon = graph.constant("norm.epsilon", np.full((1, 1), _NORM_EPSILON))
        power = graph.operator("ADD", [power, epsilon], [1, 1], options="Add")
        factor = graph.operator("RSQRT", [power], [1, 1])
        hidden = graph.operator("MUL", [hidden, factor], size, options="Mul")
        weight = graph.constant("norm.weight", self._weights["norm.weight"][None])
        hidden = graph.operator("MUL", [hidden, weight], size, options="Mul")
        bias = graph.constant("norm.bias", self._weights["norm.bias"][None])
        return graph.operator(
            "ADD", [hidden, bias], size, options="Add", fusedActivationFunction=_RELU
        )

    def _linear(
        self, name: str, rows: int, weight: Floats, bias: Floats | None, leading: list[int]
    ) -> int:
        """(*leading, n_inputs) -> (*leading, n_outputs)."""
        graph = self._graph
        inputs = [rows, graph.weight(f"{name}.weight", weight)]
        inputs.append(ABSENT if bias is None else graph.constant(f"{name}.bias", bias))
        keep = len(leading) > 1
        return graph.operator(
            "FULLY_CONNECTED",
            inputs,
            [*leading, len(weight)],
            # 5 keeps the dimensions, 6 does without a bias, 9 rounds what meets int8 weights.
            version=9 if graph.hybrid else 6 if bias is None else 5 if keep else 1,
            options="FullyConnected",
            keepNumDims=keep,
            asymmetricQuantizeInputs=graph.hybrid,
        )

    def _reshape(self, tensor: int, shape: list[int]) -> int:
        graph = self._graph
        wanted = graph.constant(f"shape_of_{tensor}", np.array(shape, dtype=np.int32))
        return graph.operator("RESHAPE", [tensor, wanted], shape, options="Reshape", newShape=shape)

    def _reduce(
        self,
        code: str,
        tensor: int,
        axis: int | tuple[int, ...],
        shape: list[int],
        keep: bool = False,
    ) -> int:
        numbers = np.atleast_1d(np.asarray(axis, dtype=np.int32))
        axes = self._graph.constant(f"axes_of_{tensor}", numbers)
        return self._graph.operator(code, [tensor, axes], shape, options="Reducer", keepDims=keep)
