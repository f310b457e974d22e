"""CLAF-SER as ONNX, fp32, fp16 or with int8 weights, for onnxruntime 1.16.3 and later."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from edge.errors import MissingDependencyError
from quantize.export.onnx.compact import compact_onnx
from quantize.export.onnx.weights import (
    NODES_OF_LAYER,
    ONCE_A_WINDOW,
    halve_onnx,
    kept_nodes,
    store_in_int8,
)
from quantize.export.rounding.recipe import RoundingRecipe

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = [
    "calibrate_onnx",
    "onnx_bytes",
    "onnx_model",
    "quantize_onnx",
]

Floats = npt.NDArray[np.float32]

# Products of two activations: rounding both costs accuracy and saves no byte.
_ATTENTION_PRODUCTS = ("/MatMul", "/MatMul_1")

# What torch's exporter and onnxruntime 1.16.3 both know; gives IR version 8.
_OPSET = 17
# Not Conv: it would become ConvInteger, which onnxruntime 1.16.3 and 1.23.0 lack.
_QUANTIZED_OPS = ("LSTM", "MatMul", "Gemm")


def onnx_bytes(model: CLAFSER) -> bytes:
    """Export through the twin, with any batch size and number of frames.

    Raises
    ------
    MissingDependencyError
        If the package ``onnx`` is not installed.
    """
    import torch

    from quantize.export.twin import ExportTwin

    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError(_install("onnx")) from error
    twin = ExportTwin(model).to("cpu")
    example = (
        torch.zeros(1, 16, model.config.n_features),
        torch.full((1,), model.config.unknown_language),
    )
    buffer = io.BytesIO()
    with _quiet():
        # The newer exporter (dynamo=True) freezes the number of frames without a word.
        torch.onnx.export(
            twin,
            example,
            # A stream in memory is as good, whatever torch says of its types.
            cast("Any", buffer),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["features", "language"],
            output_names=["logits"],
            dynamic_axes={
                "features": {0: "batch", 1: "time"},
                "language": {0: "batch"},
                "logits": {0: "batch"},
            },
        )
    content = buffer.getvalue()
    onnx.checker.check_model(onnx.load_from_string(content))
    return content


def onnx_model(model: CLAFSER, recipe: RoundingRecipe, calibration: Floats | None) -> bytes:
    """Build ``model.onnx`` by a recipe; ``calibration`` is normalised rows, if it wants any.

    Raises
    ------
    MissingDependencyError
        If ``onnx`` or onnxruntime is not installed.
    """
    content = onnx_bytes(model)
    if recipe.method == "fp16":
        content = halve_onnx(content)
    elif recipe.method == "dynamic":
        content = quantize_onnx(content, recipe)
    elif recipe.method == "static" and calibration is not None:
        content = calibrate_onnx(content, recipe, calibration, model.config.unknown_language)
    return compact_onnx(content)


def quantize_onnx(content: bytes, recipe: RoundingRecipe) -> bytes:
    """Store all weights in 8 bits; activations that meet many of them are rounded as they come.

    Those are the LSTM's and the queries' and keys', which hear every step.  What runs once a
    window is stored in 8 bits and computed with in float32: to round one row of activations
    takes six nodes of the graph instead of one, and a small model's time is mostly nodes.

    Such weights take all 8 bits, the others 7.  On x86 without VNNI (before about 2019) products
    of signed weights and unsigned activations are added in pairs in 16 bits that
    saturate: on an emulated Haswell, full-range weights moved a posterior by up to
    0.26, while 7 bits gave what every other processor gives.  They cost a mean
    change of the posterior of 0.0036 instead of 0.0021 and no time; unsigned
    weights are exact too, but a third slower where there is VNNI.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    """
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingDependencyError(_install("onnxruntime")) from error
    once = [name for layer in ONCE_A_WINDOW for name in NODES_OF_LAYER[layer]]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(content)
        # A factor for each channel costs 16 kB and moves the posterior a third less.
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(_QUANTIZED_OPS),
            nodes_to_exclude=[*kept_nodes(recipe), *once],
            per_channel=recipe.granularity == "per_output_channel",
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return store_in_int8(target.read_bytes(), recipe)


def calibrate_onnx(content: bytes, recipe: RoundingRecipe, rows: Floats, language: int) -> bytes:
    """Store the Linears' weights in 8 bits and round activations by ranges seen in ``rows``.

    Parameters
    ----------
    content : bytes
        From :func:`onnx_bytes`.
    recipe : RoundingRecipe
    rows : float32 [shape=(n_segments, n_frames, n_features)]
        Normalised.
    language : int
        Row of the language embedding.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    """
    try:
        from onnxruntime.quantization import (
            CalibrationDataReader,
            QuantFormat,
            QuantType,
            quantize_static,
        )
    except ImportError as error:
        raise MissingDependencyError(_install("onnxruntime")) from error

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(rows)

        def get_next(self) -> dict[str, Any] | None:
            row = next(self._left, None)
            if row is None:
                return None
            return {"features": row[None], "language": np.array([language])}

    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(content)
        quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=[*kept_nodes(recipe), *_ATTENTION_PRODUCTS],
            per_channel=recipe.granularity == "per_output_channel",
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporters say about themselves, and leave logging as it was.

    torch announces its newer exporter and warns of the example's batch size;
    onnxruntime logs advice (``quant_pre_process``) that 1.16.3 could not load.
    """
    root = logging.getLogger()
    handlers, disabled = list(root.handlers), root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        # logging.warning() gives a bare root logger a handler.
        root.handlers[:] = handlers


def _install(package: str) -> str:
    return (
        f"exporting to ONNX needs {package}, which is not installed; "
        f"install it with: pip install {package.partition('.')[0]}"
    )
