"""A NumPy archive as a model: its weights in the network that its architecture names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.models.base import AttentiveRunner, Network, Runner
from edge.models.registry import ARCHITECTURES
from edge.runtimes.base import Session, SingleUser, check_inputs
from edge.runtimes.numpy.weights import read_weights

__all__ = ["NumpyModel"]

Floats = npt.NDArray[np.float32]

#: Examples that are run at once: of more, the recurrence's state no longer lies in the cache.  What
#: is left over is filled up, as a loop is made for one number of examples.
_SIZES = (16, 8, 4, 1)


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
            return _AttentiveNumpySession(self._manifest, self._network, runner)
        return _NumpySession(self._manifest, self._network, runner)


class _NumpySession(SingleUser):
    __slots__ = ("_manifest", "_network", "_runner", "_runners")

    def __init__(self, manifest: Manifest, network: Network, runner: Runner) -> None:
        super().__init__()
        self._manifest, self._network, self._runner = manifest, network, runner
        # By the number of examples: what is made for one number is of no use for another.
        self._runners = {1: runner}

    def infer(self, features: Floats, corpus: int) -> Floats:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._runner.run(features, corpus)

    def infer_each(self, examples: Sequence[Floats], corpus: int) -> Floats:
        logits = []
        with self._alone:
            first, n_left = 0, len(examples)
            while n_left > 0:
                n_batch = next(size for size in _SIZES if n_left > size // 2)
                part = list(examples[first : first + n_batch])
                part += part[-1:] * (n_batch - len(part))
                features = np.stack(part)
                check_inputs(self._manifest, features, corpus)
                runner = self._runners.get(n_batch)
                if runner is None:
                    runner = self._runners[n_batch] = self._network.runner()
                logits.append(runner.run(features, corpus)[:n_left])
                first, n_left = first + n_batch, n_left - n_batch
        return np.concatenate(logits)


class _AttentiveNumpySession(_NumpySession):
    __slots__ = ("_attentive",)

    def __init__(self, manifest: Manifest, network: Network, runner: AttentiveRunner) -> None:
        super().__init__(manifest, network, runner)
        self._attentive = runner

    def infer_with_attention(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        check_inputs(self._manifest, features, corpus)
        with self._alone:
            return self._attentive.run_with_attention(features, corpus)
