"""ONNX files through onnxruntime: one thread, no spinning, no calls home."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest, TensorSpec
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.models.base import aligned
from edge.runtimes.base import Session, SingleUser, check_inputs, check_logits, first_line
from edge.runtimes.onnx_file import check_onnx_file
from edge.runtimes.threads import n_threads
from edge.scratch import Scratch

__all__ = ["OnnxModel", "import_onnxruntime", "open_onnx"]

Floats = npt.NDArray[np.float32]

_ERRORS_ONLY = 3
# onnxruntime 1.32 looks up a host and writes a device's number into the home folder as it is
# imported, unless this is set by then.
_NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"


class _Forks:
    """How many forks lie between this process and the first.

    The system would tell who we are, but asking it in every decision is one of its calls.
    """

    count = 0

    def add(self) -> None:
        """Count the fork that this process has come from."""
        self.count += 1


_forks = _Forks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forks.add)


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

    def run(self, features: Floats, corpus: int) -> Any:
        """Run the model in this process on a batch of any size; its answer is not checked."""
        self._own_process()
        first, *others = self._manifest.inputs
        feeds = {first.name: features}
        for spec in others:
            feeds[spec.name] = np.full(len(features), corpus, dtype=spec.dtype)
        (found,) = self._runtime.run([self._manifest.outputs[0].name], feeds)
        return found

    def buffers(self, n_batch: int, n_frames: int) -> Scratch[_BoundBuffers]:
        """Buffers for batches of one size, for whoever runs one in this process and no other."""
        self._own_process()
        sizes = n_batch, n_frames
        found = self._buffers.get(sizes)
        if found is None:
            make = functools.partial(_BoundBuffers, self._runtime, self._manifest, *sizes)
            found = self._buffers.setdefault(sizes, Scratch(make))
        return found

    def _own_process(self) -> None:
        if self._n_forks != _forks.count:
            self._open()

    def _open(self) -> None:
        self._runtime, self._n_forks = open_onnx(self._content), _forks.count
        # As long as a session has a use for them.
        self._buffers: weakref.WeakValueDictionary[tuple[int, int], Scratch[_BoundBuffers]]
        self._buffers = weakref.WeakValueDictionary()

    def __copy__(self) -> OnnxModel:
        return self

    def __deepcopy__(self, memo: object) -> OnnxModel:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return OnnxModel, (self._manifest, self._content)


class _OnnxSession(SingleUser):
    __slots__ = ("_buffers", "_manifest", "_model", "_n_forks", "_shape")

    def __init__(self, model: OnnxModel, manifest: Manifest) -> None:
        super().__init__()
        self._model, self._manifest = model, manifest
        # Of the features, and the process, that the buffers are for.
        self._shape: tuple[int, ...] = (0, 0, 0)
        self._n_forks = -1

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        # Written in one piece: between decisions the caches forget what calls lead through.
        with self._alone:
            try:
                if self._shape != features.shape or self._n_forks != _forks.count:
                    return self._first_of_shape(features, corpus)
                buffers = self._buffers.take()
                logits = buffers.run(features, corpus)
                self._buffers.give(buffers)
                return logits
            except (ArtifactError, BackendError):
                raise
            except Exception as error:
                raise BackendError(
                    f"onnxruntime could not run the model: {first_line(error)}"
                ) from error

    def _first_of_shape(self, features: Floats, corpus: int) -> Floats:
        """Run with no buffers bound: the answer shows how wide it is, and many come once."""
        n_batch, n_frames, _ = features.shape
        logits = check_logits(self._manifest, self._model.run(features, corpus), n_batch)
        self._buffers = self._model.buffers(n_batch, n_frames)
        self._shape, self._n_forks = features.shape, _forks.count
        return logits


class _BoundBuffers:
    """Inputs and output of one size, bound to a runtime once: a tenth of a small model's call."""

    __slots__ = ("_binding", "_corpora", "_corpus", "_features", "_logits", "_runtime")

    def __init__(self, runtime: Any, manifest: Manifest, n_batch: int, n_frames: int) -> None:
        first, *others = manifest.inputs
        sizes = manifest.architecture
        self._features = aligned(np.zeros((n_batch, n_frames, sizes.n_features)))
        # None, or the one of the corpus.
        self._corpora = [np.zeros(n_batch, dtype=spec.dtype) for spec in others]
        self._corpus = 0
        self._logits = np.zeros((n_batch, sizes.n_labels), dtype=np.float32)
        self._runtime, self._binding = runtime, runtime.io_binding()
        self._binding.bind_cpu_input(first.name, self._features)
        for spec, told in zip(others, self._corpora, strict=True):
            self._binding.bind_cpu_input(spec.name, told)
        logits = self._logits
        self._binding.bind_output(
            manifest.outputs[0].name, "cpu", 0, np.float32, logits.shape, logits.ctypes.data
        )

    def run(self, features: Floats, corpus: int) -> Floats:
        """Run the model; a new array."""
        self._features[...] = features
        if self._corpus != corpus:
            self._corpus = corpus
            for told in self._corpora:
                told.fill(corpus)
        self._runtime.run_with_iobinding(self._binding)
        return self._logits.copy()


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
