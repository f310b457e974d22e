"""CLAF-SER through onnxruntime: one thread, no spinning."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.base import check_inputs, first_line

__all__ = ["OnnxBackend"]

_ERRORS_ONLY = 3


class OnnxBackend:
    """Run a ``model.onnx``.

    Parameters
    ----------
    manifest : Manifest
        Names and types of the inputs and outputs.
    model : bytes
        Content of ``model.onnx``.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    BackendError
        If onnxruntime cannot load the model.
    ArtifactError
        If the model's inputs and outputs are not those of the manifest.
    """

    name = "onnx"

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self._manifest = manifest
        self._session = _open_session(model)
        _check_nodes("input", self._session.get_inputs(), manifest.inputs)
        _check_nodes("output", self._session.get_outputs(), manifest.outputs)
        self._features, self._language = (spec.name for spec in manifest.inputs)
        self._language_dtype = np.dtype(manifest.inputs[1].dtype)
        self._logits = [manifest.outputs[0].name]

    def infer(self, features: npt.NDArray[np.float32], language: int) -> npt.NDArray[np.float32]:
        """Run the model, see :meth:`edge.runtimes.base.Backend.infer`."""
        check_inputs(self._manifest, features, language)
        rows = np.full(features.shape[0], language, dtype=self._language_dtype)
        try:
            (logits,) = self._session.run(
                self._logits, {self._features: features, self._language: rows}
            )
        except Exception as error:
            raise BackendError(
                f"onnxruntime could not run the model: {first_line(error)}"
            ) from error
        found: npt.NDArray[np.float32] = logits
        return found


def _open_session(model: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            f"backend 'onnx' needs onnxruntime, which cannot be imported ({error}); install it "
            'with: pip install "edge-ser[onnx]"'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    # A thread that waits by spinning keeps a small board's core at 100 %.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's own errors share no base class below Exception.
        raise BackendError(
            f"onnxruntime {onnxruntime.__version__} cannot load the model: {first_line(error)}"
        ) from error


def _check_nodes(kind: str, nodes: Any, specs: Any) -> None:
    found = [(node.name, node.type, len(node.shape)) for node in nodes]
    types = {"float32": "tensor(float)", "int64": "tensor(int64)", "int32": "tensor(int32)"}
    wanted = [(spec.name, types[spec.dtype], len(spec.shape)) for spec in specs]
    if found != wanted:
        raise ArtifactError(f"the model's {kind}s are {found}, its manifest says {wanted}")
