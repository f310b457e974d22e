"""Files of feature rows: some hundred clips each, written once, checked whenever they are read.

A part is a safetensors file.  Each tensor is the rows of one clip, named by its key (64 hexadecimal
digits), and ``__metadata__`` holds the format's name and a checksum of every tensor under its
key.  It is written to a temporary name, then renamed to one that nobody else takes, and never
changed: whoever fills the same folder at the same time adds parts of his own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.basics.files import atomic_path
from quantize.basics.json_files import parse_json

__all__ = ["Damage", "Entry", "read_entries", "remove_leftovers", "scan", "write_part"]

FORMAT = "edge-ser feature rows, 1"

_SUFFIX = ".rows"
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LARGEST_HEADER_BYTES = 1 << 24


class _DamagedError(Exception):
    """A part does not hold what was written."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Where the rows of a key lie in a part, in bytes, and what they must be."""

    path: Path
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    checksum: str


@dataclasses.dataclass
class Damage:
    """Parts that were found damaged, and removed."""

    paths: set[Path] = dataclasses.field(default_factory=set)

    def found(self, path: Path) -> None:
        """Note a part and remove it: its clips count as never computed."""
        self.paths.add(path)
        with contextlib.suppress(OSError):
            path.unlink()


def write_part(folder: Path, rows: Mapping[str, NDArray[np.floating]]) -> None:
    """Write a part, whole or not at all.

    Parameters
    ----------
    folder : path
    rows : mapping of str to float32 or float16 [shape=(n_frames, n_features)]
        By key.

    Raises
    ------
    OSError
        If the folder takes no file or the disk is full.
    """
    stored = {
        key: np.ascontiguousarray(one, dtype=one.dtype.newbyteorder("<"))
        for key, one in rows.items()
    }
    checksums = {key: _checksum(key, one.dtype, one.shape, one) for key, one in stored.items()}
    header: dict[str, Any] = {"__metadata__": {"format": FORMAT, **checksums}}
    end = 0
    for key, one in stored.items():
        start, end = end, end + one.nbytes
        header[key] = {
            "dtype": _NAMES[one.dtype],
            "shape": list(one.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = folder / f"{os.urandom(8).hex()}{_SUFFIX}"
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for one in stored.values():
            file.write(one.data)


def scan(folder: Path, damage: Damage) -> dict[str, Entry]:
    """Look at what the parts of a folder hold.

    Parameters
    ----------
    folder : path
        May be missing.
    damage : Damage
        Is told of parts that are cut off or no such file.

    Returns
    -------
    dict of str to Entry
        By key.
    """
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            entries.update(_part_entries(path))
        except _DamagedError:
            damage.found(path)
        except OSError:
            # Somebody else removed it just now, or may read it alone.
            continue
    return entries


def read_entries(
    wanted: Mapping[str, Entry], damage: Damage
) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Read rows in the order in which they lie.

    Parameters
    ----------
    wanted : mapping of str to Entry
        Of :func:`scan`.
    damage : Damage
        Is told of parts whose bytes are others than were written.

    Yields
    ------
    key, rows : str, float32 or float16 [shape=(n_frames, n_features)]
        A key whose part was damaged or has gone is left out.
    """
    ordered = sorted(wanted.items(), key=lambda item: (item[1].path, item[1].start))
    for path, of_one in itertools.groupby(ordered, key=lambda item: item[1].path):
        try:
            # Not mapped into memory: a file that is cut off meanwhile would end the process.
            with open(path, "rb") as file:
                for key, entry in of_one:
                    file.seek(entry.start)
                    rows = np.empty(entry.shape, entry.dtype)
                    n_read = file.readinto(rows.data.cast("B"))
                    whole = n_read == rows.nbytes
                    if not whole or _checksum(key, rows.dtype, rows.shape, rows) != entry.checksum:
                        raise _DamagedError
                    yield key, rows
        except _DamagedError:
            damage.found(path)
        except OSError:
            continue


def remove_leftovers(folder: Path) -> None:
    """Remove what writers left behind that were killed; nobody may be writing in the folder."""
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            path.unlink()


def _part_entries(path: Path) -> Iterable[tuple[str, Entry]]:
    with open(path, "rb") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        head = file.read(8)
        n_header = struct.unpack("<Q", head)[0] if len(head) == 8 else n_bytes
        if n_header > min(n_bytes - 8, _LARGEST_HEADER_BYTES):
            raise _DamagedError
        text = file.read(n_header)
    entries = []
    end = 0
    try:
        header = parse_json(text)
        checksums = header.pop("__metadata__")
        if checksums["format"] != FORMAT:
            raise _DamagedError
        for key, one in header.items():
            dtype = _DTYPES[one["dtype"]]
            n_frames, n_features = one["shape"]
            start, end = one["data_offsets"]
            if end - start != n_frames * n_features * dtype.itemsize or min(start, n_frames) < 0:
                raise _DamagedError
            at = 8 + n_header + start
            if at + end - start > n_bytes:
                raise _DamagedError
            entries.append((key, Entry(path, at, dtype, (n_frames, n_features), checksums[key])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _DamagedError from error
    if 8 + n_header + end != n_bytes:
        raise _DamagedError
    return entries


def _checksum(
    key: str, dtype: np.dtype[Any], shape: tuple[int, ...], rows: NDArray[np.floating]
) -> str:
    # With the key, so that no flipped digit of it makes the rows another clip's.
    digest = hashlib.blake2b(f"{key} {dtype.str} {shape}".encode(), digest_size=16)
    digest.update(rows.data)
    return digest.hexdigest()
