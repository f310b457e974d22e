"""Typed errors of the workstation side; each is an `edge.EdgeSerError`."""

from __future__ import annotations

from edge.errors import EdgeSerError

__all__ = [
    "CheckpointError",
    "CorpusError",
    "EncoderError",
    "RecipeError",
    "SplitError",
    "TrainingError",
]


class CorpusError(EdgeSerError):
    """A corpus folder is missing, empty or laid out in no known way."""


class SplitError(EdgeSerError):
    """A split leaks from training to test, is empty or does not fit the clips."""


class CheckpointError(EdgeSerError):
    """A checkpoint is missing, damaged or of another architecture."""


class TrainingError(EdgeSerError):
    """A training cannot start or go on."""


class RecipeError(EdgeSerError):
    """A recipe is not known, or holds a key or a value that is not."""


class EncoderError(EdgeSerError):
    """A large model's folder is missing, damaged or of another model."""
