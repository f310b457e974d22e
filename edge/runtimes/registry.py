"""Runtimes by name: another one is a module and one row here.

Imports no other room of edge-ser, so that the manifest can ask which runtimes there are.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from edge.errors import MissingDependencyError

if TYPE_CHECKING:
    from edge.artifact import Manifest
    from edge.runtimes.base import Model

__all__ = ["AUTO", "RUNTIMES", "Loader", "Runtime", "known_runtimes"]

#: The name that stands for whichever is best.
AUTO = "auto"

Loader = Callable[["Manifest", bytes], "Model"]


@dataclasses.dataclass(frozen=True, slots=True)
class Runtime:
    """A row of the registry.

    Parameters
    ----------
    name : str
        ``backend`` of a manifest, and what ``--backend`` takes.
    suffix : str
        Of the model file: what is opened by this runtime is called ``model`` and this.
    packages : tuple of str
        Names to import, of which one is needed.
    install : str
        What to ask pip for.
    load : callable
        Manifest and content of the model file to a :class:`~edge.runtimes.base.Model`; imports
        the runtime.
    is_program : bool
        The file is a program and runs only when it is asked for by name.
    prepare : callable
        Imports the runtime and does nothing else.
    """

    name: str
    suffix: str
    packages: tuple[str, ...]
    install: str
    load: Loader
    is_program: bool = False
    prepare: Callable[[], object] = lambda: None

    @property
    def model_file(self) -> str:
        """Name of the model file in an artifact's folder."""
        return f"model{self.suffix}"

    @property
    def is_installed(self) -> bool:
        """Whether one of the packages can be found; none is imported."""
        for package in self.packages:
            try:
                if importlib.util.find_spec(package) is not None:
                    return True
            except (ImportError, ValueError):
                # An import hook refuses it, or it was set to None in sys.modules.
                continue
        return False

    def missing(self) -> MissingDependencyError:
        """Say which package is not there, and how to get it."""
        return MissingDependencyError(
            f"backend {self.name!r} needs {' or '.join(self.packages)}, which is not installed; "
            f"install it with: pip install {self.install}"
        )


def known_runtimes() -> str:
    """Name all runtimes, for a sentence."""
    return ", ".join(RUNTIMES)


def _model(module: str, name: str) -> Loader:
    def load(manifest: Manifest, content: bytes) -> Model:
        return cast("Loader", getattr(importlib.import_module(module), name))(manifest, content)

    return load


def _prepare(module: str, name: str) -> Callable[[], object]:
    def prepare() -> object:
        return cast("Callable[[], object]", getattr(importlib.import_module(module), name))()

    return prepare


_ROWS = (
    Runtime(
        name="numpy",
        suffix=".npz",
        packages=("numpy",),
        install="numpy",
        load=_model("edge.runtimes.numpy.model", "NumpyModel"),
    ),
    Runtime(
        name="onnx",
        suffix=".onnx",
        packages=("onnxruntime",),
        install="onnxruntime",
        load=_model("edge.runtimes.onnx", "OnnxModel"),
        prepare=_prepare("edge.runtimes.onnx", "import_onnxruntime"),
    ),
    Runtime(
        name="tflite",
        suffix=".tflite",
        packages=("ai_edge_litert", "tflite_runtime"),
        install="ai-edge-litert",
        load=_model("edge.runtimes.tflite", "TfliteModel"),
        prepare=_prepare("edge.runtimes.tflite", "find_runtime"),
    ),
    Runtime(
        name="torchscript",
        suffix=".pt",
        packages=("torch",),
        install="torch",
        load=_model("edge.runtimes.torchscript", "TorchScriptModel"),
        is_program=True,
        prepare=_prepare("edge.runtimes.torchscript", "import_torch"),
    ),
)

#: Every runtime, by name; NumPy, which is always there, first.
RUNTIMES: dict[str, Runtime] = {row.name: row for row in _ROWS}
