"""CLAF-SER in NumPy alone: the runtime that works wherever NumPy does.

What is computed is the model of ``quantize/models/claf_ser.py`` in evaluation
mode; how, was chosen for one window at a time on one core:

* A sigmoid is ``(1 + tanh(x / 2)) / 2``, which cannot overflow and shares one
  ``tanh`` call with the cell gate.  The inner half is folded into the gates'
  weights, the outer one of the output gate into every reader of the LSTM: the
  loop keeps ``2 h``, never ``h``.
* Both directions take a time step in one batched product, over buffers that are
  laid out gate by gate, so that every call in the loop sees contiguous memory.
* The mean over time and everything up to the layer norm are linear.  So the mean
  is taken of the attention's weights, which then mix the LSTM's rows themselves,
  and values, output projection, first classifier layer and the layer norm's
  centring become one matrix, multiplied once when the model is loaded.
* The bias of the attention's keys shifts all scores of a query alike and is
  gone after the softmax.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.backends.base import check_inputs
from edge.backends.numpy_weights import read_weights
from edge.manifest import Manifest

__all__ = ["NumpyBackend"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

# torch.nn.LayerNorm's default, with which CLAF-SER is trained.
_NORM_EPSILON = np.float32(1e-5)


class NumpyBackend:
    """Run a ``model.npz``.

    Parameters
    ----------
    manifest : Manifest
        Its architecture says which arrays the model must hold.
    model : bytes
        Content of ``model.npz``.

    Raises
    ------
    ArtifactError
        If the bytes are not the weights of such a model.
    """

    name = "numpy"

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self._manifest = manifest
        sizes = manifest.architecture
        self._hidden, self._n_heads = sizes.hidden, sizes.n_heads
        self._conv_kernel, self._conv_channels = sizes.conv_kernel, sizes.conv_channels
        # Folded in float64, so that what is computed differs from torch by rounding alone.
        weights: dict[str, Doubles] = {
            name: weight.astype(np.float64) for name, weight in read_weights(model, sizes).items()
        }
        self._fold_lstm(weights)
        self._fold_attention(weights)
        self._fold_classifier(weights)
        self._loop = _LstmLoop(1, 1, self._hidden)

    def infer(self, features: Floats, language: int) -> Floats:
        """Run the model, see :meth:`edge.backends.base.Backend.infer`."""
        check_inputs(self._manifest, features, language)
        rows = self._lstm(features)
        mixed = self._attention(rows)
        hidden: Floats = mixed @ self._pool
        hidden += self._phonetic(features) @ self._phonetic_weight
        hidden += self._language_bias[language]
        # The layer norm's mean is already gone.
        power = np.einsum("bi,bi->b", hidden, hidden) / np.float32(hidden.shape[1])
        hidden /= np.sqrt(power + _NORM_EPSILON)[:, None]
        hidden *= self._norm_weight
        hidden += self._norm_bias
        np.maximum(hidden, np.float32(0), out=hidden)
        logits: Floats = hidden @ self._fc2_weight
        logits += self._fc2_bias
        return logits

    def _fold_lstm(self, weights: Mapping[str, Doubles]) -> None:
        n = self._hidden
        # torch's gates i, f, g, o become i, f, o, g: the sigmoids lie together.
        order = [0, 1, 3, 2]
        halves = np.array([0.5, 0.5, 0.5, 1.0])

        def by_gate(weight: Doubles) -> Doubles:
            """(2, 4 * hidden, k) -> (gate, direction, k, hidden)."""
            gates = weight.reshape(2, 4, n, -1)[:, order] * halves[None, :, None, None]
            ordered: Doubles = gates.transpose(1, 0, 3, 2)
            return ordered

        self._weight_ih = _single(by_gate(weights["lstm.weight_ih"]))
        self._weight_hh = _single(by_gate(weights["lstm.weight_hh"]) / 2)
        self._lstm_bias = _single(by_gate(weights["lstm.bias"][..., None]))

    def _fold_attention(self, weights: Mapping[str, Doubles]) -> None:
        width = 2 * self._hidden
        scale = (width // self._n_heads) ** -0.5
        query = weights["attention.query.weight"].T * scale / 2
        key = weights["attention.key.weight"].T / 2
        self._query_key = _single(np.concatenate([query, key], axis=1))
        self._query_bias = _single(weights["attention.query.bias"] * scale)

    def _fold_classifier(self, weights: Mapping[str, Doubles]) -> None:
        width = 2 * self._hidden
        per_head = width // self._n_heads
        fc1 = weights["fc1.weight"]
        centred = fc1 - fc1.mean(axis=0)
        attended, phonetic = centred[:, :width], centred[:, width:]
        output = attended @ weights["attention.output.weight"]
        value = weights["attention.value.weight"].reshape(self._n_heads, per_head, width)
        folded = [
            output[:, head * per_head : (head + 1) * per_head] @ value[head] / 2
            for head in range(self._n_heads)
        ]
        self._pool = _single(np.concatenate(folded, axis=1).T)
        self._phonetic_weight = _single(phonetic.T)
        bias = weights["fc1.bias"] - weights["fc1.bias"].mean()
        bias = bias + output @ weights["attention.value.bias"]
        bias = bias + attended @ weights["attention.output.bias"]
        self._language_bias = _single(weights["language.weight"] @ attended.T + bias)
        self._norm_weight = _single(weights["norm.weight"])
        self._norm_bias = _single(weights["norm.bias"])
        self._fc2_weight = _single(weights["fc2.weight"].T)
        self._fc2_bias = _single(weights["fc2.bias"])
        # One product for all taps: (n_features, kernel * channels).
        conv = weights["conv.weight"].transpose(1, 2, 0)
        self._conv_weight = _single(conv.reshape(conv.shape[0], -1))
        self._conv_bias = _single(weights["conv.bias"])

    def _lstm(self, features: Floats) -> Floats:
        """Twice the BiLSTM's output: (B, T, n_features) -> (B, T, 2 * hidden)."""
        n_batch, n_frames, n_features = features.shape
        loop = self._loop
        if loop.n_batch != n_batch or loop.n_frames != n_frames:
            loop = self._loop = _LstmLoop(n_batch, n_frames, self._hidden)
        rows = np.empty((2, n_frames, n_batch, n_features), dtype=np.float32)
        rows[0] = features.transpose(1, 0, 2)
        rows[1] = rows[0, ::-1]
        flat = rows.reshape(2, n_frames * n_batch, n_features)
        np.matmul(flat, self._weight_ih, loop.projected)
        loop.projected += self._lstm_bias
        return loop.run(self._weight_hh)

    def _attention(self, rows: Floats) -> Floats:
        """Mix the rows by each head's mean weights -> (B, n_heads * 2 * hidden)."""
        n_batch, n_frames, width = rows.shape
        both = rows.reshape(-1, width) @ self._query_key
        both[:, :width] += self._query_bias
        both = both.reshape(n_batch, n_frames, 2, self._n_heads, -1)
        query = both[:, :, 0].transpose(0, 2, 1, 3)
        key = both[:, :, 1].transpose(0, 2, 3, 1)
        scores = query @ key
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, scores)
        share = 1 / (scores.sum(axis=3) * np.float32(n_frames))
        mean_weights = share[:, :, None] @ scores
        mixed: Floats = (mean_weights[:, :, 0] @ rows).reshape(n_batch, -1)
        return mixed

    def _phonetic(self, features: Floats) -> Floats:
        """Convolution, ReLU and mean over time -> (B, conv_channels)."""
        n_batch, n_frames, n_features = features.shape
        taps = features.reshape(-1, n_features) @ self._conv_weight
        taps = taps.reshape(n_batch, n_frames, self._conv_kernel, self._conv_channels)
        centre = self._conv_kernel // 2
        summed = taps[:, :, centre] + self._conv_bias
        for shift in range(1, min(centre + 1, n_frames)):
            summed[:, shift:] += taps[:, :-shift, centre - shift]
            summed[:, :-shift] += taps[:, shift:, centre + shift]
        np.maximum(summed, np.float32(0), out=summed)
        mean: Floats = summed.mean(axis=1)
        return mean


