"""Batches that were computed in one, shown to whoever is to hear each by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.stream.frame_gate import FrameGate
from edge.stream.gate_memory import BATCH
from edge.stream.trained_gate import TrainedSpeechGate

__all__ = ["listen"]


def listen(
    samples: NDArray[np.float32],
    rows: NDArray[np.float32],
    size: int,
    n_batch: int,
    n_first: int,
    heard: Callable[[NDArray[np.float32]], None],
    gate: FrameGate | None,
) -> NDArray[np.bool_] | None:
    """Show a meter and a gate every batch: to the last bit as if it had come alone.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        As they came, whole batches but for the last.
    rows : float32 [shape=(n_rows, n_features)]
        That they complete; not normalised.
    size : int
        Samples of a batch.
    n_batch : int
        Hops of them.
    n_first : int
        Rows that the first batch completes; every other one one a hop.
    heard : callable
        Is shown the samples.
    gate : FrameGate or None

    Returns
    -------
    bool [shape=(n_rows,)] or None
        Which rows hold speech; None without a gate.
    """
    if samples.size <= size:
        heard(samples)
        return None if gate is None else gate.push(samples, rows)
    by_batch = [samples[start : start + size] for start in range(0, samples.size, size)]
    for batch in by_batch:
        heard(batch)
    if gate is None:
        return None
    if isinstance(gate, TrainedSpeechGate) and n_batch == BATCH:
        # Its batches take little more than one of them.
        return gate.push_batches(rows, n_first)
    spoken, first, end = [], 0, n_first
    for batch in by_batch:
        spoken.append(gate.push(batch, rows[first:end]))
        first, end = end, end + n_batch
    return np.concatenate(spoken)
