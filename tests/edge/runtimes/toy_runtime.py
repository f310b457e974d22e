"""Another runtime in one module: it runs NumPy's archives under another name."""

from __future__ import annotations

from edge.artifact import Manifest
from edge.runtimes.base import Session
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.registry import Runtime


class ToyModel:
    name = "toy"

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self._model = NumpyModel(manifest, content)

    def session(self) -> Session:
        return self._model.session()


TOY = Runtime(name="toy", suffix=".toy", packages=("numpy",), install="toy", load=ToyModel)
