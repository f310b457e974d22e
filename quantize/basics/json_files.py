"""JSON that a command wrote and a person may have changed, cut off or put in another's place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from edge.errors import EdgeSerError, printable
from edge.files import read_file
from quantize.basics.errors import TrainingError

__all__ = ["load_json", "parse_json", "read_json_file"]

# A report of every fold with every speaker has less than 1 MB, a split of 100,000 clips 10.
_MAX_BYTES = 64_000_000

Content = TypeVar("Content")


def parse_json(text: str | bytes, *, allow_nan: bool = True) -> Any:
    """Read JSON that anybody may have written.

    Parameters
    ----------
    text : str or bytes
    allow_nan : bool
        Whether NaN and infinity, which Python writes and JSON has not, are numbers.

    Raises
    ------
    ValueError
        If it is none, or nests so deeply that nobody could have meant it.
    """
    try:
        return json.loads(text, parse_constant=None if allow_nan else _refuse)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def load_json(path: str | os.PathLike[str], *, allow_nan: bool = True) -> Any:
    """Read a JSON file, see :func:`parse_json`.

    Raises
    ------
    OSError
        If it is missing, or no regular file: a pipe would be waited for without end.
    ValueError
        If it is no JSON, nests too deeply, or has more than 64 MB.
    """
    text = read_file(path, _MAX_BYTES)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES // 1_000_000} MB")
    return parse_json(text, allow_nan=allow_nan)


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
        ``error``, if it cannot be read, see :func:`load_json`, or holds something else.
    """
    try:
        return msgspec.convert(load_json(path, allow_nan=False), content)
    except (OSError, ValueError, msgspec.MsgspecError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise error(
            f"{printable(str(path))} is no {what} ({printable(str(reason))}): {mend}"
        ) from cause


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
