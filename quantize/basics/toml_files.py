"""TOML of recipes: those that lie in this package, and a person's own files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from edge.errors import printable
from quantize.basics.errors import RecipeError

__all__ = ["name_of_file", "packaged_names", "packaged_text", "parse_toml", "read_own_file"]

# Ours have 1 kB.  The parser's time grows with the square of the brackets in a row.
_MAX_BYTES = 32_768


def packaged_names(room: str) -> list[str]:
    """Names, without ``.toml``, of the recipes of a room: ``training`` or ``export``."""
    folder = resources.files("quantize").joinpath(room, "recipes")
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def packaged_text(room: str, name: str) -> str:
    """Text of one of :func:`packaged_names`."""
    path = resources.files("quantize").joinpath(room, "recipes", f"{name}.toml")
    return path.read_text(encoding="utf-8")


def read_own_file(name: str, packaged: Iterable[str]) -> str:
    """Text of a person's recipe; ``packaged`` are the names that would have done as well.

    Raises
    ------
    RecipeError
        If the name does not end in ``.toml``, or the file cannot be read.
    """
    path = Path(name)
    if path.suffix != ".toml":
        raise RecipeError(
            f"recipe is {name!r}, one of {', '.join(packaged)} or a file that ends in .toml is "
            "wanted"
        )
    try:
        return _read(path).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecipeError(f"recipe {printable(name)} cannot be read: {reason}") from error


def _read(path: Path) -> bytes:
    """Content of a small regular file; a pipe would wait for somebody to write."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name holds a NUL")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {_MAX_BYTES} bytes")
    return content


def parse_toml(name: str, text: str) -> dict[str, Any]:
    """Keys and values of a recipe.

    Raises
    ------
    RecipeError
        If the text is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError is a ValueError; so is a number of 5000 digits. Brackets nest too deeply.
        raise RecipeError(f"recipe {name} is no TOML: {error}") from error


def name_of_file(path: str, text: str) -> str:
    """What a person's recipe is called in a run and in an artifact.

    A file may bear the name of a recipe of this package and hold other settings: its ending and
    the beginning of its SHA-256 tell them apart.
    """
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{Path(path).name}@{digest[:12]}"
