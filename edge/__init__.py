"""edge-ser on the device: name the emotion in speech with NumPy alone.

>>> import edge
>>> edge.FeatureSpec().n_features
34

What is named below is the public interface, see ``docs/api.md``; everything else may move from one
version to the next.  The names are imported when they are first used: ``import edge`` is free, and
the command line can still set the number of BLAS threads before NumPy starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge import errors as errors
    from edge import sinks as sinks
    from edge import sources as sources
    from edge.audio.microphone import Microphone as Microphone
    from edge.errors import ArtifactError as ArtifactError
    from edge.errors import AudioDeviceError as AudioDeviceError
    from edge.errors import AudioFileError as AudioFileError
    from edge.errors import BackendError as BackendError
    from edge.errors import EdgeSerError as EdgeSerError
    from edge.errors import MissingDependencyError as MissingDependencyError
    from edge.errors import ParameterError as ParameterError
    from edge.errors import SinkError as SinkError
    from edge.features import FeatureExtractor as FeatureExtractor
    from edge.features.spec import FeatureSpec as FeatureSpec
    from edge.pipeline import Summary as Summary
    from edge.pipeline import listen as listen
    from edge.sources.base import Block as Block
    from edge.sources.base import Gap as Gap
    from edge.sources.base import Stop as Stop
    from edge.stream.classifier import Classifier as Classifier
    from edge.stream.decision import Decision as Decision
    from edge.stream.decision import Timing as Timing
    from edge.stream.events import Event as Event
    from edge.stream.events import EventSettings as EventSettings
    from edge.stream.file_answer import FileAnswer as FileAnswer
    from edge.stream.group import StreamGroup as StreamGroup
    from edge.stream.loading import classify_file as classify_file
    from edge.stream.loading import load as load
    from edge.stream.smoothing import SmootherSettings as SmootherSettings
    from edge.stream.speech_gate import GateSettings as GateSettings
    from edge.stream.status import Status as Status
    from edge.stream.stream import Stream as Stream

#: By this line `edge_ser` knows the package from another of its name.
__distribution__ = "edge-ser"
__version__ = "0.1.0"

_HOME = {
    "ArtifactError": "edge.errors",
    "AudioDeviceError": "edge.errors",
    "AudioFileError": "edge.errors",
    "BackendError": "edge.errors",
    "Block": "edge.sources.base",
    "Classifier": "edge.stream.classifier",
    "Decision": "edge.stream.decision",
    "EdgeSerError": "edge.errors",
    "Event": "edge.stream.events",
    "EventSettings": "edge.stream.events",
    "FeatureExtractor": "edge.features",
    "FeatureSpec": "edge.features.spec",
    "FileAnswer": "edge.stream.file_answer",
    "Gap": "edge.sources.base",
    "GateSettings": "edge.stream.speech_gate",
    "Microphone": "edge.audio.microphone",
    "MissingDependencyError": "edge.errors",
    "ParameterError": "edge.errors",
    "SinkError": "edge.errors",
    "SmootherSettings": "edge.stream.smoothing",
    "Status": "edge.stream.status",
    "Stop": "edge.sources.base",
    "Stream": "edge.stream.stream",
    "StreamGroup": "edge.stream.group",
    "Summary": "edge.pipeline",
    "Timing": "edge.stream.decision",
    "classify_file": "edge.stream.loading",
    "listen": "edge.pipeline",
    "load": "edge.stream.loading",
}

#: Modules, each under its own name.
_ROOMS = ("errors", "sinks", "sources")

# Spelt out for type checkers; a test holds it against what is above.
__all__ = [
    "ArtifactError",
    "AudioDeviceError",
    "AudioFileError",
    "BackendError",
    "Block",
    "Classifier",
    "Decision",
    "EdgeSerError",
    "Event",
    "EventSettings",
    "FeatureExtractor",
    "FeatureSpec",
    "FileAnswer",
    "Gap",
    "GateSettings",
    "Microphone",
    "MissingDependencyError",
    "ParameterError",
    "SinkError",
    "SmootherSettings",
    "Status",
    "Stop",
    "Stream",
    "StreamGroup",
    "Summary",
    "Timing",
    "__version__",
    "classify_file",
    "errors",
    "listen",
    "load",
    "sinks",
    "sources",
]


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any misspelt name for one that it gives.

    def __getattr__(name: str) -> object:
        if name in _ROOMS:
            return importlib.import_module(f"{__name__}.{name}")
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_ROOMS})
