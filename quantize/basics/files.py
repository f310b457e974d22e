"""Files that are whole or not there: write beside, then rename."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import edge.files

__all__ = ["atomic_path", "write_json"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """As :func:`edge.files.atomic_path`, making the folder first where it is missing."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        with edge.files.atomic_path(path) as temporary:
            yield temporary
    except OSError as error:
        # A full disk does not say which file was to lie on it.
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write indented JSON with a final newline, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
