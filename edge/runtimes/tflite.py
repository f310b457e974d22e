"""CLAF-SER through LiteRT or its older sibling tflite-runtime: one thread."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest, TensorSpec
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.base import check_inputs, first_line

__all__ = ["TfliteBackend"]

Floats = npt.NDArray[np.float32]

_STANDARD_ERROR = 2


class TfliteBackend:
    """Run a ``model.tflite``.

    Parameters
    ----------
    manifest : Manifest
        Names, shapes and types of the inputs and outputs.
    model : bytes
        Content of ``model.tflite``.

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
    A model takes one segment at a time; a batch is run row by row.  XNNPACK, the
    runtimes' default, stays on: with LiteRT 2.3 it makes a window 1.2 (int8) to
    1.8 (fp32) times as fast on x86.
    """

    name = "tflite"

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self._manifest = manifest
        self._model = model
        self._runtime, self._interpreter_class = _find_runtime()
        with _without_notices():
            interpreter = self._load()
            self._features, self._language = _check_nodes(
                "input", interpreter.get_input_details(), manifest.inputs
            )
            (self._logits,) = _check_nodes(
                "output", interpreter.get_output_details(), manifest.outputs
            )
            self._language_dtype = np.dtype(manifest.inputs[1].dtype)
            self._n_frames = manifest.window_frames
            self._interpreter = self._sized(interpreter, manifest.window_frames)

    def infer(self, features: Floats, language: int) -> Floats:
        """Run the model, see :meth:`edge.runtimes.base.Backend.infer`."""
        check_inputs(self._manifest, features, language)
        n_batch, n_frames, _ = features.shape
        if n_frames != self._n_frames:
            # tflite-runtime 2.14 with XNNPACK and float16 weights computes something else after
            # a resize, without a word.  A new interpreter takes 1.3 ms.
            self._interpreter = self._sized(self._load(), n_frames)
            self._n_frames = n_frames
        interpreter = self._interpreter
        row = np.array([language], dtype=self._language_dtype)
        logits: Floats = np.empty((n_batch, self._manifest.architecture.n_labels), np.float32)
        try:
            for index in range(n_batch):
                # Else the LSTM would go on from where the last window ended.
                interpreter.reset_all_variables()
                interpreter.set_tensor(
                    self._features, np.ascontiguousarray(features[index : index + 1])
                )
                interpreter.set_tensor(self._language, row)
                interpreter.invoke()
                logits[index] = interpreter.get_tensor(self._logits)[0]
        except Exception as error:
            raise BackendError(
                f"{self._runtime} could not run the model: {first_line(error)}"
            ) from error
        return logits

    def _load(self) -> Any:
        try:
            return self._interpreter_class(model_content=self._model, num_threads=1)
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


def _find_runtime() -> tuple[str, Any]:
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
            f'({newer}; {error}); install the first with: pip install "edge-ser[tflite]"'
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


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Keep what a runtime tells about itself from standard error.

    XNNPACK announces itself when a process first uses it, in C++ and past all
    logging.  Everything that is no notice passes, after the fact; if what is
    guarded fails, its error says what there is to say.
    """
    try:
        saved = os.dup(_STANDARD_ERROR)
    except OSError:
        yield  # There is no standard error.
        return
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, saved)
        try:
            caught = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield  # Nothing can be written on this device: better a line too many.
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(caught.fileno(), _STANDARD_ERROR)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(saved, _STANDARD_ERROR)
        caught.seek(0)
        for line in caught:
            if not line.startswith(b"INFO:"):
                os.write(_STANDARD_ERROR, line)
