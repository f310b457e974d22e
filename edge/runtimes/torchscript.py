"""CLAF-SER as TorchScript through torch: one thread, no gradients."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.base import check_inputs

__all__ = ["TorchScriptBackend"]

_LOG_LEVEL = "TORCH_CPP_LOG_LEVEL"
# The profiling executor compiles within the first runs.
_N_WARM_UP = 3
_WARM_UP_FRAMES = 4


class TorchScriptBackend:
    """Run a ``model.pt``.

    Parameters
    ----------
    manifest : Manifest
        Names and types of the inputs and outputs.
    model : bytes
        Content of ``model.pt``.

    Raises
    ------
    MissingDependencyError
        If torch is not installed.
    BackendError
        If torch cannot load or run the model.
    ArtifactError
        If the model's inputs and outputs are not those of the manifest.

    Notes
    -----
    Trust.  The other kinds of artifact are data; a TorchScript archive is a small program and
    holds pickled records.  ``torch.jit.load`` reads the records with an unpickler in C++ that
    builds tensors, numbers and the archive's own classes and cannot import Python, and runs the
    program in an interpreter that cannot either; but operators of torch that read and write files
    are within its reach.  The hash in the manifest is checked before torch sees a byte: it tells
    that the file is the exporter's, not that the exporter is honest.  Take artifacts of this kind
    only from those whose programs you would run.

    Threads.  torch has one number of threads for the whole process.  It is set to 1 for the time
    of a call and put back (5 us), so that a program around us keeps its own.
    """

    name = "torchscript"

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self._manifest = manifest
        self._torch = _import_torch()
        self._language_dtype = getattr(self._torch, manifest.inputs[1].dtype)
        with _quiet():
            self._module = self._load(model)
            _check_signature(self._module, manifest)
            width, n_labels = manifest.architecture.n_features, manifest.architecture.n_labels
            rows = np.zeros((1, _WARM_UP_FRAMES, width), dtype=np.float32)
            for _ in range(_N_WARM_UP):
                logits = self.infer(rows, manifest.language_id())
        if logits.dtype != np.float32 or logits.shape != (1, n_labels):
            raise ArtifactError(
                f"the model gives {logits.dtype} {logits.shape} for one example, float32 "
                f"(1, {n_labels}) is wanted"
            )

    def infer(self, features: npt.NDArray[np.float32], language: int) -> npt.NDArray[np.float32]:
        """Run the model, see :meth:`edge.runtimes.base.Backend.infer`."""
        check_inputs(self._manifest, features, language)
        torch = self._torch
        # torch takes no negative strides and warns of arrays that cannot be written to.
        rows = np.require(features, requirements=("C", "W"))
        try:
            with torch.inference_mode(), _one_thread(torch):
                languages = torch.full(
                    (features.shape[0],), int(language), dtype=self._language_dtype
                )
                logits = self._module(torch.from_numpy(rows), languages)
                found: npt.NDArray[np.float32] = logits.numpy()
        except Exception as error:
            # TorchScript raises whatever its operators do.
            raise BackendError(f"torch could not run the model: {_reason(error)}") from error
        return found

    def _load(self, model: bytes) -> Any:
        torch = self._torch
        try:
            return torch.jit.load(io.BytesIO(model), map_location="cpu").eval()
        except Exception as error:
            raise BackendError(
                f"torch {torch.__version__} cannot load the model: {_reason(error)}"
            ) from error


def _import_torch() -> Any:
    # What its libraries write past Python's warnings; they read the variable as they are loaded.
    is_set = _LOG_LEVEL in os.environ
    os.environ.setdefault(_LOG_LEVEL, "ERROR")
    try:
        import torch
    except (ImportError, OSError) as error:
        # A shared library that is not there is an OSError.
        raise MissingDependencyError(
            f"backend 'torchscript' needs torch, which cannot be imported ({error}); install it "
            'with: pip install "edge-ser[torchscript]"'
        ) from error
    finally:
        if not is_set:
            del os.environ[_LOG_LEVEL]
    return torch


def _check_signature(module: Any, manifest: Manifest) -> None:
    try:
        schema = module.forward.schema
        found = [(entry.name, str(entry.type)) for entry in schema.arguments[1:]]
        returned = [str(entry.type) for entry in schema.returns]
    except (AttributeError, RuntimeError) as error:
        raise ArtifactError("the model has no forward to run: it is not a CLAF-SER") from error
    wanted = [(spec.name, "Tensor") for spec in manifest.inputs]
    if found != wanted or returned != ["Tensor"]:
        raise ArtifactError(
            f"the model takes {found} and gives {returned}, its manifest says {wanted} and one "
            "Tensor"
        )


@contextlib.contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    n_threads = torch.get_num_threads()
    if n_threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what torch says once in a process: of torch.export, and of its int8 engines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _reason(error: Exception) -> str:
    """Return the one line of a message that says what went wrong.

    An error within TorchScript begins with its own name and a trace of the program; the reason is
    the last line, after the name of a Python exception.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if not lines[0].startswith("The following operation failed"):
        return lines[0]
    return lines[-1].removeprefix("RuntimeError: ")
