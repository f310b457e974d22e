"""Files that are whole or not there: write beside, then rename."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ParameterError, shown

__all__ = ["as_path", "atomic_path"]


def as_path(path: str | bytes | os.PathLike[str], name: str = "path") -> str:
    """Check that something names a file or a folder.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        What a caller gave.
    name : str
        What to call it in an error.

    Raises
    ------
    ParameterError
        If it is something else, or empty: that would be the current folder.
    """
    try:
        text = os.fsdecode(path)
    except (TypeError, UnicodeError) as error:
        raise ParameterError(
            f"{name} is {shown(path)}, the name of a file or folder is wanted"
        ) from error
    if not text:
        raise ParameterError(f"{name} is empty, the name of a file or folder is wanted")
    return text


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling that replaces ``path`` when the block succeeds.

    When it does not, nothing is left behind and ``path`` is as it was.
    """
    target = Path(as_path(path))
    # Not tempfile: its files are private, this one follows the umask like any other.
    temporary = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
