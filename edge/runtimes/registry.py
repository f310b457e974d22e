"""Runtimes by name: another one is a module and one row here.

Imports no other module of edge-ser, so that the manifest can ask which runtimes there are.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

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
    """

    name: str
    suffix: str
    packages: tuple[str, ...]
    install: str
    load: Loader
    is_program: bool = False

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


def known_runtimes() -> str:
    """Name all runtimes, for a sentence."""
    return ", ".join(RUNTIMES)


def _of(module: str, model: str) -> Loader:
    def load(manifest: Manifest, content: bytes) -> Model:
        return cast("Loader", getattr(importlib.import_module(module), model))(manifest, content)

    return load


_ROWS = (
    Runtime("numpy", ".npz", ("numpy",), "numpy", _of("edge.runtimes.numpy.model", "NumpyModel")),
    Runtime(
        "onnx", ".onnx", ("onnxruntime",), "onnxruntime", _of("edge.runtimes.onnx", "OnnxModel")
    ),
    Runtime(
        "tflite",
        ".tflite",
        ("ai_edge_litert", "tflite_runtime"),
        "ai-edge-litert",
        _of("edge.runtimes.tflite", "TfliteModel"),
    ),
    Runtime(
        "torchscript",
        ".pt",
        ("torch",),
        "torch",
        _of("edge.runtimes.torchscript", "TorchScriptModel"),
        is_program=True,
    ),
)

#: Every runtime, by name; NumPy, which is always there, first.
RUNTIMES: dict[str, Runtime] = {row.name: row for row in _ROWS}
