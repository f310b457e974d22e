"""What a large model heard in clips: a vector each, from NPZ or CSV files.

An NPZ file has ``clips`` (names) and ``embeddings`` (one row of numbers a name); a CSV file has the
column ``clip`` and any number of columns of numbers. A name is a clip's id, or the end of its
path, with the suffix or without, for example ``SAVEE/DC/a01``.
"""

from __future__ import annotations

import csv
import hashlib
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import how_many
from quantize.basics.errors import CorpusError
from quantize.basics.files import atomic_path
from quantize.data.corpora import Clip

__all__ = ["Embeddings", "read_embeddings", "write_embeddings"]

Vector = NDArray[np.float32]


class Embeddings:
    """A vector for each of many clips.

    Parameters
    ----------
    vectors : mapping of str to float32 [shape=(width,)]
        By name, all equally long.
    """

    def __init__(self, vectors: Mapping[str, Vector]) -> None:
        self._vectors = dict(vectors)
        self._longest = max((name.count("/") + 1 for name in self._vectors), default=0)

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def width(self) -> int:
        """Length of every vector."""
        return next(iter(self._vectors.values())).size

    @property
    def digest(self) -> str:
        """SHA-256 of names and numbers, in whatever order and files they came."""
        digest = hashlib.sha256()
        for name in sorted(self._vectors):
            digest.update(f"{name}\n".encode())
            digest.update(np.ascontiguousarray(self._vectors[name], dtype="<f4").tobytes())
        return digest.hexdigest()

    def find(self, clip: Clip) -> Vector | None:
        """The vector of a clip, or None: by its id, else by the longest end of its path."""
        name = self._name_of(clip)
        return None if name is None else self._vectors[name]

    def _name_of(self, clip: Clip) -> str | None:
        """What a clip is called here."""
        if clip.clip_id in self._vectors:
            return clip.clip_id
        if clip.start_s is not None:
            return None
        whole = clip.path.absolute()
        for n_parts in range(min(self._longest, len(whole.parts)), 0, -1):
            for path in (whole.with_suffix(""), whole):
                name = "/".join(path.parts[-n_parts:])
                if name in self._vectors:
                    return name
        return None

    def of(self, clips: Sequence[Clip]) -> Vector:
        """Vectors of clips, float32 [shape=(n_clips, width)].

        Raises
        ------
        CorpusError
            If some have none, or one would be that of two clips.
        """
        names = [self._name_of(clip) for clip in clips]
        missing = [c.clip_id for c, name in zip(clips, names, strict=True) if name is None]
        if missing:
            some = ", ".join(missing[:3])
            raise CorpusError(
                f"the embeddings lack {how_many(len(missing), 'clip')} of {len(clips)}, such as "
                f"{some}: a vector for every training clip is wanted, as edge-ser-quantize embed "
                "makes them of the same --data"
            )
        first: dict[str | None, str] = {}
        for clip, name in zip(clips, names, strict=True):
            other = first.setdefault(name, clip.clip_id)
            if other != clip.clip_id:
                raise CorpusError(
                    f"the embeddings have one vector, {name}, for {other} and {clip.clip_id}: "
                    "names that tell them apart are wanted, such as their ids"
                )
        return np.stack([self._vectors[name] for name in names if name is not None])


def read_embeddings(paths: Iterable[str | os.PathLike[str]]) -> Embeddings:
    """Read the vectors of all files together.

    Raises
    ------
    CorpusError
        If a file cannot be read or is no such table, holds numbers that are none, vectors of
        another length than the others, or two for one name.
    """
    vectors: dict[str, Vector] = {}
    width = None
    for path in map(Path, paths):
        names, rows = _read(path)
        if not np.isfinite(rows).all():
            raise CorpusError(f"{path} holds numbers that are not finite: make it anew")
        if width is not None and rows.shape[1] != width:
            raise CorpusError(
                f"{path} holds vectors of {rows.shape[1]} numbers, the files before it of {width}: "
                "those of one model are wanted"
            )
        width = rows.shape[1]
        for name, row in zip(names, rows, strict=True):
            if name in vectors and not np.array_equal(vectors[name], row):
                raise CorpusError(f"{path} holds a second, other vector of {name}")
            vectors[name] = row
    if not vectors:
        raise CorpusError("there are no embeddings: name a file that holds some")
    return Embeddings(vectors)


def write_embeddings(
    path: str | os.PathLike[str],
    names: Sequence[str],
    rows: NDArray[np.floating],
    more: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Write an NPZ file, whole or not at all; numbers as float16.

    Parameters
    ----------
    path : path
    names : sequence of str
    rows : float [shape=(n_clips, width)]
    more : mapping of str to array, optional
        What else the file tells; :func:`read_embeddings` passes it over.
    """
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        arrays: dict[str, Any] = {
            "clips": np.array(names),
            "embeddings": np.asarray(rows, dtype=np.float16),
            **(more or {}),
        }
        np.savez(file, **arrays)


def _read(path: Path) -> tuple[list[str], Vector]:
    try:
        names, rows = _read_csv(path) if path.suffix.lower() == ".csv" else _read_npz(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise CorpusError(
            f"{path} holds no embeddings ({reason}): an NPZ file with clips and embeddings, or a "
            "CSV file with the column clip and columns of numbers, is wanted"
        ) from error
    if rows.ndim != 2 or not rows.shape[1] or len(names) != len(rows):
        raise CorpusError(
            f"{path} names {how_many(len(names), 'clip')} and has numbers of shape "
            f"{rows.shape}: one row of numbers a clip is wanted"
        )
    return names, rows


def _read_npz(path: Path) -> tuple[list[str], Vector]:
    # NumPy leaves a file open that it cannot read.
    with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
        return [str(name) for name in file["clips"]], np.asarray(file["embeddings"], np.float32)


def _read_csv(path: Path) -> tuple[list[str], Vector]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        table = csv.reader(file)
        header = next(table, [])
        at = header.index("clip")
        names, rows = [], []
        for line in table:
            if len(line) != len(header):
                raise ValueError(f"line {table.line_num} has {how_many(len(line), 'cell')}")
            names.append(line.pop(at))
            rows.append([float(cell) for cell in line])
    return names, np.asarray(rows, dtype=np.float32)
