"""Speech gates of many streams, begun once for all; :mod:`edge.stream.gate_network` is for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.stream.gate_network import GateNetwork, GateState

__all__ = ["raw_together"]


def raw_together(
    network: GateNetwork, rows: NDArray[np.float32], states: Sequence[GateState]
) -> NDArray[np.float32]:
    """Log odds of speech of the next rows of several streams, less the last bias.

    Parameters
    ----------
    network : GateNetwork
        Of all of them; its weights are read, its buffers are left alone.
    rows : float32 [shape=(n_streams, n_rows, n_features)]
        Not normalised; 1 to `BATCH` rows.
    states : sequence of GateState
        One a stream; are brought up to date.

    Returns
    -------
    float32 [shape=(n_streams, n_rows)]
        As :meth:`GateNetwork.raw` gives for each, to the last bits.
    """
    n_streams, n_rows, n_features = rows.shape
    about, n_before, n_inputs = network.columns, network.n_before, network.n_inputs
    inputs = np.empty((n_streams, n_before + n_rows, n_inputs), dtype=np.float32)
    inputs[:, :, -1] = 1.0
    new = inputs[:, n_before:]
    new[:, :, :n_features] = rows
    # A running minimum of the levels less the rise since, which one call computes for all rows.
    rises = (network.rise * np.arange(1, n_rows + 1)).astype(np.float32)
    levels = np.subtract(rows[:, :, about.level], rises)
    floors = np.minimum.accumulate(levels, axis=1)
    before = np.array([[state.floor] for state in states], dtype=np.float32)
    floors = np.minimum(floors, before, out=floors)
    np.minimum(levels - floors, np.float32(network.most_above), out=new[:, :, n_features])
    np.greater(rows[:, :, about.pitch], 0.0, out=new[:, :, n_features + 1])
    made = slice(n_features + 2, -1)
    for index, state in enumerate(states):
        if state.is_fresh:
            state.is_fresh = False
            inputs[index, :n_before] = new[index, 0]
            inputs[index, :n_before, made] = 0.0
        else:
            inputs[index, :n_before] = state.before
    chroma = inputs[:, :, about.chroma]
    change = np.subtract(chroma[:, n_before:], chroma[:, n_before - 1 : -1])
    np.abs(change, out=new[:, :, made])
    hidden = np.dot(_windows(inputs, network.kernel, n_rows), network.layer_1)
    for layer, weights in enumerate((network.layer_2, network.layer_3)):
        np.maximum(hidden, 0.0, out=hidden)
        source = hidden.reshape(n_streams, n_rows, -1)
        hidden = np.dot(_recalled(source, network.spread(layer, n_rows), layer, states), weights)
    np.maximum(hidden, 0.0, out=hidden)
    for index, state in enumerate(states):
        state.floor = float(floors[index, -1] + rises[-1])
        state.before[:] = inputs[index, n_rows:]
    raw: NDArray[np.float32] = np.dot(hidden, network.layer_4)
    return raw.reshape(n_streams, n_rows)


def _windows(inputs: NDArray[np.float32], kernel: int, n_rows: int) -> NDArray[np.float32]:
    """Of each stream the last rows, each behind those before it: (n_streams * n_rows, many)."""
    n_streams, n_all, n_inputs = inputs.shape
    row, number = inputs.strides[1:]
    windows = np.ndarray(
        (n_streams, n_rows, kernel * n_inputs),
        np.float32,
        inputs,
        (n_all - n_rows + 1 - kernel) * row,
        (inputs.strides[0], row, number),
    )
    return windows.reshape(n_streams * n_rows, -1)


def _recalled(
    hidden: NDArray[np.float32],
    spread: NDArray[np.float32],
    layer: int,
    states: Sequence[GateState],
) -> NDArray[np.float32]:
    """A layer's output and the memories of it, float32 [shape=(n_streams * n_rows, many)].

    The output has a column of ones, which is not kept.
    """
    n_streams, n_rows, n_columns = hidden.shape
    n_kept = spread.shape[1] - n_rows
    source = np.ones((n_streams, n_kept + n_rows, n_columns), dtype=np.float32)
    for index, state in enumerate(states):
        source[index, :n_kept, :-1] = state.kept[layer]
    source[:, n_kept:] = hidden
    flat = np.matmul(spread, source)
    if n_kept:
        for index, state in enumerate(states):
            state.kept[layer][:] = flat[index, -n_kept:, :-1]
    recalled: NDArray[np.float32] = flat.reshape(n_streams * n_rows, -1)
    return recalled
