"""edge-ser on the device: name the emotion in speech with NumPy alone.

>>> import edge
>>> edge.FeatureSpec().n_features
34

The names below are imported when they are first used: ``import edge`` is free, and
the command line can still set the number of BLAS threads before NumPy starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.errors import ArtifactError as ArtifactError
    from edge.errors import AudioDeviceError as AudioDeviceError
    from edge.errors import AudioFileError as AudioFileError
    from edge.errors import BackendError as BackendError
    from edge.errors import EdgeSerError as EdgeSerError
    from edge.errors import MissingDependencyError as MissingDependencyError
    from edge.errors import ParameterError as ParameterError
    from edge.features import FeatureExtractor as FeatureExtractor
    from edge.features.spec import FeatureSpec as FeatureSpec
    from edge.stream.classifier import Classifier as Classifier
    from edge.stream.decision import Decision as Decision
    from edge.stream.file_answer import FileAnswer as FileAnswer
    from edge.stream.loading import classify_file as classify_file
    from edge.stream.loading import load as load

#: By this line `edge_ser` knows the package from another of its name.
__distribution__ = "edge-ser"
__version__ = "0.1.0"

_HOME = {
    "ArtifactError": "edge.errors",
    "AudioDeviceError": "edge.errors",
    "AudioFileError": "edge.errors",
    "BackendError": "edge.errors",
    "Classifier": "edge.stream.classifier",
    "Decision": "edge.stream.decision",
    "EdgeSerError": "edge.errors",
    "FeatureExtractor": "edge.features",
    "FeatureSpec": "edge.features.spec",
    "FileAnswer": "edge.stream.file_answer",
    "MissingDependencyError": "edge.errors",
    "ParameterError": "edge.errors",
    "classify_file": "edge.stream.loading",
    "load": "edge.stream.loading",
}

# Spelt out for type checkers; a test holds it against the table above.
__all__ = [
    "ArtifactError",
    "AudioDeviceError",
    "AudioFileError",
    "BackendError",
    "Classifier",
    "Decision",
    "EdgeSerError",
    "FeatureExtractor",
    "FeatureSpec",
    "FileAnswer",
    "MissingDependencyError",
    "ParameterError",
    "__version__",
    "classify_file",
    "load",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
