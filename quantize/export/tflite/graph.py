"""A TensorFlow Lite file, written tensor by tensor and operator by operator.

No converter comes between: what is written here is what the device runs.  The
schema is LiteRT's own (``ai_edge_litert.schema_py_generated``), so neither
TensorFlow nor a compiler is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import MissingDependencyError, ParameterError
from quantize.export.rounding.codes import round_symmetric

__all__ = ["ABSENT", "WEIGHTS", "TfliteGraph"]

ABSENT = -1
"""Stands for an input of an operator that is left out."""

WEIGHTS = ("fp32", "fp16", "int8")
"""How :meth:`TfliteGraph.weight` can store."""

# The third version of the format, the only one there is.
_SCHEMA_VERSION = 3
_IDENTIFIER = b"TFL3"
# Tensors are used where they lie in the file; kernels load 16 bytes at a time.
_ALIGNMENT = 16
# Operators above this number do not fit the field that older runtimes read.
_OLD_CODES = 127


class TfliteGraph:
    """One graph in the making; tensors are known by the number that adding them gave.

    Parameters
    ----------
    weights : str
        One of :data:`WEIGHTS`: float32; float16, brought to float32 by an operator when
        the model is loaded; or int8 with one factor a tensor, which makes the operators
        round what meets them (hybrid kernels).

    Raises
    ------
    ParameterError
        If ``weights`` is something else.
    MissingDependencyError
        If ai-edge-litert is not installed.
    """

    def __init__(self, weights: str) -> None:
        if weights not in WEIGHTS:
            raise ParameterError(f"weights is {weights!r}, one of {', '.join(WEIGHTS)} is wanted")
        self.weights = weights
        self._schema = _schema()
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[tuple[int, int]] = []
        # Buffer 0 is empty by convention: tensors without content refer to it.
        self._buffers: list[bytes | None] = [None]
        self._inputs: list[tuple[str, int]] = []
        self._outputs: list[tuple[str, int]] = []

    @property
    def hybrid(self) -> bool:
        """Whether operators with a weight multiply in 8 bits."""
        return self.weights == "int8"

    def input(self, name: str, shape: Sequence[int], dtype: str = "FLOAT32") -> int:
        """Add an input of the model; -1 in ``shape`` is any length."""
        number = self._tensor(name, shape, dtype)
        self._inputs.append((name, number))
        return number

    def output(self, name: str, tensor: int) -> None:
        """Declare a tensor an output of the model and name it."""
        self._tensors[tensor].name = name
        self._outputs.append((name, tensor))

    def constant(self, name: str, value: npt.ArrayLike) -> int:
        """Add numbers that are stored as they are: float32, float16, int32 or int8."""
        array = np.asarray(value)
        dtype = {"float32": "FLOAT32", "float16": "FLOAT16", "int32": "INT32", "int8": "INT8"}
        self._buffers.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return self._tensor(
            name, array.shape, dtype[array.dtype.name], buffer=len(self._buffers) - 1
        )

    def weight(self, name: str, value: npt.NDArray[np.float32]) -> int:
        """Add a matrix of weights, stored as the graph's ``weights`` say.

        Raises
        ------
        ParameterError
            If a number is too large for float16.
        """
        if self.weights == "fp32":
            return self.constant(name, value)
        if self.weights == "fp16":
            with np.errstate(over="ignore"):
                half = value.astype(np.float16)
            if not np.isfinite(half).all():
                raise ParameterError(
                    f"weight {name} holds {np.abs(value).max():.3g}, at most 65504 fits float16; "
                    "choose another kind"
                )
            return self._in_float32(name, self.constant(f"{name}:float16", half), value.shape, 3)
        return self._rounded(name, value)

    def stored(self, name: str, value: npt.NDArray[np.float32]) -> int:
        """Add weights that are small in the file and computed with in float32.

        In an int8 graph they are int8, which the runtime brings back once; else as they are.
        """
        if not self.hybrid:
            return self.constant(name, value)
        return self._in_float32(name, self._rounded(f"{name}:int8", value), value.shape, 2)

    def _in_float32(self, name: str, stored: int, shape: Sequence[int], version: int) -> int:
        """Bring a constant back, which runtimes do once."""
        return self.operator(
            "DEQUANTIZE", [stored], shape, name=name, version=version, options="Dequantize"
        )

    def _rounded(self, name: str, value: npt.NDArray[np.float32]) -> int:
        """Add int8 with one factor."""
        whole, scale = round_symmetric(value, tuple(range(value.ndim)))
        number = self.constant(name, whole)
        parameters = self._schema.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint = [scale.item()], [0]
        self._tensors[number].quantization = parameters
        return number

    def state(self, name: str, shape: Sequence[int]) -> int:
        """Add a variable: zero until an operator writes it, and again after a reset."""
        number = self._tensor(name, shape, "FLOAT32")
        self._tensors[number].isVariable = True
        return number

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        *,
        name: str | None = None,
        version: int = 1,
        options: str | None = None,
        **settings: Any,
    ) -> int:
        """Add an operator with one output.

        Parameters
        ----------
        code : str
            Its name in the schema.
        inputs : sequence of int
            Tensors, or :data:`ABSENT`.
        shape : sequence of int
            Of the float32 output; -1 is any length.
        name : str, optional
            Of the output; made from the code by default.
        version : int
            Of the operator: the oldest that has what is used here.
        options : str, optional
            Name of the table of options, without ``Options``.
        **settings
            The options.

        Returns
        -------
        int
            The output.
        """
        schema = self._schema
        number = getattr(schema.BuiltinOperator, code)
        if (number, version) not in self._codes:
            self._codes.append((number, version))
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index((number, version))
        operator.inputs = list(inputs)
        output = self._tensor(name or f"{code.lower()}_{len(self._operators)}", shape, "FLOAT32")
        operator.outputs = [output]
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, f"{options}Options")
            operator.builtinOptions = table = getattr(schema, f"{options}OptionsT")()
            for key, value in settings.items():
                setattr(table, key, value)
        self._operators.append(operator)
        return output

    def to_bytes(self, description: str) -> bytes:
        """Write the file; the same calls always give the same bytes."""
        import flatbuffers

        schema = self._schema
        graph = schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = "main", self._tensors, self._operators
        graph.inputs = [number for _, number in self._inputs]
        graph.outputs = [number for _, number in self._outputs]
        signature = schema.SignatureDefT()
        signature.signatureKey = "serving_default"
        signature.inputs = [self._named(*entry) for entry in self._inputs]
        signature.outputs = [self._named(*entry) for entry in self._outputs]
        model = schema.ModelT()
        model.version, model.description = _SCHEMA_VERSION, description
        model.operatorCodes = [self._code(*code) for code in self._codes]
        model.subgraphs, model.signatureDefs = [graph], [signature]
        model.buffers = [_AlignedBuffer(schema, content) for content in self._buffers]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: Sequence[int], dtype: str, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.buffer = name, buffer
        tensor.type = getattr(self._schema.TensorType, dtype)
        # Where any length will do the file says 1 and, beside it, that it is not fixed.
        tensor.shape = [max(size, 1) for size in shape]
        tensor.shapeSignature = list(shape) if min(shape, default=0) < 0 else None
        tensor.hasRank = True
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _code(self, number: int, version: int) -> Any:
        code = self._schema.OperatorCodeT()
        code.builtinCode, code.version = number, version
        code.deprecatedBuiltinCode = min(number, _OLD_CODES)
        return code

    def _named(self, name: str, number: int) -> Any:
        entry = self._schema.TensorMapT()
        entry.name, entry.tensorIndex = name, number
        return entry


class _AlignedBuffer:
    """A buffer's table, with content that starts at a multiple of 16 bytes.

    The schema asks for that, its generated Python writes multiples of 4.
    """

    def __init__(self, schema: Any, content: bytes | None) -> None:
        self._schema, self._content = schema, content

    def Pack(self, builder: Any) -> int:  # noqa: N802
        if self._content is not None:
            builder.Prep(_ALIGNMENT, len(self._content))
            data = builder.CreateByteVector(self._content)
        self._schema.BufferStart(builder)
        if self._content is not None:
            self._schema.BufferAddData(builder, data)
        return int(self._schema.BufferEnd(builder))


def _schema() -> Any:
    try:
        import flatbuffers  # noqa: F401
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingDependencyError(
            "exporting to TensorFlow Lite needs ai-edge-litert, which cannot be imported "
            f"({error}); install it with: pip install ai-edge-litert"
        ) from error
    return schema_py_generated
