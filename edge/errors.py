"""Typed errors of edge-ser.

Every message is one sentence a person can act on: what was wrong, what was
got, what is wanted and, where there is one, the mend.
"""

from __future__ import annotations

import re

__all__ = [
    "ArtifactError",
    "AudioDeviceError",
    "AudioFileError",
    "BackendError",
    "EdgeSerError",
    "HistoryError",
    "MissingDependencyError",
    "ParameterError",
    "SinkError",
    "WorkerError",
    "how_many",
    "printable",
    "shown",
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
    """An optional package is needed; the message names it, and how to install it."""


class SinkError(EdgeSerError):
    """The last sink that was left failed."""


class HistoryError(EdgeSerError):
    """A history is missing, damaged, of a newer version, or no history at all."""


class WorkerError(EdgeSerError):
    """A process or a cluster that shares the work was lost, or cannot be reached."""


def how_many(n: int, thing: str) -> str:
    """Count something in a sentence: "1 byte", "2 bytes"."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def printable(text: str) -> str:
    r"""Spell out what a terminal would obey instead of showing.

    Parameters
    ----------
    text : str
        Of a stranger: a file's name, an artifact's label, a device.

    Returns
    -------
    str
        With ``\x1b`` and the like for control characters, line ends, the marks that turn the
        direction of writing, and halves of characters.
    """
    return _OBEYED.sub(_spelt, text)


def shown(value: object, n_letters: int = 60) -> str:
    """Write a value that was refused, in one line and not too long.

    Parameters
    ----------
    value : object
        Whatever a caller gave; one that cannot be written is named by its type.
    n_letters : int
        Most letters of the result.
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:
        # A number of 5000 digits, a list that is nested too deeply, or whatever a class does.
        text = f"one {type(value).__name__}"
    return text if len(text) <= n_letters else f"{text[: n_letters - 3]}..."


#: C0, DEL and C1; line and paragraph separator; marks of direction; surrogates.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
