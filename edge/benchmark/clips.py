"""Clips of the user's: which there are, and what a table or their folders say of them."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from edge.audio.find import find_audio_files
from edge.digest import sha256_hex, sha256_of_file
from edge.errors import ParameterError, how_many, shown
from edge.files import read_file

__all__ = ["TABLE", "Clip", "Clips", "read_clips"]

#: The table that may lie in the folder, and its columns; those of the workstation's tables.
TABLE = "labels.csv"
_PATH_COLUMNS = ("path", "file_name")
_WORD_COLUMNS = ("label", "emotion")
_MAX_TABLE_BYTES = 64_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A file, and the words that may be its label, the likeliest first."""

    path: Path
    words: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Clips:
    """The clips of a folder.

    Parameters
    ----------
    clips : tuple of Clip
    truth : {"labels.csv", "folders"}
        Where their words are from.
    """

    clips: tuple[Clip, ...]
    truth: str

    def digest(self) -> str:
        """SHA-256 of the contents, whatever their names: the same figure is of the same clips."""
        digests = sorted(_digest(clip.path) for clip in self.clips)
        return sha256_hex("".join(digests).encode())


def read_clips(folder: str | os.PathLike[str]) -> Clips:
    """Find the clips of a folder.

    Parameters
    ----------
    folder : path
        With a ``labels.csv`` of the columns ``path`` (or ``file_name``), relative to it, and
        ``label`` (or ``emotion``); without one, every audio file below it, labelled by the
        folders that it lies in: ``LABEL/FILE``, ``SPEAKER/LABEL/FILE`` or ``LABEL/SPEAKER/FILE``.

    Raises
    ------
    ParameterError
        If it is no folder, or its table cannot be used.
    AudioFileError
        If it holds no audio file.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ParameterError(
            f"--audio is {str(folder)!r}, which is no folder: a folder of clips is wanted"
        )
    table = root / TABLE
    if table.exists():
        return Clips(tuple(_listed(table)), TABLE)
    files = find_audio_files([root])
    clips = (Clip(file, tuple(reversed(file.relative_to(root).parent.parts))) for file in files)
    return Clips(tuple(clips), "folders")


def _listed(table: Path) -> Iterator[Clip]:
    try:
        text = read_file(table, _MAX_TABLE_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise ParameterError(f"{table} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{table} is no UTF-8 text: save it as CSV in UTF-8") from error
    first, _, _ = text.partition("\n")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    path = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    word = next((columns[name] for name in _WORD_COLUMNS if name in columns), None)
    if path is None or word is None:
        raise ParameterError(
            f"{table} has the columns {', '.join(map(shown, columns)) or 'none'}: path and label "
            "are wanted"
        )
    missing: list[Path] = []
    seen: set[Path] = set()
    for row in reader:
        name, label = (row[path] or "").strip(), (row[word] or "").strip()
        if not name:
            continue
        file = table.parent / name.replace("\\", "/")
        if file in seen:
            raise ParameterError(
                f"{table} names {shown(name)} twice: a row for each clip is wanted"
            )
        seen.add(file)
        if file.is_file():
            yield Clip(file, (label,) if label else ())
        else:
            missing.append(file)
    if missing:
        raise ParameterError(
            f"{table} names {how_many(len(missing), 'file')} not to be found, such as "
            f"{shown(str(missing[0]))}: paths relative to the table's folder are wanted"
        )
    if not seen:
        raise ParameterError(f"{table} names no clip: one row a clip is wanted")


def _digest(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError:
        return sha256_hex(b"")  # Hearing it says what is wrong.
