"""Files that are whole or not there: write beside, then rename."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_path"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling that replaces ``path`` when the block succeeds.

    When it does not, nothing is left behind and ``path`` is as it was.
    """
    target = Path(path)
    # Not tempfile: its files are private, this one follows the umask like any other.
    temporary = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
