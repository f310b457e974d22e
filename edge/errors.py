"""Typed errors of edge-ser.

Every message is one sentence a person can act on: what was wrong, what was
got, what is wanted and, where there is one, the mend.
"""

from __future__ import annotations

__all__ = [
    "ArtifactError",
    "AudioDeviceError",
    "AudioFileError",
    "BackendError",
    "EdgeSerError",
    "MissingDependencyError",
    "ParameterError",
]


class EdgeSerError(Exception):
    """Base of every error that edge-ser raises on purpose."""


class ParameterError(EdgeSerError, ValueError):
    """A parameter or an array has a value that cannot be used."""


class AudioFileError(EdgeSerError):
    """An audio file is missing, empty, truncated or not audio at all."""


class AudioDeviceError(EdgeSerError):
    """No input device, PortAudio missing, or the device refused to open."""


class ArtifactError(EdgeSerError):
    """An artifact folder is missing, incomplete, tampered with or unknown."""


class BackendError(EdgeSerError):
    """A model runtime could not load or run the model."""


class MissingDependencyError(EdgeSerError):
    """An optional package is needed; the message names the extra to install."""
