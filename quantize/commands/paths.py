"""Files that a command writes when its work is done: told before it whether they can be."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edge.errors import ParameterError

__all__ = ["check_file_to_write", "file_to_write"]


def check_file_to_write(path: Path, name: str) -> None:
    """Refuse where no file can be written; folders above it that are missing will be made.

    A disk may still be full when the time has come.

    Parameters
    ----------
    path : Path
    name : str
        What it is, to begin the message with.

    Raises
    ------
    ParameterError
        If it is a folder, or lies in none that takes files.
    """
    if path.is_dir():
        raise ParameterError(f"{name} is {str(path)!r}, a folder: the name of a file is wanted")
    folder = next(above for above in path.absolute().parents if above.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ParameterError(
            f"{name} is {str(path)!r}, and {str(folder)!r} is no folder that takes files: another "
            "place is wanted"
        )


def file_to_write(text: str) -> Path:
    """Read an option's path, see :func:`check_file_to_write`."""
    path = Path(text)
    try:
        check_file_to_write(path, "it")
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path
