"""One command for every kind of artifact, and the list of kinds."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.artifact import Artifact, write_artifact
from edge.backends.base import BACKENDS, Backend, reference_difference
from edge.errors import BackendError, ParameterError
from edge.manifest import Manifest
from quantize.export.common import (
    ExportFacts,
    Floats,
    manifest_fields,
    reference_rows,
    torch_logits,
)
from quantize.export.numpy import pack_weights, weights_of
from quantize.export.onnx import onnx_bytes, quantize_onnx
from quantize.export.tflite import tflite_bytes

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["KINDS", "Kind", "export_artifact"]

# What float32 may differ by between BLAS libraries, processors and runtimes.
_FLOAT_TOLERANCE = 1e-4
# Rounding an activation to 8 bits turns a last-bit difference into a whole step.
_DYNAMIC_TOLERANCE = 2e-2
# Rounding weights to int8 moves a posterior by 0.01; this is a broken export.
_BROKEN = 0.25


@dataclasses.dataclass(frozen=True)
class Kind:
    """How one kind of artifact is built.

    ``tolerance`` is the largest difference of the reference's posterior that a
    device may see.  It is 1e-4 where float32 numbers are multiplied, also with
    int8 weights in NumPy, which are brought to float32 when loaded.  Where
    activations are rounded too it is wider: the float32 parts between them
    differ in the last bit from processor to processor, and a value that lies
    between two steps is then rounded the other way.
    """

    backend: str
    model_file: str
    recipe: str
    weight_bits: int
    granularity: str
    float_layers: tuple[str, ...]
    tolerance: float
    build: Callable[[CLAFSER], bytes]

    def quantization(self) -> dict[str, Any]:
        """Return the manifest's ``quantization``; no kind needs calibration data."""
        return {
            "recipe": self.recipe,
            "weight_bits": self.weight_bits,
            "granularity": self.granularity,
            "float_layers": list(self.float_layers),
            "calibration_fingerprint": None,
        }


_SMALL_LAYERS = ("conv", "language", "norm")

KINDS: dict[str, Kind] = {
    "numpy-fp32": Kind(
        "numpy",
        "model.npz",
        "numpy_fp32",
        32,
        "none",
        (),
        _FLOAT_TOLERANCE,
        lambda model: pack_weights(weights_of(model), 32),
    ),
    "numpy-int8": Kind(
        "numpy",
        "model.npz",
        "numpy_weight_only_wi8",
        8,
        "per_output_channel",
        _SMALL_LAYERS,
        _FLOAT_TOLERANCE,
        lambda model: pack_weights(weights_of(model), 8),
    ),
    "onnx-fp32": Kind(
        "onnx", "model.onnx", "onnx_fp32", 32, "none", (), _FLOAT_TOLERANCE, onnx_bytes
    ),
    "onnx-int8": Kind(
        "onnx",
        "model.onnx",
        "onnx_dynamic_wi8",
        8,
        "per_output_channel",
        _SMALL_LAYERS,
        _DYNAMIC_TOLERANCE,
        lambda model: quantize_onnx(onnx_bytes(model)),
    ),
    "tflite-fp32": Kind(
        "tflite",
        "model.tflite",
        "tflite_fp32",
        32,
        "none",
        (),
        _FLOAT_TOLERANCE,
        lambda model: tflite_bytes(model, "fp32"),
    ),
    "tflite-fp16": Kind(
        "tflite",
        "model.tflite",
        "tflite_fp16",
        16,
        "none",
        _SMALL_LAYERS,
        _FLOAT_TOLERANCE,
        lambda model: tflite_bytes(model, "fp16"),
    ),
    "tflite-int8": Kind(
        "tflite",
        "model.tflite",
        "tflite_dynamic_wi8",
        8,
        "per_tensor",
        _SMALL_LAYERS,
        _DYNAMIC_TOLERANCE,
        lambda model: tflite_bytes(model, "int8"),
    ),
}
"""Every kind of artifact by name."""


def export_artifact(
    kind: str, model: CLAFSER, facts: ExportFacts, directory: str | os.PathLike[str]
) -> Artifact:
    """Export a trained model as a whole artifact folder.

    The finished model is run on its own runtime against torch before anything
    is written, and an artifact that is already there is replaced whole.

    Parameters
    ----------
    kind : str
        A key of :data:`KINDS`.
    model : CLAFSER
        The trained model, on any device.
    facts : ExportFacts
        What the manifest says beyond the weights.
    directory : path
        Where the artifact shall lie.

    Raises
    ------
    ParameterError
        If the kind is unknown, a weight is not finite, a part was left out, or the
        model does not fit ``facts``.
    MissingDependencyError
        If the exporter or the runtime is not installed.
    BackendError
        If the exported model does not compute what torch does.
    ArtifactError
        If ``facts`` do not make a valid manifest or the folder cannot be written.
    """
    if kind not in KINDS:
        raise ParameterError(f"kind is {kind!r}, one of {', '.join(KINDS)} is wanted")
    if model.config.without:
        raise ParameterError(
            f"the model was trained without {', '.join(model.config.without)}, to measure what "
            "that is worth: devices run a whole CLAF-SER; export a run of another recipe"
        )
    how = KINDS[kind]
    _refuse_bad_weights(model)
    fields = manifest_fields(model, facts, how.backend)
    rows = reference_rows(model)
    language = model.config.unknown_language
    logits = torch_logits(model, rows[None], language)[0]
    content = how.build(model)
    fields |= {
        "backend": how.backend,
        "model_file": how.model_file,
        "quantization": how.quantization(),
        "reference": _reference(rows, language, logits, how.tolerance),
    }
    # The hash is not known yet and not needed to run the model.
    draft = Manifest.from_dict({**fields, "model_sha256": "0" * 64, "model_bytes": 1})
    backend = BACKENDS[how.backend](draft, content)
    _compare(kind, backend, draft, how)
    if how.weight_bits < 32:
        # What the device must reproduce is this artifact, not the model before rounding.
        logits = backend.infer(rows[None], language)[0]
        fields["reference"] = _reference(rows, language, logits, how.tolerance)
    return write_artifact(directory, fields, content)


def _refuse_bad_weights(model: CLAFSER) -> None:
    for name, tensor in model.state_dict().items():
        if not bool(tensor.isfinite().all()):
            raise ParameterError(
                f"weight {name} of the model holds numbers that are not finite: its training "
                "diverged; choose another checkpoint"
            )


def _compare(kind: str, backend: Backend, draft: Manifest, how: Kind) -> None:
    allowed = how.tolerance if how.weight_bits == 32 else _BROKEN
    difference = reference_difference(backend, draft)
    if difference > allowed:
        raise BackendError(
            f"the {kind} export gives a posterior {difference:.2g} away from torch, at most "
            f"{allowed:.2g} is allowed; nothing was written"
        )


def _reference(rows: Floats, language: int, logits: Floats, tolerance: float) -> dict[str, Any]:
    return {
        "features": [[float(str(value)) for value in row] for row in rows],
        "language": language,
        "logits": [float(str(value)) for value in np.asarray(logits, dtype=np.float32)],
        "tolerance": tolerance,
    }
