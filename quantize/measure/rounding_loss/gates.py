"""How far rounded weights carry an LSTM's gates away from the float ones, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["DIRECTIONS", "GATES", "STEPS", "GateError", "gate_errors"]

Floats = npt.NDArray[np.float32]

GATES = ("i", "f", "g", "o")
"""Input, forget, cell and output, in torch's order."""
DIRECTIONS = ("forward", "backward")
STEPS = (1, 8, 16, 32, 61)
"""Time steps that a report shows, counted from 1 in the direction that the LSTM runs."""

_BATCH = 64


@dataclasses.dataclass(frozen=True)
class GateError:
    """Error of one gate's sums, before its sigmoid or tanh, at one step.

    ``rms_error`` is over all units and segments; ``share`` is that of the root mean square of
    the float sums at the same step.
    """

    gate: str
    direction: str
    step: int
    rms_error: float
    share: float


def gate_errors(
    weights: Mapping[str, Floats],
    rounded: Mapping[str, Floats],
    rows: Floats,
    steps: Sequence[int] = STEPS,
) -> list[GateError]:
    """Run the float and the rounded LSTM side by side, each on its own states.

    Parameters
    ----------
    weights : mapping
        ``lstm.weight_ih``, ``lstm.weight_hh`` and ``lstm.bias`` as of
        :func:`quantize.export.numpy.weights_of`.
    rounded : mapping
        The same after rounding; a bias that it lacks is that of ``weights``.
    rows : float32 [shape=(n_segments, n_steps, n_inputs)]
        Normalised, stacked where the model stacks frames.
    steps : sequence of int
        Those beyond ``n_steps`` are left out.

    Returns
    -------
    list of GateError
        By direction, gate and step.
    """
    shown = [step for step in steps if 1 <= step <= rows.shape[1]]
    # (direction, gate, step): sums of squares of the error and of the float sums.
    error = np.zeros((2, 4, len(shown)))
    power = np.zeros_like(error)
    both = [weights, {**weights, **rounded}]
    for first in range(0, len(rows), _BATCH):
        batch = rows[first : first + _BATCH]
        for direction in range(2):
            seen = batch if direction == 0 else batch[:, ::-1]
            wanted, found = (_sums(each, direction, seen, shown) for each in both)
            error[direction] += ((found - wanted).astype(np.float64) ** 2).sum(axis=(1, 3)).T
            power[direction] += (wanted.astype(np.float64) ** 2).sum(axis=(1, 3)).T
    n = len(rows) * weights["lstm.weight_hh"].shape[2]
    return [
        GateError(
            gate,
            name,
            step,
            float(np.sqrt(error[d, g, s] / n)),
            float(np.sqrt(error[d, g, s] / power[d, g, s])) if power[d, g, s] else 0.0,
        )
        for d, name in enumerate(DIRECTIONS)
        for g, gate in enumerate(GATES)
        for s, step in enumerate(shown)
    ]


def _sums(
    weights: Mapping[str, Floats], direction: int, rows: Floats, steps: Sequence[int]
) -> Floats:
    """Sums of the gates at some steps: (n_steps, n_segments, 4, hidden)."""
    recurrent = weights["lstm.weight_hh"][direction]
    hidden = recurrent.shape[1]
    added = rows @ weights["lstm.weight_ih"][direction].T + weights["lstm.bias"][direction]
    state = np.zeros((len(rows), hidden), dtype=np.float32)
    cell = np.zeros_like(state)
    kept = []
    for step in range(1, max(steps, default=0) + 1):
        sums = (added[:, step - 1] + state @ recurrent.T).reshape(-1, 4, hidden)
        if step in steps:
            kept.append(sums)
        # A sigmoid that cannot overflow.
        i, f, o = (0.5 + 0.5 * np.tanh(0.5 * sums[:, gate]) for gate in (0, 1, 3))
        cell = f * cell + i * np.tanh(sums[:, 2])
        state = o * np.tanh(cell)
    return np.stack(kept) if kept else np.zeros((0, len(rows), 4, hidden), dtype=np.float32)
