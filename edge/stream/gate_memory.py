"""What a layer of a trained speech gate remembers of the frames before."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATCH", "MOST_ROWS", "GateMemory"]

#: Rows of a batch at most, and of a block of a product.
BATCH = 16
#: Rows that are computed together at most.
MOST_ROWS = 4 * BATCH


@dataclasses.dataclass(frozen=True, slots=True)
class _Batch:
    """Views of a batch in a :class:`GateMemory`; ``n_rows`` are its own.

    Parameters
    ----------
    kept : float32 [shape=(n_memories, n_units)]
        Where what is remembered of the frames before is put.
    source : float32 [shape=(n_memories + n_rows, n_units + 1)]
        That and the layer's output, with a column of ones.
    spread : float32 [shape=(n_rows * (1 + n_memories), n_memories + n_rows)]
        Times ``source``, this is output and memories of every frame, one after the other.
    flat : float32 [shape=(n_rows * (1 + n_memories), n_units + 1)]
        Where that is put.
    last : float32 [shape=(n_memories, n_units)]
        The memories of the last frame therein.
    """

    kept: NDArray[np.float32]
    source: NDArray[np.float32]
    spread: NDArray[np.float32]
    flat: NDArray[np.float32]
    last: NDArray[np.float32]


class GateMemory:
    """A layer's output and what is remembered of it.

    Parameters
    ----------
    n_units : int
        Of the layer.
    lengths : tuple of float
        Frames that each memory looks back, as in a TrainedGate.

    Attributes
    ----------
    spreads : tuple of float32
        For every number of rows, see :class:`_Batch`.
    put : float32 [shape=(MOST_ROWS, n_units + 1)]
        Where the layer's output is put, with a column of ones.
    recalled : float32 [shape=(MOST_ROWS, (1 + n_memories) * (n_units + 1))]
        Output and memories of every frame, side by side.
    """

    def __init__(self, n_units: int, lengths: tuple[float, ...]) -> None:
        self.spreads = _spreads(lengths)
        self._n_kept = n_kept = len(lengths)
        self._rows = np.ones((n_kept + MOST_ROWS, n_units + 1), dtype=np.float32)
        self.put = self._rows[n_kept:]
        self.recalled = np.zeros((MOST_ROWS, (1 + n_kept) * (n_units + 1)), dtype=np.float32)
        self._batches: dict[tuple[int, int], _Batch] = {}

    def blank(self) -> NDArray[np.float32]:
        """Give what is remembered before the first frame."""
        return np.zeros((self._n_kept, self.put.shape[1] - 1), dtype=np.float32)

    def recall(self, kept: NDArray[np.float32], ends: Sequence[int]) -> None:
        """Recall what was put, batch by batch; ``kept`` is brought up to date.

        Where a batch begins, its memories take the place of outputs of the one before, which are
        recalled by then.
        """
        newest, start = kept, 0
        for end in ends:
            batch = self._batches.get((start, end))
            if batch is None:
                batch = self._batches[start, end] = self._cut(start, end)
            batch.kept[:] = newest
            np.dot(batch.spread, batch.source, out=batch.flat)
            newest, start = batch.last, end
        kept[:] = newest

    def _cut(self, start: int, end: int) -> _Batch:
        n_kept, n_rows = self._n_kept, end - start
        source = self._rows[start : end + n_kept]
        flat = self.recalled[start:end].reshape(n_rows * (1 + n_kept), -1)
        return _Batch(
            kept=source[:n_kept, :-1],
            source=source,
            spread=self.spreads[n_rows],
            flat=flat,
            last=flat[len(flat) - n_kept :, :-1],
        )


@functools.lru_cache(maxsize=8)
def _spreads(lengths: tuple[float, ...]) -> tuple[NDArray[np.float32], ...]:
    """What a memory multiplies with, for every number of rows: the same in every stream."""
    n_kept = len(lengths)
    spreads = []
    for n_rows in range(BATCH + 1):
        ago = np.arange(n_rows)[:, None] - np.arange(n_rows)
        spread = np.zeros((n_rows, 1 + n_kept, n_kept + n_rows), dtype=np.float32)
        spread[:, 0, n_kept:] = np.eye(n_rows)
        for index, length in enumerate(lengths):
            keep = 1 - 1 / length
            spread[:, 1 + index, n_kept:] = np.where(ago >= 0, keep ** np.maximum(ago, 0), 0.0)
            spread[:, 1 + index, n_kept:] *= 1 - keep
            spread[:, 1 + index, index] = keep ** np.arange(1, n_rows + 1)
        # Shared by all streams.
        spread.setflags(write=False)
        spreads.append(spread.reshape(n_rows * (1 + n_kept), n_kept + n_rows))
    return tuple(spreads)
