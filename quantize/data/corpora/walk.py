"""What lies under a folder: audio files, tables that describe them, and what is passed over."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.audio.suffixes import AUDIO_SUFFIXES, UNREADABLE_SUFFIXES

__all__ = ["FAULTS", "SUFFIXES", "Tree", "file_fault", "walk"]

#: The preferred first: WAV is read with the standard library.
SUFFIXES = (".wav", ".flac", *sorted(AUDIO_SUFFIXES - {".wav", ".flac"}))
#: Names of a table that belongs to the folder it lies in, as Hugging Face's AudioFolder has it.
_TABLES = frozenset({"metadata.csv", "metadata.jsonl", "metadata.parquet"})
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"})
_CIRCLE = "the link leads in a circle"
#: What the reasons of :func:`file_fault` begin with.
FAULTS = ("the file is", "the link", "cannot be read")


@dataclass(frozen=True, slots=True)
class Tree:
    """What a walk has seen.

    Parameters
    ----------
    root : Path
        As it was given.
    files : tuple of Path
        Audio files below `root`, in the order of their folders and names.
    folders : tuple of Path
        Every folder, `root` first.
    tables : tuple of Path
        Tables named as Hugging Face names them.
    passed_over : mapping of str to tuple of str
        Reason to the paths, below `root`, that were not looked at for it.
    """

    root: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    tables: tuple[Path, ...]
    passed_over: Mapping[str, tuple[str, ...]]


def walk(root: Path) -> Tree:
    """Look through a folder, linked folders included but each only once.

    Nothing ends it: what cannot be read, and a link that leads back to where it lies, is passed
    over with its reason.
    """
    passed: dict[str, list[str]] = {}
    files: list[Path] = []
    folders: list[Path] = []
    tables: list[Path] = []

    def skip(reason: str, path: str | Path) -> None:
        passed.setdefault(reason, []).append(_below(Path(path), root))

    def unreadable(error: OSError) -> None:
        skip(f"cannot be read: {error.strerror}", error.filename or root)

    seen: set[str] = set()
    for parent, names, found in os.walk(root, onerror=unreadable, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            # Either it leads back to a folder above it, or to one that was read by another way.
            inside = os.path.realpath(os.path.dirname(parent))
            circle = os.path.commonpath([real, inside]) == real
            skip(_CIRCLE if circle else "a link to a folder that was read already", parent)
            names.clear()
            continue
        seen.add(real)
        folders.append(Path(parent))
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(found):
            # macOS leaves "._name.wav" beside files copied to other file systems.
            if name.startswith("."):
                continue
            path, suffix = Path(parent, name), os.path.splitext(name)[1].lower()
            if suffix in SUFFIXES:
                files.append(path)
            elif name.lower() in _TABLES:
                tables.append(path)
            elif suffix in UNREADABLE_SUFFIXES:
                skip(f"{suffix} has to be converted to WAV or FLAC first", path)
            elif suffix in _ARCHIVES:
                skip("an archive has to be unpacked first", path)
            elif not suffix and path.is_symlink() and (reason := file_fault(path)):
                skip(reason, path)
    return Tree(
        root,
        tuple(files),
        tuple(folders),
        tuple(tables),
        {reason: tuple(sorted(passed[reason])) for reason in sorted(passed)},
    )


def file_fault(path: Path) -> str | None:
    """Reason why a file cannot be a clip, without reading it; None: there is none."""
    try:
        return None if path.stat().st_size else "the file is empty"
    except FileNotFoundError:
        return "the link leads nowhere" if path.is_symlink() else "the file is missing"
    except OSError as error:
        return _CIRCLE if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"


def _below(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()
