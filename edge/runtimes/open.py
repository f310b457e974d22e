"""Opening an artifact's model, and trying it on its reference input."""

from __future__ import annotations

import numpy as np

from edge.artifact import Artifact
from edge.errors import ArtifactError, BackendError, ParameterError
from edge.runtimes.base import Model, reference_difference
from edge.runtimes.registry import RUNTIMES, Runtime, known_runtimes

__all__ = ["open_model", "runtime_of"]


def open_model(artifact: Artifact, name: str | None = None) -> Model:
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
    if name is not None and name not in RUNTIMES:
        raise ParameterError(f"backend is {name!r}, one of {known_runtimes()} is wanted")
    if name is not None and name != manifest.backend:
        raise ArtifactError(
            f"{artifact.path} was exported for backend {manifest.backend!r} and cannot run on "
            f"{name!r}; choose the artifact that was exported for {name!r}"
        )
    row = runtime_of(artifact)
    if not row.is_installed:
        raise row.missing()
    try:
        # Weights that overflow are found by the reference, not by a warning of NumPy's.
        with np.errstate(all="ignore"):
            model = row.load(manifest, artifact.read_model())
            difference = reference_difference(model.session(), manifest)
    except ArtifactError as error:
        raise ArtifactError(_at(artifact, error)) from error
    if difference > manifest.reference.tolerance:
        raise ArtifactError(
            f"{artifact.path} gives a posterior {difference:.2g} away from its reference on this "
            f"device, at most {manifest.reference.tolerance:.2g} is allowed: model, manifest and "
            "runtime do not belong together; export the model anew or use another backend"
        )
    return model


def runtime_of(artifact: Artifact) -> Runtime:
    """Look up the runtime of an artifact; nothing is opened and nothing imported.

    Raises
    ------
    BackendError
        If this edge-ser has none of its name.
    """
    manifest = artifact.manifest
    if manifest.backend not in RUNTIMES:
        raise BackendError(
            f"{artifact.path} needs backend {manifest.backend!r}, this edge-ser has "
            f"{known_runtimes()}; choose another artifact or a newer edge-ser"
        )
    return RUNTIMES[manifest.backend]


def _at(artifact: Artifact, error: Exception) -> str:
    message = str(error)
    return message if str(artifact.path) in message else f"{artifact.model_path}: {message}"
