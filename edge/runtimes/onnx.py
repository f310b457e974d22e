"""ONNX files through onnxruntime: one thread, no spinning, no calls home."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest, TensorSpec
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.base import Session, SingleUser, check_inputs, check_logits, first_line
from edge.runtimes.onnx_file import check_onnx_file
from edge.runtimes.threads import n_threads

__all__ = ["OnnxModel", "import_onnxruntime", "open_onnx"]

Floats = npt.NDArray[np.float32]

_ERRORS_ONLY = 3
# onnxruntime 1.32 looks up a host and writes a device's number into the home folder as it is
# imported, unless this is set by then.
_NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"


class OnnxModel:
    """A ``model.onnx``, opened.

    Parameters
    ----------
    manifest : Manifest
        Names and types of the inputs and outputs.
    content : bytes
        Of the file.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    BackendError
        If onnxruntime cannot load the model.
    ArtifactError
        If the file is no ONNX file, keeps data in others, or its inputs and outputs are not
        those of the manifest.

    Notes
    -----
    One ``InferenceSession`` serves every session: its ``Run`` may be called from several threads
    at once (onnxruntime, C API: "Multiple threads can invoke the Run() method on the same
    session object"), and each call has its own buffers.  A process that was forked opens its own,
    because a lock may have been held when it was copied.
    """

    name = "onnx"

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        check_onnx_file(content)
        self._manifest, self._content = manifest, content
        self._open()
        _check_nodes("input", self._runtime.get_inputs(), manifest.inputs)
        _check_nodes("output", self._runtime.get_outputs(), manifest.outputs)

    def session(self) -> Session:
        """Open a session, see :meth:`edge.runtimes.base.Model.session`."""
        return _OnnxSession(self, self._manifest)

    def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        """Run the model in this process."""
        if os.getpid() != self._pid:
            self._open()
        found: list[Any] = self._runtime.run(names, feeds)
        return found

    def _open(self) -> None:
        self._runtime, self._pid = open_onnx(self._content), os.getpid()

    def __copy__(self) -> OnnxModel:
        return self

    def __deepcopy__(self, memo: object) -> OnnxModel:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return OnnxModel, (self._manifest, self._content)


class _OnnxSession(SingleUser):
    __slots__ = ("_corpus_dtypes", "_features", "_logits", "_manifest", "_model", "_of", "_told")

    def __init__(self, model: OnnxModel, manifest: Manifest) -> None:
        super().__init__()
        self._model, self._manifest = model, manifest
        self._features = manifest.inputs[0].name
        # None, or the one of the corpus.
        self._corpus_dtypes = [(spec.name, np.dtype(spec.dtype)) for spec in manifest.inputs[1:]]
        self._logits = [manifest.outputs[0].name]
        # What is told of the corpus, and of which batch: the same from hop to hop.
        self._told: dict[str, Any] = {}
        self._of = (0, 0)

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        n_batch = features.shape[0]
        with self._alone:
            if self._of != (n_batch, corpus):
                self._of = (n_batch, corpus)
                self._told = {
                    name: np.full(n_batch, corpus, dtype=dtype)
                    for name, dtype in self._corpus_dtypes
                }
            feeds = {self._features: features, **self._told}
            try:
                (logits,) = self._model.run(self._logits, feeds)
            except BackendError:
                raise
            except Exception as error:
                raise BackendError(
                    f"onnxruntime could not run the model: {first_line(error)}"
                ) from error
        return check_logits(self._manifest, logits, n_batch)


def open_onnx(content: bytes) -> Any:
    """Open an ONNX file's bytes as an ``InferenceSession`` that keeps to one thread, mostly.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    BackendError
        If it cannot load the file.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads()
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    # Never its own format, which the check of the file does not know.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # A thread that waits by spinning keeps a small board's core at 100 %.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's own errors share no base class below Exception.
        raise BackendError(
            f"onnxruntime {onnxruntime.__version__} cannot load the model: {first_line(error)}"
        ) from error


def import_onnxruntime() -> Any:
    """Import onnxruntime so that it asks nobody and writes nothing.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported.
    """
    # Left as it is afterwards: what the library does later may ask for it again.
    os.environ[_NO_TELEMETRY] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            f"backend 'onnx' needs onnxruntime, which cannot be imported ({error}); install it "
            "with: pip install onnxruntime"
        ) from error
    return onnxruntime


def _check_nodes(kind: str, nodes: Any, specs: Sequence[TensorSpec]) -> None:
    found = [(node.name, node.type, len(node.shape)) for node in nodes]
    types = {"float32": "tensor(float)", "int64": "tensor(int64)", "int32": "tensor(int32)"}
    wanted = [(spec.name, types[spec.dtype], len(spec.shape)) for spec in specs]
    if found != wanted:
        raise ArtifactError(f"the model's {kind}s are {found}, its manifest says {wanted}")
