"""Rounded feature rows of all clips and the folds' divisions, in one file that a GPU can hold.

Rows are rounded to seven bits between two percentiles, but for the level and the pitch, which have
eleven: an 8 bit float of them would be heard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.levers.arrays import reading, write_arrays

__all__ = [
    "FineRows",
    "Fold",
    "Names",
    "Packed",
    "Rows",
    "read_packed",
    "rounded",
    "write_packed",
]

#: Columns that are rounded finely, and their largest values: a linear level, Hz.
FINE: Mapping[str, float] = {"rms": 1.3, "pitch_hz": 1000.0}

Rows = NDArray[np.uint8]
FineRows = NDArray[np.uint16]

_PERCENTILES = (0.05, 99.95)


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of the clips.

    Parameters
    ----------
    train, test : int64 [shape=(n,)]
        Numbers of clips; ``test`` are those that validate.
    mean, std, centre : float32 [shape=(n_features,)]
        Normalisation, and where voices are moved to, of the training clips.
    logits : float16 [shape=(n_train, n_labels)]
        What a large model says of each training clip, fitted without it.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    centre: NDArray[np.float32]
    logits: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Names:
    """What numbers stand for."""

    clips: Sequence[str]
    corpora: Sequence[str]
    speakers: Sequence[str]
    labels: Sequence[str]
    features: Sequence[str]


@dataclass(frozen=True, slots=True)
class Packed:
    """What trainings side by side are made from.

    Parameters
    ----------
    names : Names
    rows : list of uint8 [shape=(n_frames, n_features - 2)]
        By variant: the clips themselves, those in rooms, lines and noise, changed voices.
    fine_rows : list of uint16 [shape=(n_frames, 2)]
        Level and pitch.
    low, high : float32 [shape=(n_features - 2,)]
        What 0 and the most stand for.
    starts, lengths : int [shape=(n_variants, n_clips)]
        Where the speech of each clip lies, for training.
    whole_starts, whole_lengths : int [shape=(n_clips,)]
        Where all of a clip that is scored lies in variant 0; no frame of others.
    totals : float32 [shape=(n_clips, n_variants, 2, n_features)]
        See :func:`quantize.data.features.voices.voice_totals`.
    corpus, label, speaker, session : int64 [shape=(n_clips,)]
    calm : bool [shape=(n_clips,)]
    folds : dict of int to Fold
    """

    names: Names
    rows: list[Rows]
    fine_rows: list[FineRows]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    whole_starts: NDArray[np.int64]
    whole_lengths: NDArray[np.int64]
    totals: NDArray[np.float32]
    corpus: NDArray[np.int64]
    label: NDArray[np.int64]
    speaker: NDArray[np.int64]
    session: NDArray[np.int64]
    calm: NDArray[np.bool_]
    folds: dict[int, Fold]

    @property
    def n_clips(self) -> int:
        """All of them, scored or not."""
        return len(self.label)

    @property
    def coarse(self) -> list[int]:
        """Columns that are rounded to seven bits, in order."""
        return [i for i, name in enumerate(self.names.features) if name not in FINE]

    @property
    def order(self) -> list[int]:
        """Where each feature stands among the coarse columns and the fine ones after them."""
        stored = [*self.coarse, *(self.names.features.index(name) for name in FINE)]
        return [stored.index(i) for i in range(len(stored))]


def bounds(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Between what coarse rows are rounded: percentiles of every column, (n_columns,) each."""
    low, high = np.percentile(rows, _PERCENTILES, axis=0).astype(np.float32)
    # A column that never changes is one step wide.
    return low, np.where(high > low, high, low + 1).astype(np.float32)


def rounded(
    rows: NDArray[np.float32],
    features: Sequence[str],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> tuple[Rows, FineRows]:
    """Round rows (n_frames, n_features): the coarse columns, and the fine ones."""
    coarse = [i for i, name in enumerate(features) if name not in FINE]
    scaled = np.clip(np.round((rows[:, coarse] - low) / (high - low) * 255), 0, 255)
    fine = [
        np.round(np.clip(rows[:, features.index(name)], 0, most) / most * 65535)
        for name, most in FINE.items()
    ]
    coarse_rows: Rows = scaled.astype(np.uint8) >> np.uint8(1)
    fine_rows: FineRows = np.stack(fine, 1).astype(np.uint16) >> np.uint16(5)
    return coarse_rows, fine_rows


def write_packed(path: Path, packed: Packed) -> None:
    """Write one as an NPZ file, whole or not at all."""
    names = {field.name: list(getattr(packed.names, field.name)) for field in fields(Names)}
    arrays: dict[str, Any] = {"names": np.array(json.dumps(names))}
    for field in fields(Packed):
        value = getattr(packed, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif isinstance(value, list):
            arrays.update({f"{field.name} {i}": each for i, each in enumerate(value)})
    for number, fold in packed.folds.items():
        for field in fields(Fold):
            arrays[f"fold {number} {field.name}"] = getattr(fold, field.name)
    write_arrays(path, arrays)


def read_packed(path: Path) -> Packed:
    """Read what :func:`write_packed` wrote.

    Raises
    ------
    ParameterError
        If it is no such file.
    """
    mend = "pack --data CORPORA --embeddings FILE ... --out FILE"
    with reading(path, "packed clips", mend) as arrays:
        names = Names(**json.loads(str(arrays.pop("names"))))
        n_variants = len(arrays["starts"])
        numbers = sorted({int(n.split(" ")[1]) for n in arrays if n.startswith("fold ")})
        folds = {
            number: Fold(*(arrays[f"fold {number} {field.name}"] for field in fields(Fold)))
            for number in numbers
        }
        lists: dict[str, Any] = {
            name: [arrays[f"{name} {i}"] for i in range(n_variants)]
            for name in ("rows", "fine_rows")
        }
        plain: dict[str, Any] = {
            field.name: arrays[field.name]
            for field in fields(Packed)
            if field.name not in ("names", "folds", *lists)
        }
    return Packed(names=names, folds=folds, **lists, **plain)
