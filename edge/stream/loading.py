"""From a folder, or the name of a bundled model, to a classifier."""

from __future__ import annotations

import os
from collections.abc import Sequence

from edge.runtimes.choice import open_artifact
from edge.stream.classifier import Classifier
from edge.stream.file_answer import FileAnswer

__all__ = ["classify_file", "load"]


def load(
    artifact_dir: str | os.PathLike[str] | None = None, backend: str | None = None
) -> Classifier:
    """Load an artifact, verify it and open its model.

    Parameters
    ----------
    artifact_dir : path, optional
        Folder with ``manifest.json``, or a folder of such folders with one model in several kinds,
        or ``"claf-ser-tiny"``, the smaller one of the bundled models; None: the bundled default.
    backend : str, optional
        One of :data:`edge.runtimes.registry.RUNTIMES`; None: the one the artifact was made for, of
        several kinds NumPy's; ``"auto"``: the fastest that works here, see
        :func:`edge.runtimes.choice.open_artifact`, which also tells why.

    Returns
    -------
    Classifier

    Raises
    ------
    ArtifactError
        If the artifact is missing, incomplete or tampered with, or there are several models.
    ParameterError
        If the backend is not known, or the folder's name is empty.
    BackendError
        If the backend cannot run this artifact, or it is a program that was not asked for.
    MissingDependencyError
        If the backend's package is not installed.

    Notes
    -----
    A model that does not come with the package is first tried in a process of its own, unless
    NumPy runs it: a hostile file can end a runtime.
    """
    choice = open_artifact(artifact_dir, backend, trust_bundled=True)
    return Classifier(choice.artifact, choice.model)


def classify_file(
    path: str | os.PathLike[str],
    *,
    artifact_dir: str | os.PathLike[str] | None = None,
    backend: str | None = None,
    segment_s: float | None = None,
    hop_s: float | None = None,
    corpus: str | None = None,
    min_probability: float | None = None,
    labels: Sequence[str] | None = None,
) -> FileAnswer:
    """Decide on a whole file: the answer of ``edge-ser classify``.

    For more than one file open the model once: ``load().classify_file(path)``.

    Parameters
    ----------
    path : path
        An audio file of any rate.
    artifact_dir, backend
        As for :func:`load`.
    segment_s, hop_s, corpus, min_probability, labels
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
    return classifier.classify_file(
        path,
        segment_s=segment_s,
        hop_s=hop_s,
        corpus=corpus,
        min_probability=min_probability,
        labels=labels,
    )
