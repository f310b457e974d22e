"""JSON that a command wrote and a person may have changed, cut off or put in another's place."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from edge.errors import EdgeSerError, printable
from edge.files import read_file
from quantize.basics.errors import TrainingError

__all__ = ["read_json_file"]

# A report of every fold with every speaker has less than 1 MB.
_MAX_BYTES = 64_000_000

Content = TypeVar("Content")


def read_json_file(
    path: Path,
    content: type[Content],
    what: str,
    mend: str,
    error: type[EdgeSerError] = TrainingError,
) -> Content:
    """Read a JSON file into typed content.

    Parameters
    ----------
    path : path
    content : type
        What it must hold: a ``msgspec.Struct``, or ``dict``.
    what, mend : str
        What the file should be, and what writes it, for the message.
    error : type
        What is raised.

    Raises
    ------
    EdgeSerError
        ``error``, if it is missing, no regular file, larger than 64 MB, no JSON, nested without
        end, or holds something else.
    """
    try:
        text = read_file(path, _MAX_BYTES)
        if len(text) > _MAX_BYTES:
            raise ValueError(f"it has more than {_MAX_BYTES // 1_000_000} MB")
        return msgspec.json.decode(text, type=content)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise error(
            f"{printable(str(path))} is no {what} ({printable(str(reason))}): {mend}"
        ) from cause
