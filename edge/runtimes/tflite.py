"""TensorFlow Lite files through LiteRT or its older sibling tflite-runtime: one thread."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest, TensorSpec
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.base import Session, SingleUser, check_inputs, first_line
from edge.runtimes.threads import n_threads

__all__ = ["TfliteModel", "find_runtime"]

Floats = npt.NDArray[np.float32]

_STANDARD_ERROR = 2


class TfliteModel:
    """A ``model.tflite``, opened.

    Parameters
    ----------
    manifest : Manifest
        Names, shapes and types of the inputs and outputs.
    content : bytes
        Of the file.

    Raises
    ------
    MissingDependencyError
        If neither ai-edge-litert nor tflite-runtime is installed, or what is
        installed does not work with this NumPy.
    BackendError
        If the runtime cannot load the model.
    ArtifactError
        If the model's inputs and outputs are not those of the manifest.

    Notes
    -----
    An interpreter is weights and buffers in one, so every session has its own.  It takes one
    segment at a time; a batch is run row by row.  XNNPACK, the runtimes' default, stays on: with
    LiteRT 2.3 it makes a window 1.2 (int8) to 1.8 (fp32) times as fast on x86.
    """

    name = "tflite"

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self._manifest, self._content = manifest, content
        # What is wrong with it is said now and not when it is first used.
        self.session()

    def session(self) -> Session:
        """Open a session, see :meth:`edge.runtimes.base.Model.session`."""
        return _TfliteSession(self._manifest, self._content)


class _TfliteSession(SingleUser):
    __slots__ = (
        "_content",
        "_corpus",
        "_features",
        "_interpreter",
        "_interpreter_class",
        "_logits",
        "_manifest",
        "_n_frames",
        "_runtime",
    )

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        super().__init__()
        self._manifest, self._content = manifest, content
        self._runtime, self._interpreter_class = find_runtime()
        with _without_notices():
            interpreter = self._load()
            self._features, *others = _check_nodes(
                "input", interpreter.get_input_details(), manifest.inputs
            )
            # None, or the one of the corpus.
            specs = manifest.inputs[1:]
            self._corpus = [
                (index, np.dtype(spec.dtype)) for index, spec in zip(others, specs, strict=True)
            ]
            (self._logits,) = _check_nodes(
                "output", interpreter.get_output_details(), manifest.outputs
            )
            self._n_frames = manifest.window_frames
            self._interpreter = self._sized(interpreter, manifest.window_frames)

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._infer(features, corpus)

    def _infer(self, features: Floats, corpus: int) -> Floats:
        n_batch, n_frames, _ = features.shape
        if n_frames != self._n_frames:
            # tflite-runtime 2.14 with XNNPACK and float16 weights computes something else after
            # a resize, without a word.  A new interpreter takes 1.3 ms.
            self._interpreter = self._sized(self._load(), n_frames)
            self._n_frames = n_frames
        interpreter = self._interpreter
        logits: Floats = np.empty((n_batch, self._manifest.architecture.n_labels), np.float32)
        try:
            for index in range(n_batch):
                # Else the LSTM would go on from where the last window ended.
                interpreter.reset_all_variables()
                interpreter.set_tensor(
                    self._features, np.ascontiguousarray(features[index : index + 1])
                )
                for tensor, dtype in self._corpus:
                    interpreter.set_tensor(tensor, np.array([corpus], dtype=dtype))
                interpreter.invoke()
                logits[index] = interpreter.get_tensor(self._logits)[0]
        except Exception as error:
            raise BackendError(
                f"{self._runtime} could not run the model: {first_line(error)}"
            ) from error
        return logits

    def _load(self) -> Any:
        try:
            return self._interpreter_class(model_content=self._content, num_threads=n_threads())
        except Exception as error:
            # Importing a tflite-runtime that was built for NumPy 1 succeeds; this does not.
            if self._runtime == "tflite-runtime" and isinstance(error, SystemError | ImportError):
                raise MissingDependencyError(
                    f"backend 'tflite' found tflite-runtime, which does not work with NumPy "
                    f'{np.__version__}; install one that it works with: pip install "numpy<2", '
                    "or the newer runtime: pip install ai-edge-litert"
                ) from error
            raise self._cannot_load(error) from error

    def _sized(self, interpreter: Any, n_frames: int) -> Any:
        shape = [1, n_frames, self._manifest.architecture.n_features]
        try:
            interpreter.resize_tensor_input(self._features, shape, strict=True)
            interpreter.allocate_tensors()
        except Exception as error:
            raise self._cannot_load(error) from error
        return interpreter

    def _cannot_load(self, error: Exception) -> BackendError:
        return BackendError(f"{self._runtime} cannot load the model: {first_line(error)}")


def find_runtime() -> tuple[str, Any]:
    """Return a runtime's name and its ``Interpreter``; the newer runtime first."""
    try:
        from ai_edge_litert.interpreter import Interpreter

        return "ai-edge-litert", Interpreter
    except ImportError as error:
        newer = error
    try:
        from tflite_runtime.interpreter import Interpreter

        return "tflite-runtime", Interpreter
    except ImportError as error:
        raise MissingDependencyError(
            "backend 'tflite' needs ai-edge-litert or tflite-runtime, which cannot be imported "
            f"({newer}; {error}); install the first with: pip install ai-edge-litert"
        ) from error


def _check_nodes(kind: str, nodes: Any, specs: Sequence[TensorSpec]) -> list[int]:
    """Compare with the manifest; returns the tensors' numbers."""
    found = [
        (node["name"], np.dtype(node["dtype"]).name, [int(n) for n in node["shape_signature"]])
        for node in nodes
    ]
    wanted = [
        (spec.name, spec.dtype, [-1 if size is None else size for size in spec.shape])
        for spec in specs
    ]
    if found != wanted:
        raise ArtifactError(f"the model's {kind}s are {found}, its manifest says {wanted}")
    return [int(node["index"]) for node in nodes]


# Standard error belongs to the whole process: one thread at a time turns it aside, and no process
# is forked meanwhile.
_turning = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_turning.acquire, after_in_parent=_turning.release, after_in_child=_turning.release
    )


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Keep what a runtime tells about itself from standard error.

    XNNPACK announces itself when a process first uses it, in C++ and past all
    logging.  Everything that is no notice passes, after the fact; if what is
    guarded fails, its error says what there is to say.
    """
    with _turning, contextlib.ExitStack() as stack:
        try:
            saved = os.dup(_STANDARD_ERROR)
            stack.callback(os.close, saved)
            # In memory: nothing is written on this device.
            caught = os.memfd_create("notices")
            stack.callback(os.close, caught)
        except (OSError, AttributeError):
            yield  # There is no standard error, or no such file: better a line too many.
            return
        _flush_standard_error()
        os.dup2(caught, _STANDARD_ERROR)
        try:
            yield
        finally:
            _flush_standard_error()
            os.dup2(saved, _STANDARD_ERROR)
        with open(caught, "rb", closefd=False) as lines:
            lines.seek(0)
            for line in lines:
                if not line.startswith(b"INFO:"):
                    with contextlib.suppress(OSError):  # nobody reads it, or the disk is full
                        os.write(_STANDARD_ERROR, line)


def _flush_standard_error() -> None:
    """Write out what Python still holds, if anybody can be told."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.flush()
