"""TorchScript archives through torch: one thread, no gradients."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.runtimes.base import Session, SingleUser, check_inputs, check_logits
from edge.runtimes.threads import n_threads

__all__ = ["TorchScriptModel", "import_torch"]

_LOG_LEVEL = "TORCH_CPP_LOG_LEVEL"
# The profiling executor compiles within the first runs.
_N_WARM_UP = 3
_WARM_UP_FRAMES = 4


class TorchScriptModel:
    """A ``model.pt``, opened.

    Parameters
    ----------
    manifest : Manifest
        Names and types of the inputs and outputs.
    content : bytes
        Of the file.

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
    of a call and put back (5 us), so that a program around us keeps its own.  Sessions of several
    threads take turns: a number that is put back while another computes would change its sums.

    Sessions.  The module keeps nothing from one call to the next and is shared; a copy through
    pickle loads the archive again.
    """

    name = "torchscript"

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self._manifest, self._content = manifest, content
        self._torch = import_torch()
        with _quiet():
            self._module = self._load(content)
            _check_signature(self._module, manifest)
            shape = (1, _WARM_UP_FRAMES, manifest.architecture.n_features)
            rows = np.zeros(shape, dtype=np.float32)
            session = self.session()
            for _ in range(_N_WARM_UP):
                session.infer(rows, 0)

    def session(self) -> Session:
        """Open a session, see :meth:`edge.runtimes.base.Model.session`."""
        return _TorchScriptSession(self._torch, self._module, self._manifest)

    def _load(self, content: bytes) -> Any:
        torch = self._torch
        try:
            return torch.jit.load(io.BytesIO(content), map_location="cpu").eval()
        except Exception as error:
            raise BackendError(
                f"torch {torch.__version__} cannot load the model: {_reason(error)}"
            ) from error

    def __copy__(self) -> TorchScriptModel:
        return self

    def __deepcopy__(self, memo: object) -> TorchScriptModel:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return TorchScriptModel, (self._manifest, self._content)


class _TorchScriptSession(SingleUser):
    __slots__ = ("_corpus_dtypes", "_manifest", "_module", "_torch")

    def __init__(self, torch: Any, module: Any, manifest: Manifest) -> None:
        super().__init__()
        self._torch, self._module, self._manifest = torch, module, manifest
        # None, or the one of the corpus.
        self._corpus_dtypes = [getattr(torch, spec.dtype) for spec in manifest.inputs[1:]]

    def infer(self, features: npt.NDArray[np.float32], corpus: int) -> npt.NDArray[np.float32]:
        check_inputs(self._manifest, features, corpus)
        torch = self._torch
        # torch takes no negative strides and warns of arrays that cannot be written to.
        rows = np.require(features, requirements=("C", "W"))
        try:
            with self._alone, torch.inference_mode(), _few_threads(torch):
                corpora = [
                    torch.full((features.shape[0],), int(corpus), dtype=dtype)
                    for dtype in self._corpus_dtypes
                ]
                logits = self._module(torch.from_numpy(rows), *corpora)
                found = logits.numpy()
        except ParameterError:
            raise
        except Exception as error:
            # TorchScript raises whatever its operators do.
            raise BackendError(f"torch could not run the model: {_reason(error)}") from error
        return check_logits(self._manifest, found, features.shape[0])


def import_torch() -> Any:
    """Import torch without what its libraries write past Python's warnings.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported.
    """
    # They read the variable as they are loaded.
    is_set = _LOG_LEVEL in os.environ
    os.environ.setdefault(_LOG_LEVEL, "ERROR")
    try:
        import torch
    except (ImportError, OSError) as error:
        # A shared library that is not there is an OSError.
        raise MissingDependencyError(
            f"backend 'torchscript' needs torch, which cannot be imported ({error}); install it "
            "with: pip install torch"
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
        raise ArtifactError("the model has no forward to run: it is no model") from error
    wanted = [(spec.name, "Tensor") for spec in manifest.inputs]
    if found != wanted or returned != ["Tensor"]:
        raise ArtifactError(
            f"the model takes {found} and gives {returned}, its manifest says {wanted} and one "
            "Tensor"
        )


# Who may touch torch's number of threads; no process is forked meanwhile.
_turn = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_turn.acquire, after_in_parent=_turn.release, after_in_child=_turn.release
    )


@contextlib.contextmanager
def _few_threads(torch: Any) -> Iterator[None]:
    with _turn:
        n_before, n_wanted = torch.get_num_threads(), n_threads()
        if n_before == n_wanted:
            yield
            return
        torch.set_num_threads(n_wanted)
        try:
            yield
        finally:
            torch.set_num_threads(n_before)


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