class _LstmLoop:
    """The recurrence of both directions for one batch size and length.

    Buffers and every view of them are made once: at one window at a time the
    loop's cost is the number of NumPy calls.
    """

    def __init__(self, n_batch: int, n_frames: int, hidden: int) -> None:
        self.n_batch, self.n_frames = n_batch, n_frames
        rows = n_frames * n_batch
        # (gate, direction, time and batch, hidden); one step's is contiguous if batch is 1.
        self.projected: Floats = (
            np.empty((rows, 4, 2, hidden), dtype=np.float32).transpose(1, 2, 0, 3)
            if n_batch == 1
            else np.empty((4, 2, rows, hidden), dtype=np.float32)
        )
        self._steps = [
            self.projected[:, :, start : start + n_batch] for start in range(0, rows, n_batch)
        ]
        # State 0 is silence before the first frame.
        self._states = np.zeros((n_frames + 1, 2, n_batch, hidden), dtype=np.float32)
        # i, f, o, g and behind them the cell, so that (i, f) * (g, cell) is one call.
        self._gates = np.empty((5, 2, n_batch, hidden), dtype=np.float32)
        self._products = np.empty((2, 2 * n_batch * hidden), dtype=np.float32)

    def run(self, weight_hh: Floats) -> Floats:
        """Twice the hidden states -> (B, T, 2 * hidden); reads ``projected``."""
        gates, products = self._gates, self._products
        four, sigmoids, output = gates[:4], gates[:3], gates[2]
        pair, partner, cell = gates[:2], gates[3:], gates[4]
        flat_cell = cell.reshape(-1)
        squashed = np.empty_like(cell)
        shaped = products.reshape(pair.shape)
        ones = np.ones_like(sigmoids)
        halves = np.full(2, 0.5, dtype=np.float32)
        add, multiply, tanh, matmul, dot = np.add, np.multiply, np.tanh, np.matmul, np.dot
        cell[...] = 0
        states = self._states
        previous = states[0]
        for projected, state in zip(self._steps, states[1:], strict=True):
            matmul(previous, weight_hh, four)
            add(four, projected, four)
            tanh(four, four)
            add(sigmoids, ones, sigmoids)
            multiply(pair, partner, shaped)
            dot(halves, products, flat_cell)
            tanh(cell, squashed)
            multiply(output, squashed, state)
            previous = state
        forward, backward = states[1:, 0], states[:0:-1, 1]
        rows = np.concatenate([forward, backward], axis=2).transpose(1, 0, 2)
        return np.ascontiguousarray(rows)


def _single(values: Doubles) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)
