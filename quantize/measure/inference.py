"""An artifact as scoring calls it, here or in another process."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Artifact, read_artifact
from edge.errors import ArtifactError
from edge.features.voice_reference import as_wide
from edge.runtimes.base import Session
from edge.runtimes.open import open_model

__all__ = ["ArtifactInfer"]


class ArtifactInfer:
    """Normalised rows to logits in an artifact's real runtime.

    What goes to another process is where the artifact lies and what it must be: a session of a
    runtime cannot be sent.  Each thread has a session of its own.

    Parameters
    ----------
    folder : path
    artifact : Artifact
        What was read of it.
    """

    def __init__(self, folder: Path, artifact: Artifact) -> None:
        self._folder = folder.resolve()
        self._sha256 = artifact.manifest.model_sha256
        self._n_columns = artifact.manifest.architecture.n_features
        self._sessions = threading.local()
        self._sessions.one = open_model(artifact).session()

    def __getstate__(self) -> tuple[Path, str, int]:
        """Give what another process opens the same artifact by."""
        return self._folder, self._sha256, self._n_columns

    def __setstate__(self, state: tuple[Path, str, int]) -> None:
        """Open it when it is first called."""
        self._folder, self._sha256, self._n_columns = state
        self._sessions = threading.local()

    def __call__(self, rows: NDArray[np.float32], language: int) -> NDArray[np.floating]:
        """Logits of a batch.

        Parameters
        ----------
        rows : float32 [shape=(n_segments, n_frames, n_features)]
        language : int
            Number of the corpus.

        Returns
        -------
        float [shape=(n_segments, n_labels)]

        Raises
        ------
        ArtifactError
            If another process finds another artifact in the folder.
        """
        session = self._session()
        # One by one, as on a device: dynamic quantization takes one range a batch.
        wide = as_wide(rows, self._n_columns)
        return np.concatenate([session.infer(row[None], language) for row in wide])

    def _session(self) -> Session:
        if not hasattr(self._sessions, "one"):
            artifact = read_artifact(self._folder)
            if artifact.manifest.model_sha256 != self._sha256:
                raise ArtifactError(
                    f"{self._folder} was changed while it was measured, or holds another model on "
                    "the machine of a worker: measure it again"
                )
            self._sessions.one = open_model(artifact).session()
        session: Session = self._sessions.one
        return session
