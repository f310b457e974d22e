"""From a folder, or the name of a bundled model, to a classifier."""

from __future__ import annotations

import os
from pathlib import Path

from edge.artifact import read_artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.runtimes.choice import Choice, choose_backend, find_artifacts
from edge.runtimes.open import open_model
from edge.runtimes.registry import AUTO
from edge.stream.classifier import Classifier
from edge.stream.file_answer import FileAnswer

__all__ = ["choose", "classify_file", "load"]


def load(artifact_dir: str | Path | None = None, backend: str | None = None) -> Classifier:
    """Load an artifact, verify it and open its model.

    Parameters
    ----------
    artifact_dir : path, optional
        Folder with ``manifest.json``, or ``"claf-ser-tiny"``, the smaller one of the bundled
        models; None: the bundled default.
    backend : str, optional
        One of :data:`edge.runtimes.registry.RUNTIMES`; None: the one the artifact was made for;
        ``"auto"``: the fastest that works here, of the bundled artifacts or of those that lie in
        the folder, see :func:`choose`, which also tells why.

    Returns
    -------
    Classifier

    Raises
    ------
    ArtifactError
        If the artifact is missing, incomplete or tampered with.
    BackendError
        If the backend is not known or cannot run this artifact.
    MissingDependencyError
        If the backend's package is not installed.
    """
    if backend == AUTO:
        choice = choose(artifact_dir)
        return Classifier(choice.artifact, choice.model)
    bundled = _bundled(artifact_dir)
    if bundled is not None:
        # A name that is not known meets open_model's list of those that are.
        artifact_dir = MODELS_DIR / bundled.get(backend or "numpy", bundled["numpy"])
    artifact = read_artifact(Path(artifact_dir or ""))
    return Classifier(artifact, open_model(artifact, backend))


def classify_file(
    path: str | os.PathLike[str],
    *,
    artifact_dir: str | Path | None = None,
    backend: str | None = None,
    segment_s: float | None = None,
    hop_s: float | None = None,
    corpus: str | None = None,
) -> FileAnswer:
    """Decide on a whole file: the answer of ``edge-ser classify``.

    For more than one file open the model once: ``load().classify_file(path)``.

    Parameters
    ----------
    path : path
        An audio file of any rate.
    artifact_dir, backend
        As for :func:`load`.
    segment_s, hop_s, corpus
        As for :meth:`Classifier.classify_file`.

    Returns
    -------
    FileAnswer

    Raises
    ------
    EdgeSerError
        As :func:`load` and :meth:`Classifier.classify_file`.
    """
    classifier = load(artifact_dir, backend)
    return classifier.classify_file(path, segment_s=segment_s, hop_s=hop_s, corpus=corpus)


def choose(
    artifact_dir: str | Path | None = None, backend: str = AUTO, *, attentive: bool = False
) -> Choice:
    """Pick the artifact that this device runs best, open it and tell why.

    Parameters
    ----------
    artifact_dir : path, optional
        An artifact, or a folder of artifacts of one model, or the name of a bundled one; None:
        those of the bundled default.
    backend : str
        ``"auto"``, or the one backend that may be picked.
    attentive : bool
        Prefer a backend that tells what it attends to.

    Returns
    -------
    Choice
        ``Classifier(choice.artifact, choice.model)`` runs it.

    Raises
    ------
    EdgeSerError
        As :func:`edge.runtimes.choice.choose_backend`.
    """
    bundled = _bundled(artifact_dir)
    if bundled is None:
        folders = find_artifacts(Path(artifact_dir or ""))
    elif backend in bundled:
        folders = [MODELS_DIR / bundled[backend]]
    else:
        folders = [MODELS_DIR / name for name in bundled.values()]
    return choose_backend(folders, backend, attentive=attentive)


def _bundled(artifact_dir: str | Path | None) -> dict[str, str] | None:
    """Artifacts of a bundled model, by backend; None where a folder is named.

    A folder that is there comes before a bundled model of its name.
    """
    if artifact_dir is None:
        return next(iter(MODELS.values()))
    return None if Path(artifact_dir).exists() else MODELS.get(str(artifact_dir))
