"""A NumPy archive as a model: its weights in the network that its architecture names."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.models.base import AttentiveRunner, Runner
from edge.models.registry import ARCHITECTURES
from edge.runtimes.base import Session, SingleUser, check_inputs
from edge.runtimes.numpy.weights import read_weights

__all__ = ["NumpyModel"]

Floats = npt.NDArray[np.float32]


class NumpyModel:
    """A ``model.npz``, opened.

    Parameters
    ----------
    manifest : Manifest
        Its architecture says which arrays the model must hold.
    content : bytes
        Of the file.

    Raises
    ------
    ArtifactError
        If the bytes are not the weights of such a model.
    """

    name = "numpy"

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        sizes = manifest.architecture
        self._manifest = manifest
        self._network = ARCHITECTURES[sizes.type].network(sizes, read_weights(content, sizes))

    def session(self) -> Session:
        """Open a session, see :meth:`edge.runtimes.base.Model.session`."""
        runner = self._network.runner()
        if isinstance(runner, AttentiveRunner):
            return _AttentiveNumpySession(self._manifest, runner)
        return _NumpySession(self._manifest, runner)


class _NumpySession(SingleUser):
    __slots__ = ("_manifest", "_runner")

    def __init__(self, manifest: Manifest, runner: Runner) -> None:
        super().__init__()
        self._manifest, self._runner = manifest, runner

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._runner.run(features, corpus)


class _AttentiveNumpySession(SingleUser):
    __slots__ = ("_manifest", "_runner")

    def __init__(self, manifest: Manifest, runner: AttentiveRunner) -> None:
        super().__init__()
        self._manifest, self._runner = manifest, runner

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._runner.run(features, corpus)

    def infer_with_attention(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._runner.run_with_attention(features, corpus)
