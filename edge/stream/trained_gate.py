"""The artifact's own speech gate: a network of some thousand weights on the feature rows.

A batch of rows costs about as much as one, as nearly all of it is the calls into NumPy; so
everything that depends on the number of rows is made once for each, and memories, which
look back over the frames, are one product with a triangle of weights.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from edge.artifact import GateColumns, Manifest, TrainedGate
from edge.artifact.gate import N_MADE
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec

__all__ = ["MAX_ABOVE_DB", "TrainedSpeechGate", "make"]

#: The level over the floor is told no further than this.
MAX_ABOVE_DB = 40.0
#: Rows that are computed together at most.
_BATCH = 16


def make(manifest: Manifest) -> TrainedSpeechGate:
    """Make the gate that a manifest brings along.

    Raises
    ------
    ParameterError
        If it brings none.
    """
    if manifest.gate is None:
        raise ParameterError(
            f"the artifact {manifest.name!r} has no speech gate: use --vad energy, or give it one "
            "with edge-ser-quantize train-gate --into"
        )
    return TrainedSpeechGate(manifest.gate, manifest.feature_spec)


@dataclasses.dataclass(frozen=True, slots=True)
class _Memory:
    """A layer's output and what is remembered of it, for a certain number of new frames.

    Parameters
    ----------
    put : float32 [shape=(n_rows, n_units)], a view
        Where the layer's output is put.
    kept : float32 [shape=(n_memories, n_units + 1)], a view
        What is remembered of the frames before.
    source : float32 [shape=(n_memories + n_rows, n_units + 1)], a view
        Both, and a column of ones.
    spread : float32 [shape=(n_rows * (1 + n_memories), n_memories + n_rows)]
        Times ``source``, this is output and memories of every frame, one after the other.
    recalled : float32 [shape=(n_rows, (1 + n_memories) * (n_units + 1))]
        Where that is put.
    """

    put: NDArray[np.float32]
    kept: NDArray[np.float32]
    source: NDArray[np.float32]
    spread: NDArray[np.float32]
    recalled: NDArray[np.float32]

    def recall(self) -> NDArray[np.float32]:
        """What was put, and the memories of it, side by side."""
        flat = self.recalled.reshape(len(self.spread), -1)
        np.dot(self.spread, self.source, out=flat)
        n_kept = len(self.kept)
        if n_kept:
            self.kept[:] = flat[-n_kept:]
        return self.recalled


@functools.lru_cache(maxsize=8)
def _spreads(lengths: tuple[float, ...]) -> tuple[NDArray[np.float32], ...]:
    """What a memory multiplies with, for every number of rows: the same in every stream."""
    n_kept = len(lengths)
    spreads = []
    for n_rows in range(_BATCH + 1):
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


def _memories(n_units: int, lengths: tuple[float, ...]) -> list[_Memory]:
    """One for every number of rows, on the same buffer; ``lengths`` as in a TrainedGate."""
    n_kept = len(lengths)
    buffer = np.zeros((n_kept + _BATCH, n_units + 1), dtype=np.float32)
    buffer[n_kept:, -1] = 1.0
    return [
        _Memory(
            put=buffer[n_kept : n_kept + n_rows, :-1],
            kept=buffer[:n_kept],
            source=buffer[: n_kept + n_rows],
            spread=spread,
            recalled=np.zeros((n_rows, (1 + n_kept) * (n_units + 1)), dtype=np.float32),
        )
        for n_rows, spread in enumerate(_spreads(lengths))
    ]


def _with_bias(
    weights: NDArray[np.float32], bias: NDArray[np.float32], n_units: int
) -> NDArray[np.float32]:
    """Weights on what a :class:`_Memory` of ``n_units`` recalls, with its columns of ones."""
    n_kinds = len(weights) // n_units
    out = np.zeros((n_kinds, n_units + 1, weights.shape[1]), dtype=np.float32)
    out[:, :-1] = weights.reshape(n_kinds, n_units, -1)
    out[0, -1] = bias
    return out.reshape(n_kinds * (n_units + 1), -1)


def _on_rows(
    arrays: dict[str, NDArray[np.float32]], gate: TrainedGate, columns: GateColumns, n_features: int
) -> NDArray[np.float32]:
    """First layer as one product for all delays, of the rows and what is made of them."""
    width, kernel, n_inputs = gate.widths[0], gate.kernel, columns.n_inputs
    n_chroma = columns.chroma.stop - columns.chroma.start
    weights = arrays["first"].reshape(kernel, n_inputs, width)
    out = np.zeros((n_features + 2 + n_chroma + 1, kernel, width), dtype=np.float32)
    n_shape = columns.shape.stop - columns.shape.start
    for delay, of_delay in enumerate(weights):
        above, voiced, pitch, chroma, change = of_delay[:N_MADE]
        here = out[:, delay]
        here[n_features] = above * np.float32(columns.level_scale)
        here[n_features + 1] = voiced
        here[columns.pitch] = pitch
        here[columns.chroma] = chroma / n_chroma
        here[n_features + 2 : -1] = change / n_chroma
        here[columns.shape] = of_delay[N_MADE : N_MADE + n_shape]
        here[columns.contrast] = of_delay[N_MADE + n_shape :]
    out[-1, 0] = arrays["first_bias"]
    return out.reshape(len(out), -1)


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """Views for a certain number of rows; making them costs as much as computing with them."""

    inputs: NDArray[np.float32]
    rows: NDArray[np.float32]
    level: NDArray[np.float32]
    above: NDArray[np.float32]
    pitch: NDArray[np.float32]
    voiced: NDArray[np.float32]
    chroma: NDArray[np.float32]
    chroma_before: NDArray[np.float32]
    change: NDArray[np.float32]
    again: NDArray[np.float32]
    again_to: NDArray[np.float32]
    rises: NDArray[np.float32]
    rise: np.float32
    products: NDArray[np.float32]
    parts: tuple[NDArray[np.float32], ...]
    memories: tuple[_Memory, _Memory]


class TrainedSpeechGate:
    """Tells which frames hold speech, from their feature rows and those before.

    Parameters
    ----------
    gate : TrainedGate
        Checked.
    spec : FeatureSpec
        Of the rows.

    Notes
    -----
    The rows go into the first layer as they are, with what is made of them beside them; a
    column that tells the level has no weights there.
    """

    def __init__(self, gate: TrainedGate, spec: FeatureSpec) -> None:
        self.least_speech_s = gate.least_speech_s
        columns = GateColumns.of(spec)
        arrays = gate.arrays(columns.n_inputs)
        first, second, _ = gate.widths
        n_chroma = columns.chroma.stop - columns.chroma.start
        n_features, n_made = spec.n_features, 2 + n_chroma
        # Frames before the first of a batch that are looked at again.
        self._n_before = n_before = max(1, gate.kernel - 1)
        self._inputs = np.zeros((n_before + _BATCH, n_features + n_made + 1), dtype=np.float32)
        self._inputs[:, -1] = 1.0
        self._first = _on_rows(arrays, gate, columns, n_features)
        self._second = _with_bias(arrays["second"], arrays["second_bias"], first)
        self._third = _with_bias(arrays["third"], arrays["third_bias"], second)
        self._last = np.ascontiguousarray(arrays["last"])
        bias = float(arrays["last_bias"][0])
        self._bias = bias
        self._open, self._close = (
            math.log(share / (1 - share)) - bias for share in (gate.open_above, gate.close_below)
        )
        # The level is left in the scale of its column.
        scale = columns.level_scale
        self._rises = (gate.floor_rise_db / scale * np.arange(_BATCH + 1)).astype(np.float32)
        self._most_above = np.float32(MAX_ABOVE_DB / scale)
        memories = _memories(first, gate.memories[0]), _memories(second, gate.memories[1])
        self._first_memories, self._second_memories = memories
        self._plans = [
            self._plan(gate, columns, n_features, n_rows) for n_rows in range(_BATCH + 1)
        ]
        self.reset()

    def _plan(self, gate: TrainedGate, columns: GateColumns, n_features: int, n_rows: int) -> _Plan:
        inputs, before = self._inputs, self._n_before
        new = inputs[before : before + n_rows]
        width, kernel = gate.widths[0], gate.kernel
        products = np.zeros((before + n_rows, kernel * width), dtype=np.float32)
        return _Plan(
            inputs=inputs[: before + n_rows],
            rows=new[:, :n_features],
            level=new[:, columns.level],
            above=new[:, n_features],
            pitch=new[:, columns.pitch],
            voiced=new[:, n_features + 1],
            chroma=new[:, columns.chroma],
            chroma_before=inputs[before - 1 : before - 1 + n_rows, columns.chroma],
            change=new[:, n_features + 2 : -1],
            again=inputs[n_rows : n_rows + before],
            again_to=inputs[:before],
            rises=self._rises[1 : n_rows + 1],
            rise=self._rises[n_rows],
            products=products,
            parts=tuple(
                products[
                    before - delay : before - delay + n_rows, delay * width : (delay + 1) * width
                ]
                for delay in range(kernel)
            ),
            memories=(self._first_memories[n_rows], self._second_memories[n_rows]),
        )

    def reset(self) -> None:
        """Forget what was heard; the same as a fresh object."""
        for memories in (self._first_memories, self._second_memories):
            memories[0].kept[:] = 0.0
        self._floor = np.float32(np.inf)
        self._is_fresh = True
        self._is_open = False

    def push(self, samples: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Judge rows, see :class:`edge.stream.frame_gate.FrameGate`; samples are not looked at."""
        if len(rows) <= _BATCH:
            return np.array(self._hold(self._raw(rows)), dtype=np.bool_)
        parts = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
        return np.concatenate([self.push(samples, part) for part in parts])

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log odds of speech of the next rows.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised; 1 to 16.

        Returns
        -------
        float32 [shape=(n_rows,)]
        """
        return self._raw(rows) + np.float32(self._bias)

    def _raw(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        n_rows = len(rows)
        plan = self._plans[n_rows]
        if not n_rows:
            return np.zeros(0, dtype=np.float32)
        plan.rows[:] = rows
        # The floor falls to every level below it and rises slowly: a running minimum of the
        # levels less the rise since, which one call computes for all rows.
        level = np.subtract(plan.level, plan.rises)
        floor = np.minimum.accumulate(level)
        np.minimum(floor, self._floor, out=floor)
        self._floor = floor[-1] + plan.rise
        level -= floor
        np.minimum(level, self._most_above, out=plan.above)
        np.greater(plan.pitch, 0.0, out=plan.voiced)
        if self._is_fresh:
            self._is_fresh = False
            self._inputs[: self._n_before] = plan.inputs[self._n_before]
            self._inputs[: self._n_before, plan.rows.shape[1] + 2 : -1] = 0.0
        change = np.subtract(plan.chroma, plan.chroma_before)
        np.abs(change, out=plan.change)
        np.dot(plan.inputs, self._first, out=plan.products)
        plan.again_to[:] = plan.again
        hidden = plan.parts[0]
        for part in plan.parts[1:]:
            hidden += part
        memory = plan.memories[0]
        np.maximum(hidden, 0.0, out=memory.put)
        hidden = np.dot(memory.recall(), self._second)
        memory = plan.memories[1]
        np.maximum(hidden, 0.0, out=memory.put)
        hidden = np.dot(memory.recall(), self._third)
        np.maximum(hidden, 0.0, out=hidden)
        raw: NDArray[np.float32] = np.dot(hidden, self._last)
        return raw

    def _hold(self, logits: NDArray[np.float32]) -> list[bool]:
        """Hysteresis: it takes more to begin to be speech than to go on."""
        is_open, opens, closes = self._is_open, self._open, self._close
        spoken = []
        for logit in logits.tolist():
            is_open = logit >= (closes if is_open else opens)
            spoken.append(is_open)
        self._is_open = is_open
        return spoken
