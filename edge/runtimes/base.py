"""What every model runtime offers, and how one is opened."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from edge.artifact import Artifact, Manifest
from edge.errors import ArtifactError, BackendError, ParameterError
from edge.stream.decision import softmax

__all__ = [
    "BACKENDS",
    "AttentiveBackend",
    "Backend",
    "check_inputs",
    "first_line",
    "open_backend",
    "reference_difference",
]


class Backend(Protocol):
    """A loaded model.  Not safe to share between threads: buffers are reused."""

    name: str

    def infer(self, features: npt.NDArray[np.float32], language: int) -> npt.NDArray[np.float32]:
        """Run the model.

        Parameters
        ----------
        features : float32 [shape=(B, T, n_features)]
            Normalised rows, finite.
        language : int
            Row of the language embedding, see :meth:`Manifest.language_id`.

        Returns
        -------
        float32 [shape=(B, n_labels)]
            Logits; a new array.

        Raises
        ------
        ParameterError
            If the shape, the dtype or the language does not fit the model.
        BackendError
            If the runtime fails.
        """
        ...


@runtime_checkable
class AttentiveBackend(Backend, Protocol):
    """A backend that also tells which frames its model attended to."""

    def infer_with_attention(
        self, features: npt.NDArray[np.float32], language: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Run the model and keep the weights of its attention.

        Parameters
        ----------
        features, language
            As in :meth:`Backend.infer`.

        Returns
        -------
        logits : float32 [shape=(B, n_labels)]
            Those of :meth:`Backend.infer`, to the last bit.
        attention : float32 [shape=(B, n_heads, T)]
            ``softmax(Q K^T / sqrt(d))`` averaged over its queries: the share of each
            head's attention that each frame receives, with which the model pools over
            time; frames of one step share alike.  Sums to 1 over the frames; a new array.

        Raises
        ------
        ParameterError, BackendError
            As :meth:`Backend.infer`.
        """
        ...


def _load_numpy(manifest: Manifest, model: bytes) -> Backend:
    from edge.runtimes.numpy.claf_ser import NumpyBackend

    return NumpyBackend(manifest, model)


def _load_onnx(manifest: Manifest, model: bytes) -> Backend:
    from edge.runtimes.onnx import OnnxBackend

    return OnnxBackend(manifest, model)


def _load_torchscript(manifest: Manifest, model: bytes) -> Backend:
    from edge.runtimes.torchscript import TorchScriptBackend

    return TorchScriptBackend(manifest, model)


def _load_tflite(manifest: Manifest, model: bytes) -> Backend:
    from edge.runtimes.tflite import TfliteBackend

    return TfliteBackend(manifest, model)


BACKENDS: dict[str, Callable[[Manifest, bytes], Backend]] = {
    "numpy": _load_numpy,
    "onnx": _load_onnx,
    "torchscript": _load_torchscript,
    "tflite": _load_tflite,
}
"""Runtime name to loader; a loader imports its runtime and takes the model's bytes."""


def open_backend(artifact: Artifact, name: str | None = None) -> Backend:
    """Load an artifact's model and replay its reference input.

    Parameters
    ----------
    artifact : Artifact
        From :func:`edge.artifact.read_artifact`.
    name : str, optional
        Runtime to use; the artifact's own by default.

    Raises
    ------
    ParameterError
        If there is no runtime of that name.
    ArtifactError
        If the artifact was made for another runtime, its model file does not
        hold what its manifest says, or the reference input gives other logits.
    MissingDependencyError
        If the runtime is not installed.
    BackendError
        If the runtime cannot load or run the model.
    """
    manifest = artifact.manifest
    known = ", ".join(sorted(BACKENDS))
    if name is not None and name not in BACKENDS:
        raise ParameterError(f"backend is {name!r}, one of {known} is wanted")
    if name is not None and name != manifest.backend:
        raise ArtifactError(
            f"{artifact.path} was exported for backend {manifest.backend!r} and cannot run on "
            f"{name!r}; choose the artifact that was exported for {name!r}"
        )
    if manifest.backend not in BACKENDS:
        raise BackendError(
            f"{artifact.path} needs backend {manifest.backend!r}, this edge-ser has {known}; "
            "choose another artifact or a newer edge-ser"
        )
    try:
        backend = BACKENDS[manifest.backend](manifest, artifact.read_model())
    except ArtifactError as error:
        raise ArtifactError(_at(artifact, error)) from error
    difference = reference_difference(backend, manifest)
    if difference > manifest.reference.tolerance:
        raise ArtifactError(
            f"{artifact.path} gives a posterior {difference:.2g} away from its reference on this "
            f"device, at most {manifest.reference.tolerance:.2g} is allowed: model, manifest and "
            "runtime do not belong together; export the model anew or use another backend"
        )
    return backend


def reference_difference(backend: Backend, manifest: Manifest) -> float:
    """Largest absolute difference of the reference input's posterior."""
    reference = manifest.reference
    features = np.array(reference.features, dtype=np.float32)[None]
    logits = backend.infer(features, reference.language)[0]
    if not np.isfinite(logits).all():
        return math.inf
    wanted = softmax(reference.logits, manifest.temperature)
    return float(np.abs(softmax(logits, manifest.temperature) - wanted).max())


def check_inputs(manifest: Manifest, features: npt.NDArray[np.float32], language: int) -> None:
    """Refuse what :meth:`Backend.infer` cannot take.

    Raises
    ------
    ParameterError
        If ``features`` is not float32 (B >= 1, T >= 1, n_features) or
        ``language`` is not a row of the embedding.
    """
    width = manifest.architecture.n_features
    if not isinstance(features, np.ndarray) or features.dtype != np.float32:
        kind = getattr(features, "dtype", type(features).__name__)
        raise ParameterError(f"features are {kind}, a float32 array is wanted")
    if features.ndim != 3 or features.shape[2] != width or 0 in features.shape:
        raise ParameterError(
            f"features have shape {features.shape}, (batch, time, {width}) with at least one "
            "example and one frame is wanted"
        )
    n_languages = len(manifest.languages)
    if isinstance(language, bool) or not isinstance(language, int | np.integer):
        raise ParameterError(f"language is {language!r}, a whole number is wanted")
    if not 0 <= language < n_languages:
        raise ParameterError(f"language is {language}, 0 to {n_languages - 1} is wanted")


def first_line(error: Exception) -> str:
    """Return the first line of a runtime's message, which may go on for pages."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _at(artifact: Artifact, error: Exception) -> str:
    message = str(error)
    return message if str(artifact.path) in message else f"{artifact.model_path}: {message}"
