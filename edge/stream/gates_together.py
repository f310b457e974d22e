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
    about, n_before = network.columns, network.n_before
    inputs = np.empty((n_streams, n_before + n_rows, len(network.layer_1)), dtype=np.float32)
    inputs[:, :, -1] = 1.0
    new = inputs[:, n_before:]
    new[:, :, :n_features] = rows
    levels = np.subtract(rows[:, :, about.level], network.rises[1 : n_rows + 1])
    floors = np.minimum.accumulate(levels, axis=1)
    floors = np.minimum(floors, np.array([[state.floor] for state in states]), out=floors)
    np.minimum(levels - floors, network.most_above, out=new[:, :, n_features])
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
    products = np.dot(inputs.reshape(-1, inputs.shape[2]), network.layer_1)
    width = products.shape[1] // network.kernel
    products = products.reshape(n_streams, n_before + n_rows, -1)
    hidden = products[:, n_before:, :width]
    for delay in range(1, network.kernel):
        part = products[:, n_before - delay : n_before - delay + n_rows]
        hidden += part[:, :, delay * width : (delay + 1) * width]
    for layer, weights in enumerate((network.layer_2, network.layer_3)):
        recalled = _recalled(hidden, network.spread(layer, n_rows), layer, states)
        hidden = np.dot(recalled, weights).reshape(n_streams, n_rows, -1)
    np.maximum(hidden, 0.0, out=hidden)
    rises = network.rises[n_rows]
    for index, state in enumerate(states):
        state.floor = floors[index, -1] + rises
        state.before[:] = inputs[index, n_rows:]
    raw: NDArray[np.float32] = np.dot(hidden.reshape(n_streams * n_rows, -1), network.layer_4)
    return raw.reshape(n_streams, n_rows)


def _recalled(
    hidden: NDArray[np.float32],
    spread: NDArray[np.float32],
    layer: int,
    states: Sequence[GateState],
) -> NDArray[np.float32]:
    """A layer's output and the memories of it, float32 [shape=(n_streams * n_rows, many)]."""
    n_streams, n_rows, n_units = hidden.shape
    n_kept = spread.shape[1] - n_rows
    source = np.ones((n_streams, n_kept + n_rows, n_units + 1), dtype=np.float32)
    for index, state in enumerate(states):
        source[index, :n_kept] = state.kept[layer]
    np.maximum(hidden, 0.0, out=source[:, n_kept:, :-1])
    flat = np.matmul(spread, source)
    if n_kept:
        for index, state in enumerate(states):
            state.kept[layer][:] = flat[index, -n_kept:]
    recalled: NDArray[np.float32] = flat.reshape(n_streams * n_rows, -1)
    return recalled
