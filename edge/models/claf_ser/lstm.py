"""The recurrence of a bidirectional LSTM, see :mod:`edge.models.claf_ser.network`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edge.models.base import aligned

__all__ = ["MAX_HIDDEN_AT_ONCE", "LstmLoop", "both_directions"]

Floats = npt.NDArray[np.float32]

#: Up to here one product with both directions' weights, and zeros where they do not meet, is faster
#: than a product for each gate and direction: x86 at 32 units 1.7 us against 2.4 us, at 128 units
#: 15 us against 9 us.
MAX_HIDDEN_AT_ONCE = 48


class LstmLoop:
    """Both directions of an LSTM for one batch size, length and width.

    Buffers and every view of them are made once: at one window at a time the
    loop's cost is its products and the number of NumPy calls.  Nothing of one run matters to the
    next.
    """

    def __init__(self, n_batch: int, n_frames: int, n_features: int, hidden: int) -> None:
        self.n_batch, self.n_frames = n_batch, n_frames
        n_rows = n_frames * n_batch
        # By direction; the last column stays 1, for the bias.
        inputs = aligned(np.ones((2, n_frames, n_batch, n_features + 1)))
        self._inputs, self._features = inputs.reshape(2, n_rows, -1), inputs[0, ..., :-1]
        self._backward, self._turned = inputs[1], inputs[0, ::-1]
        self._projected = _gate_buffer(n_batch, n_rows, hidden)
        # Row 0 is the state before the first frame.
        self._states = aligned(np.zeros((n_frames + 1, 2, n_batch, hidden)))
        # i, f, o, g and behind them the cell, so that (i, f) * (g, cell) is one call.
        gates = aligned(np.zeros((5, 2, n_batch, hidden)))
        self._sums = gates[:4]
        # An example alone is contiguous in every buffer, and flat views cost less a call.
        self._single = n_batch == 1
        self._added = self._sums.reshape(-1) if self._single else self._sums
        self._flat_sums = self._sums.reshape(-1)
        self._sigmoids = gates[:3].reshape(-1)
        self._output = gates[2].reshape(-1)
        self._input_forget = gates[:2].reshape(-1)
        self._candidate_cell = gates[3:].reshape(-1)
        self._cell = gates[4].reshape(-1)
        self._products = aligned(np.zeros((2, self._cell.size)))
        self._flat_products = self._products.reshape(-1)
        self._squashed = aligned(np.zeros(self._cell.size))
        self._ones = aligned(np.ones(self._sigmoids.size))
        self._halves = np.full(2, 0.5, dtype=np.float32)
        self._at_once = self._single and hidden <= MAX_HIDDEN_AT_ONCE
        self._steps = [self._views_of_step(step) for step in range(n_frames)]
        self.hidden = aligned(np.zeros((n_batch, n_frames, 2 * hidden)))
        forward, backward = self.hidden[..., :hidden], self.hidden[..., hidden:]
        self._copies = [
            (forward, self._states[1:, 0].swapaxes(0, 1)),
            (backward, self._states[:0:-1, 1].swapaxes(0, 1)),
        ]

    def _views_of_step(self, step: int) -> tuple[Floats, Floats, Floats]:
        """State before, what the input adds, and where the state after goes."""
        start = step * self.n_batch
        before = self._states[step]
        projected = self._projected[:, :, start : start + self.n_batch]
        return (
            before.reshape(-1) if self._at_once else before,
            projected.reshape(-1) if self._single else projected,
            self._states[step + 1].reshape(-1),
        )

    def run(
        self, features: Floats, weight_ih: Floats, weight_hh: Floats, both_hh: Floats
    ) -> Floats:
        """Run over whole sequences.

        Parameters
        ----------
        features : float32 [shape=(B, T, k)]
        weight_ih : float32 [shape=(4, 2, k + 1, hidden)]
            Gates i, f, o, g by direction; the last row is the bias.  The
            sigmoids' rows are halved.
        weight_hh : float32 [shape=(4, 2, hidden, hidden)]
            As ``weight_ih``, and once more halved: it meets ``2 h``.
        both_hh : float32 [shape=(2 * hidden, 8 * hidden)]
            Of :func:`both_directions`; not read above :data:`MAX_HIDDEN_AT_ONCE` units.

        Returns
        -------
        float32 [shape=(B, T, 2 * hidden)]
            Twice the hidden states, forward and backward; the next run writes over them.
        """
        self._project(features, weight_ih)
        self._cell.fill(0)
        sums, added, flat_sums = self._sums, self._added, self._flat_sums
        sigmoids, ones, output = self._sigmoids, self._ones, self._output
        input_forget, candidate_cell = self._input_forget, self._candidate_cell
        products, flat_products, halves = self._products, self._flat_products, self._halves
        cell, squashed = self._cell, self._squashed
        add, tanh, multiply, dot = np.add, np.tanh, np.multiply, np.dot
        recur: Callable[..., object] = np.matmul
        if self._at_once:
            recur, weight_hh, sums = dot, both_hh, flat_sums
        for before, projected, after in self._steps:
            recur(before, weight_hh, sums)
            add(added, projected, added)
            tanh(flat_sums, flat_sums)
            # Twice the sigmoids; the cell's half is in `halves`.
            add(sigmoids, ones, sigmoids)
            multiply(input_forget, candidate_cell, flat_products)
            dot(halves, products, cell)
            tanh(cell, squashed)
            multiply(output, squashed, after)
        for hidden, states in self._copies:
            hidden[...] = states
        return self.hidden

    def _project(self, features: Floats, weight_ih: Floats) -> None:
        """Multiply all frames with the input weights at once, the backward ones reversed."""
        self._features[...] = features.swapaxes(0, 1)
        self._backward[...] = self._turned
        np.matmul(self._inputs, weight_ih, self._projected)


def both_directions(weight_hh: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(4, 2, hidden, hidden) -> (2 * hidden, 8 * hidden), with zeros where they do not meet."""
    n_gates, n_directions, hidden, _ = weight_hh.shape
    both = np.zeros((n_directions, hidden, n_gates, n_directions, hidden))
    for direction in range(n_directions):
        both[direction, :, :, direction] = weight_hh[:, direction].transpose(1, 0, 2)
    return both.reshape(n_directions * hidden, -1)


def _gate_buffer(n_batch: int, n_rows: int, hidden: int) -> Floats:
    """(gate, direction, time and batch, hidden), one step's share contiguous if it can be."""
    if n_batch > 1:
        return np.empty((4, 2, n_rows, hidden), dtype=np.float32)
    return aligned(np.empty((n_rows, 4, 2, hidden), dtype=np.float32)).transpose(1, 2, 0, 3)
