"""What a trained speech gate computes: a network of some thousand weights on the feature rows.

Some batches of rows cost about as much as one row, as nearly all of it is the calls into NumPy.  So
the layers take all rows at once, in blocks of one size, which give a row the same numbers wherever
it stands; memories, which look back over the frames, go on from batch to batch, each one product
with a triangle of weights.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.arrays import rows_view
from edge.artifact import GateColumns, TrainedGate
from edge.artifact.gate import N_MADE
from edge.features.spec import FeatureSpec
from edge.scratch import Scratch
from edge.stream.gate_memory import BATCH, MOST_ROWS, GateMemory

__all__ = ["MAX_ABOVE_DB", "GateNetwork", "GateState", "gate_networks"]

#: The level over the floor is told no further than this.
MAX_ABOVE_DB = 40.0


@dataclasses.dataclass(slots=True)
class GateState:
    """What is remembered from one batch of rows to the next; belongs to one stream.

    Parameters
    ----------
    before : float32 [shape=(n_before, n_inputs)]
        Inputs of the frames before that are looked at again.
    kept : tuple of float32 [shape=(n_memories, n_units)]
        What is remembered of each layer.
    floor : float
        Level of the background, in the scale of its column.
    is_fresh : bool
        Whether there was no frame before.
    """

    before: NDArray[np.float32]
    kept: tuple[NDArray[np.float32], NDArray[np.float32]]
    floor: float = math.inf
    is_fresh: bool = True

    def forget(self) -> None:
        """Be as new, in the same memory."""
        if not self.is_fresh:
            for each in (self.before, *self.kept):
                each.fill(0)
            self.floor, self.is_fresh = math.inf, True


def _with_bias(
    weights: NDArray[np.float32], bias: NDArray[np.float32], n_units: int
) -> NDArray[np.float32]:
    """Weights on what a :class:`GateMemory` of ``n_units`` recalls, with its columns of ones."""
    n_kinds = len(weights) // n_units
    out = np.zeros((n_kinds, n_units + 1, weights.shape[1]), dtype=np.float32)
    out[:, :-1] = weights.reshape(n_kinds, n_units, -1)
    out[0, -1] = bias
    return out.reshape(n_kinds * (n_units + 1), -1)


def _with_ones(weights: NDArray[np.float32], at: int) -> NDArray[np.float32]:
    """Weights whose output has a column of ones behind it, as input ``at`` is always 1."""
    ones = np.zeros((len(weights), 1), dtype=np.float32)
    ones[at] = 1.0
    return np.hstack((weights, ones))


def _on_rows(
    arrays: dict[str, NDArray[np.float32]], gate: TrainedGate, columns: GateColumns, n_features: int
) -> NDArray[np.float32]:
    """First layer on rows and what is made of them, the oldest of ``kernel`` rows first."""
    width, kernel, n_inputs = gate.widths[0], gate.kernel, columns.n_inputs
    n_chroma = columns.chroma.stop - columns.chroma.start
    weights = arrays["first"].reshape(kernel, n_inputs, width)
    out = np.zeros((kernel, n_features + 2 + n_chroma + 1, width), dtype=np.float32)
    n_shape = columns.shape.stop - columns.shape.start
    # The artifact holds the newest row first.
    for here, of_delay in zip(out[::-1], weights, strict=True):
        above, voiced, pitch, chroma, change = of_delay[:N_MADE]
        here[n_features] = above * np.float32(columns.level_scale)
        here[n_features + 1] = voiced
        here[columns.pitch] = pitch
        here[columns.chroma] = chroma / n_chroma
        here[n_features + 2 : -1] = change / n_chroma
        here[columns.shape] = of_delay[N_MADE : N_MADE + n_shape]
        here[columns.contrast] = of_delay[N_MADE + n_shape :]
    out[-1, -1] = arrays["first_bias"]
    return out.reshape(-1, width)


def _activate(layer: tuple[NDArray[np.float32], ...], weights: NDArray[np.float32]) -> None:
    """Multiply, and put 0 in place of what is below it: zeros take less than the number 0."""
    block, put, flat, zeros = layer
    np.matmul(block, weights, out=put)
    np.maximum(flat, zeros, out=flat)


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """Views for a certain number of rows; making them costs as much as computing with them.

    Blocks are of whole ``BATCH`` rows: those behind the last hold what nobody looks at.
    """

    rows: NDArray[np.float32]
    level: NDArray[np.float32]
    above: NDArray[np.float32]
    pitch: NDArray[np.float32]
    voiced: NDArray[np.float32]
    flat: NDArray[np.float32]
    flat_before: NDArray[np.float32]
    flat_steps: NDArray[np.float32]
    steps: NDArray[np.float32]
    change: NDArray[np.float32]
    again: NDArray[np.float32]
    windows: NDArray[np.float32]
    unfolded: NDArray[np.float32]
    #: Of every layer but the last, what it multiplies with and where its output is put, which
    #: then lies in one piece before zeros of its size.
    layers: tuple[tuple[NDArray[np.float32], ...], ...]
    last: NDArray[np.float32]


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
        self.kernel = kernel = gate.kernel
        arrays = gate.arrays(columns.n_inputs)
        first, second, third = gate.widths
        n_chroma = columns.chroma.stop - columns.chroma.start
        self._n_features, n_made = spec.n_features, 2 + n_chroma
        # Frames before the first that are looked at again.
        self.n_before = n_before = max(1, kernel - 1)
        self.n_inputs = n_inputs = spec.n_features + n_made + 1
        self._inputs = np.zeros((n_before + MOST_ROWS, n_inputs), dtype=np.float32)
        self._inputs[:, -1] = 1.0
        self._before = self._inputs[:n_before]
        self._steps = np.zeros((MOST_ROWS, n_inputs), dtype=np.float32)
        self._unfolded = np.zeros((MOST_ROWS, kernel * n_inputs), dtype=np.float32)
        on_rows = _on_rows(arrays, gate, columns, spec.n_features)
        self.layer_1 = _with_ones(on_rows, len(on_rows) - 1)
        self.layer_2 = _with_ones(_with_bias(arrays["second"], arrays["second_bias"], first), first)
        self.layer_3 = _with_bias(arrays["third"], arrays["third_bias"], second)
        self.layer_4 = np.ascontiguousarray(arrays["last"]).reshape(-1, 1)
        #: Of the last layer, which :meth:`raw` leaves out.
        self.bias = float(arrays["last_bias"][0])
        # The level is left in the scale of its column.
        self.rise = gate.floor_rise_db / columns.level_scale
        self.most_above = MAX_ABOVE_DB / columns.level_scale
        self._memories = GateMemory(first, gate.memories[0]), GateMemory(second, gate.memories[1])
        self._third = np.zeros((MOST_ROWS, third), dtype=np.float32)
        self._zeros = np.zeros(MOST_ROWS * (1 + max(gate.widths)), dtype=np.float32)
        self._plans: dict[int, _Plan] = {}

    def spread(self, layer: int, n_rows: int) -> NDArray[np.float32]:
        """What the memories of the first layer, 0, or the second multiply with."""
        return self._memories[layer].spreads[n_rows]

    def state(self) -> GateState:
        """Give what is remembered before the first row."""
        first, second = self._memories
        return GateState(np.zeros_like(self._before), (first.blank(), second.blank()))

    def _plan(self, n_rows: int) -> _Plan:
        inputs, before, columns = self._inputs, self.n_before, self.columns
        new = inputs[before : before + n_rows]
        n_features, width = self._n_features, self.n_inputs
        flat = inputs[before - 1 : before + n_rows].reshape(-1)
        steps = self._steps[:n_rows]
        n_blocks = -(-n_rows // BATCH)
        n_whole = n_blocks * BATCH
        first, second = self._memories
        taken = self._unfolded, first.recalled, second.recalled, self._third
        blocks = [each[:n_whole].reshape(n_blocks, BATCH, -1) for each in taken]
        puts = [each[:n_whole] for each in (first.put, second.put, self._third)]
        return _Plan(
            rows=new[:, :n_features],
            level=new[:, columns.level],
            above=new[:, n_features],
            pitch=new[:, columns.pitch],
            voiced=new[:, n_features + 1],
            flat=flat[width:],
            flat_before=flat[:-width],
            flat_steps=steps.reshape(-1),
            steps=steps[:, columns.chroma],
            change=new[:, n_features + 2 : -1],
            again=inputs[n_rows : n_rows + before],
            # Some rows side by side, as they lie in memory.
            windows=rows_view(
                inputs[before + 1 - self.kernel :].reshape(-1),
                0,
                n_rows,
                width,
                self.kernel * width,
            ),
            unfolded=self._unfolded[:n_rows],
            layers=tuple(
                (block, put.reshape(n_blocks, BATCH, -1), put.reshape(-1), self._zeros[: put.size])
                for block, put in zip(blocks, puts, strict=False)
            ),
            last=blocks[-1],
        )

    def raw(
        self, rows: NDArray[np.float32], state: GateState, ends: Sequence[int]
    ) -> NDArray[np.float32]:
        """Log odds of speech of the next rows, less the last bias.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised; 1 to `MOST_ROWS`.
        state : GateState
            Is brought up to date.
        ends : sequence of int
            Where each batch, of 1 to `BATCH` rows, ends: it is computed as if it had come alone,
            to the last bit.

        Returns
        -------
        float32 [shape=(n_rows,)]
            A new array.
        """
        plan = self._plans.get(len(rows))
        if plan is None:
            plan = self._plans[len(rows)] = self._plan(len(rows))
        self._before[:] = state.before
        plan.rows[:] = rows
        plan.above[:] = self._above(plan.level.tolist(), state)
        # A pitch is never below 0.
        np.sign(plan.pitch, out=plan.voiced)
        if state.is_fresh:
            state.is_fresh = False
            self._before[:] = self._inputs[self.n_before]
            self._before[:, self._n_features + 2 : -1] = 0.0
        # Of all columns: one long pass takes less than one over the chroma alone.
        np.subtract(plan.flat, plan.flat_before, out=plan.flat_steps)
        np.abs(plan.flat_steps, out=plan.flat_steps)
        plan.change[:] = plan.steps
        state.before[:] = plan.again
        plan.unfolded[:] = plan.windows
        first, second, third = plan.layers
        _activate(first, self.layer_1)
        self._memories[0].recall(state.kept[0], ends)
        _activate(second, self.layer_2)
        self._memories[1].recall(state.kept[1], ends)
        _activate(third, self.layer_3)
        raw: NDArray[np.float32] = np.matmul(plan.last, self.layer_4).reshape(-1)[: len(rows)]
        return raw

    def _above(self, levels: list[float], state: GateState) -> list[float]:
        """Levels over the floor, which falls to every level below it and rises slowly."""
        floor, rise, most = state.floor, self.rise, self.most_above
        above = []
        for level in levels:
            floor += rise
            over = level - floor
            if over < 0.0:
                floor, over = level, 0.0
            above.append(over if over < most else most)
        state.floor = floor
        return above


@functools.lru_cache(maxsize=4)
def gate_networks(gate: TrainedGate, spec: FeatureSpec) -> Scratch[GateNetwork]:
    """Networks of a gate for whoever computes with it, in this process."""
    return Scratch(functools.partial(GateNetwork, gate, spec))
