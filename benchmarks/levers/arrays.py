"""Named arrays in one file: written whole or not at all, and refused in one sentence."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.basics.files import atomic_path

__all__ = ["reading", "write_arrays"]


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a NumPy archive, by their names."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


@contextlib.contextmanager
def reading(path: Path, what: str, mend: str) -> Iterator[dict[str, NDArray[Any]]]:
    """Give the arrays of a file to what makes something of them.

    Parameters
    ----------
    path : path
    what : str
        What the file should hold.
    mend : str
        Arguments of ``python -m benchmarks.levers`` that make one.

    Raises
    ------
    ParameterError
        If it is no such file, or nothing can be made of it.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        yield arrays
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ParameterError(
            f"{path} holds no {what} ({error}): make it with python -m benchmarks.levers {mend}"
        ) from error
