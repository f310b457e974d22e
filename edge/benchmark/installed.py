"""How much is installed: bytes of every package that a runtime needs, as unpacked."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import edge
from edge.runtimes.registry import RUNTIMES

__all__ = ["installed_bytes"]

#: What every device has.
_BASE = ("numpy", "sounddevice")

_OURS = "edge-ser"


def installed_bytes(backend: str) -> dict[str, int]:
    """Add up the files of this program and of all that a runtime brings with it.

    Parameters
    ----------
    backend : str

    Returns
    -------
    dict of str to int
        By package, this one first.  Bytecode that Python makes of them is left out, and so is
        what is not installed: a device without a microphone needs no sounddevice.
    """
    root = Path(edge.__file__).parent
    sizes = {_OURS: _folder_bytes(root) + _folder_bytes(root.parent / "edge_ser")}
    for module in (*_BASE, *RUNTIMES[backend].packages):
        for name, size in _with_what_it_needs(module):
            sizes.setdefault(name, size)
    return sizes


@functools.cache
def _with_what_it_needs(module: str) -> tuple[tuple[str, int], ...]:
    """A package and those it requires, those that are here; nothing is installed meanwhile."""
    return tuple(_weighed(module))


def _weighed(module: str) -> Iterator[tuple[str, int]]:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        return
    names = _distributions_of(module)
    if not names:
        # A system's own package, or one that was copied here.
        folders = found.submodule_search_locations or []
        yield module, sum(_folder_bytes(Path(folder)) for folder in folders)
    seen: set[str] = set()
    while names:
        name = names.pop()
        if _bare(name) in seen:
            continue
        seen.add(_bare(name))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        yield _bare(distribution.metadata["Name"] or name), _files_bytes(distribution)
        for requirement in distribution.requires or []:
            if "extra ==" not in requirement:
                names.append(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def _distributions_of(module: str) -> list[str]:
    return list(dict.fromkeys(_providers().get(module, ())))


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    """Which distributions each module is of: reads the list of files of every one of them."""
    return importlib.metadata.packages_distributions()


def _bare(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files_bytes(distribution: importlib.metadata.Distribution) -> int:
    paths = (Path(str(distribution.locate_file(file))) for file in distribution.files or ())
    return sum(map(_size, paths))


def _folder_bytes(folder: Path) -> int:
    return sum(map(_size, folder.rglob("*")))


def _size(path: Path) -> int:
    if path.suffix == ".pyc":
        return 0
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
