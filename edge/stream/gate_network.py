"""What a trained speech gate computes: a network of some thousand weights on the feature rows.

A batch of rows costs about as much as one, as nearly all of it is the calls into NumPy; so
everything that depends on the number of rows is made once for each, and memories, which
look back over the frames, are one product with a triangle of weights.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from edge.artifact import GateColumns, TrainedGate
from edge.artifact.gate import N_MADE
from edge.features.spec import FeatureSpec
from edge.scratch import Scratch

__all__ = ["BATCH", "MAX_ABOVE_DB", "GateNetwork", "GateState", "gate_networks"]

#: The level over the floor is told no further than this.
MAX_ABOVE_DB = 40.0
#: Rows that are computed together at most.
BATCH = 16


@dataclasses.dataclass(slots=True)
class GateState:
    """What is remembered from one batch of rows to the next; belongs to one stream.

    Parameters
    ----------
    before : float32 [shape=(n_before, n_inputs)]
        Inputs of the frames before that are looked at again.
    kept : tuple of float32 [shape=(n_memories, n_units + 1)]
        What is remembered of each layer.
    floor : float32
        Level of the background, in the scale of its column.
    is_fresh : bool
        Whether there was no frame before.
    """

    before: NDArray[np.float32]
    kept: tuple[NDArray[np.float32], NDArray[np.float32]]
    floor: np.float32 = dataclasses.field(default_factory=lambda: np.float32(np.inf))
    is_fresh: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class _Memory:
    """A layer's output and what is remembered of it, for a certain number of new frames.

    Parameters
    ----------
    put : float32 [shape=(n_rows, n_units)], a view
        Where the layer's output is put.
    kept : float32 [shape=(n_memories, n_units + 1)], a view
        Where what is remembered of the frames before is put.
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

    def recall(self, kept: NDArray[np.float32]) -> NDArray[np.float32]:
        """What was put, and the memories of it, side by side; ``kept`` is brought up to date."""
        self.kept[:] = kept
        flat = self.recalled.reshape(len(self.spread), -1)
        np.dot(self.spread, self.source, out=flat)
        if len(kept):
            kept[:] = flat[-len(kept) :]
        return self.recalled


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


def _memories(n_units: int, lengths: tuple[float, ...]) -> list[_Memory]:
    """One for every number of rows, on the same buffer; ``lengths`` as in a TrainedGate."""
    n_kept = len(lengths)
    buffer = np.zeros((n_kept + BATCH, n_units + 1), dtype=np.float32)
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
    before: NDArray[np.float32]
    rises: NDArray[np.float32]
    rise: np.float32
    products: NDArray[np.float32]
    parts: tuple[NDArray[np.float32], ...]
    memories: tuple[_Memory, _Memory]


class GateNetwork:
    """A gate's weights, and buffers for one call; nothing of one matters to the next.

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
        self.columns = columns = GateColumns.of(spec)
        self.kernel = gate.kernel
        arrays = gate.arrays(columns.n_inputs)
        first, second, _ = gate.widths
        n_chroma = columns.chroma.stop - columns.chroma.start
        n_features, n_made = spec.n_features, 2 + n_chroma
        # Frames before the first of a batch that are looked at again.
        self.n_before = n_before = max(1, gate.kernel - 1)
        self._inputs = np.zeros((n_before + BATCH, n_features + n_made + 1), dtype=np.float32)
        self._inputs[:, -1] = 1.0
        self.layer_1 = _on_rows(arrays, gate, columns, n_features)
        self.layer_2 = _with_bias(arrays["second"], arrays["second_bias"], first)
        self.layer_3 = _with_bias(arrays["third"], arrays["third_bias"], second)
        self.layer_4 = np.ascontiguousarray(arrays["last"])
        #: Of the last layer, which :meth:`raw` leaves out.
        self.bias = float(arrays["last_bias"][0])
        # The level is left in the scale of its column.
        scale = columns.level_scale
        self.rises = (gate.floor_rise_db / scale * np.arange(BATCH + 1)).astype(np.float32)
        self.most_above = np.float32(MAX_ABOVE_DB / scale)
        memories = _memories(first, gate.memories[0]), _memories(second, gate.memories[1])
        self._first_memories, self._second_memories = memories
        self._plans = [self._plan(gate, columns, n_features, n_rows) for n_rows in range(BATCH + 1)]

    def spread(self, layer: int, n_rows: int) -> NDArray[np.float32]:
        """What the memories of the first layer, 0, or the second multiply with."""
        return (self._first_memories, self._second_memories)[layer][n_rows].spread

    def state(self) -> GateState:
        """Give what is remembered before the first row."""
        memories = self._first_memories, self._second_memories
        first, second = (np.zeros_like(each[0].kept) for each in memories)
        return GateState(np.zeros_like(self._inputs[: self.n_before]), (first, second))

    def _plan(self, gate: TrainedGate, columns: GateColumns, n_features: int, n_rows: int) -> _Plan:
        inputs, before = self._inputs, self.n_before
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
            before=inputs[:before],
            rises=self.rises[1 : n_rows + 1],
            rise=self.rises[n_rows],
            products=products,
            parts=tuple(
                products[
                    before - delay : before - delay + n_rows, delay * width : (delay + 1) * width
                ]
                for delay in range(kernel)
            ),
            memories=(self._first_memories[n_rows], self._second_memories[n_rows]),
        )

    def raw(self, rows: NDArray[np.float32], state: GateState) -> NDArray[np.float32]:
        """Log odds of speech of the next rows, less the last bias.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised; up to `BATCH`.
        state : GateState
            Is brought up to date.

        Returns
        -------
        float32 [shape=(n_rows,)]
            A new array.
        """
        n_rows = len(rows)
        if not n_rows:
            return np.zeros(0, dtype=np.float32)
        plan = self._plans[n_rows]
        plan.before[:] = state.before
        plan.rows[:] = rows
        # The floor falls to every level below it and rises slowly: a running minimum of the
        # levels less the rise since, which one call computes for all rows.
        level = np.subtract(plan.level, plan.rises)
        floor = np.minimum.accumulate(level)
        np.minimum(floor, state.floor, out=floor)
        state.floor = floor[-1] + plan.rise
        level -= floor
        np.minimum(level, self.most_above, out=plan.above)
        np.greater(plan.pitch, 0.0, out=plan.voiced)
        if state.is_fresh:
            state.is_fresh = False
            plan.before[:] = plan.inputs[self.n_before]
            plan.before[:, plan.rows.shape[1] + 2 : -1] = 0.0
        change = np.subtract(plan.chroma, plan.chroma_before)
        np.abs(change, out=plan.change)
        np.dot(plan.inputs, self.layer_1, out=plan.products)
        state.before[:] = plan.again
        hidden = plan.parts[0]
        for part in plan.parts[1:]:
            hidden += part
        memory = plan.memories[0]
        np.maximum(hidden, 0.0, out=memory.put)
        hidden = np.dot(memory.recall(state.kept[0]), self.layer_2)
        memory = plan.memories[1]
        np.maximum(hidden, 0.0, out=memory.put)
        hidden = np.dot(memory.recall(state.kept[1]), self.layer_3)
        np.maximum(hidden, 0.0, out=hidden)
        raw: NDArray[np.float32] = np.dot(hidden, self.layer_4)
        return raw


@functools.lru_cache(maxsize=4)
def gate_networks(gate: TrainedGate, spec: FeatureSpec) -> Scratch[GateNetwork]:
    """Networks of a gate for whoever computes with it, in this process."""
    return Scratch(functools.partial(GateNetwork, gate, spec))
