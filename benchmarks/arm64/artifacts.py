"""The artifacts that are measured: those that come with the package, and TensorFlow Lite's of them.

The package brings no TensorFlow Lite file; one is made from the weights of the NumPy artifact, with
the workstation's own exporter, so that no trained run is needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.artifact import Manifest, read_artifact, write_artifact
from edge.bundled import MODELS_DIR
from edge.runtimes.numpy.weights import read_weights
from edge.runtimes.registry import RUNTIMES

__all__ = ["Measured", "gather"]

#: Model, runtime and folder of what the package brings.
_FOLDERS = (
    ("full", "numpy", "claf-ser-int8"),
    ("tiny", "numpy", "claf-ser-tiny"),
    ("full", "onnx", "claf-ser-int8-onnx"),
    ("tiny", "onnx", "claf-ser-tiny-onnx"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """An artifact.

    Parameters
    ----------
    model : {"full", "tiny"}
    runtime : {"numpy", "onnx", "tflite"}
    folder : Path
    model_sha256 : str
    """

    model: str
    runtime: str
    folder: Path
    model_sha256: str

    def to_dict(self) -> dict[str, str]:
        """Plain JSON types, without a path of this machine."""
        return {
            "model": self.model,
            "runtime": self.runtime,
            "name": self.folder.name,
            "model_sha256": self.model_sha256,
        }


def gather(folder: Path, runtimes: list[str]) -> list[Measured]:
    """Find the bundled artifacts and write the others.

    Parameters
    ----------
    folder : Path
        Where the others come.
    runtimes : list of str
        Of ``numpy``, ``onnx`` and ``tflite``.

    Returns
    -------
    list of Measured

    Raises
    ------
    MissingDependencyError
        If TensorFlow Lite is asked for and ai-edge-litert is not installed.
    """
    measured = [
        _measured(model, runtime, MODELS_DIR / name)
        for model, runtime, name in _FOLDERS
        if runtime in runtimes
    ]
    if "tflite" in runtimes:
        for model, runtime, name in _FOLDERS:
            if runtime == "numpy":
                made = folder / f"{name}-tflite"
                _write_tflite(MODELS_DIR / name, made)
                measured.append(_measured(model, "tflite", made))
    return measured


def _measured(model: str, runtime: str, folder: Path) -> Measured:
    return Measured(model, runtime, folder, read_artifact(folder).manifest.model_sha256)


def _write_tflite(source: Path, made: Path) -> None:
    # Torch comes with them, which nothing else here needs.
    from quantize.export import KINDS
    from quantize.export.tflite.kind import claf_ser_graph

    artifact = read_artifact(source)
    manifest, kind = artifact.manifest, KINDS["tflite-int8"]
    sizes: Any = manifest.architecture
    arrays = read_weights(artifact.read_model(), sizes)
    content = claf_ser_graph(arrays, sizes.n_heads, "int8", sizes.frame_stack)
    fields: dict[str, Any] = manifest.to_dict()
    fields |= {
        "name": made.name,
        "backend": "tflite",
        "model_file": kind.model_file,
        "quantization": kind.quantization(None),
        "inputs": [_one_at_a_time(tensor) for tensor in fields["inputs"]],
        "outputs": [_one_at_a_time(tensor) for tensor in fields["outputs"]],
        "reference": {**fields["reference"], "tolerance": kind.recipe.tolerance},
        "model_sha256": "0" * 64,
        "model_bytes": 1,
    }
    # A device compares with this file's answer, not with that of the weights before rounding.
    draft = Manifest.from_dict(fields)
    rows = np.asarray(fields["reference"]["features"], dtype=np.float32)
    corpus = fields["reference"]["language"]
    logits = RUNTIMES["tflite"].load(draft, content).session().infer(rows[None], corpus)[0]
    fields["reference"]["logits"] = [float(value) for value in logits]
    write_artifact(made, fields, content)


def _one_at_a_time(tensor: Mapping[str, Any]) -> dict[str, Any]:
    """The same tensor for one segment, and corpora as TensorFlow Lite numbers them."""
    dtype = "int32" if tensor["dtype"] == "int64" else tensor["dtype"]
    return {**tensor, "shape": [1, *tensor["shape"][1:]], "dtype": dtype}
