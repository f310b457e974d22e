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
  is taken of the attention's weights, which then mix the LSTM's rows themselves:
  the value projection sees one row a head instead of one a frame.  The output
  projection, the first classifier layer and the layer norm's centring become one
  matrix when the model is loaded.
* The bias of the attention's keys shifts all scores of a query alike and is
  gone after the softmax.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.artifact import Manifest
from edge.runtimes.base import check_inputs
from edge.runtimes.numpy.lstm import LstmLoop, aligned
from edge.runtimes.numpy.weights import fold_classifier, read_weights

__all__ = ["NumpyBackend"]

Floats = npt.NDArray[np.float32]

# torch.nn.LayerNorm's default, with which CLAF-SER is trained.
_NORM_EPSILON = np.float32(1e-5)
# More examples at once than this are no faster each, and their buffers leave the cache.
_MAX_BATCH = 16


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

    Notes
    -----
    Memory grows with the square of the number of frames (attention): 60 kB for a
    window of 2 s, 1 GB for 4 minutes.
    """

    name = "numpy"

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self._manifest = manifest
        sizes = manifest.architecture
        self._hidden, self._n_heads = sizes.hidden, sizes.n_heads
        self._frame_stack = sizes.frame_stack
        self._conv_kernel, self._conv_channels = sizes.conv_kernel, sizes.conv_channels
        weights = read_weights(model, sizes)
        self._fold_lstm(weights)
        self._fold_attention(weights)
        self._fold_classifier(weights)
        self._loop = LstmLoop(1, 1, self._hidden)

    def infer(self, features: Floats, language: int) -> Floats:
        """Run the model, see :meth:`edge.runtimes.base.Backend.infer`."""
        return self.infer_with_attention(features, language)[0]

    def infer_with_attention(self, features: Floats, language: int) -> tuple[Floats, Floats]:
        """Run the model, see :meth:`edge.runtimes.base.AttentiveBackend.infer_with_attention`."""
        check_inputs(self._manifest, features, language)
        n_batch = features.shape[0]
        if n_batch <= _MAX_BATCH:
            return self._infer(features, language)
        parts = [
            self._infer(features[start : start + _MAX_BATCH], language)
            for start in range(0, n_batch, _MAX_BATCH)
        ]
        logits, attention = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(attention)

    def _infer(self, features: Floats, language: int) -> tuple[Floats, Floats]:
        n_frames = features.shape[1]
        features = _stacked(features, self._frame_stack)
        pooled, attention = self._attention(self._lstm(features))
        hidden: Floats = pooled @ self._attended_weight
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
        return logits, _by_frame(attention, self._frame_stack, n_frames)

    def _fold_lstm(self, weights: Mapping[str, Floats]) -> None:
        # torch's gates i, f, g, o become i, f, o, g: the sigmoids lie together.
        order = [0, 1, 3, 2]
        halves = np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32)

        def by_gate(weight: Floats) -> Floats:
            """(2, 4 * hidden, k) -> (gate, direction, k, hidden)."""
            gates = weight.reshape(2, 4, self._hidden, -1)[:, order] * halves[:, None, None]
            ordered: Floats = gates.transpose(1, 0, 3, 2)
            return ordered

        bias = weights["lstm.bias"][..., None]
        # The bias is the weight of a last feature that is always 1.
        both = np.concatenate([weights["lstm.weight_ih"], bias], axis=2)
        self._weight_ih = aligned(by_gate(both))
        self._weight_hh = aligned(by_gate(weights["lstm.weight_hh"]) / 2)

    def _fold_attention(self, weights: Mapping[str, Floats]) -> None:
        width = 2 * self._hidden
        scale = np.float32((width // self._n_heads) ** -0.5)

        def by_head(weight: Floats) -> Floats:
            """(width, k) -> (n_heads, k, width / n_heads); ``2 h`` is what k meets."""
            heads = weight.reshape(self._n_heads, -1, weight.shape[1]) * np.float32(0.5)
            ordered: Floats = heads.transpose(0, 2, 1)
            return ordered

        query = by_head(weights["attention.query.weight"] * scale)
        key = by_head(weights["attention.key.weight"])
        self._query_key = aligned(np.concatenate([query, key]))
        bias = weights["attention.query.bias"] * scale
        self._query_bias = aligned(bias.reshape(self._n_heads, 1, -1))
        self._value = aligned(by_head(weights["attention.value.weight"]))

    def _fold_classifier(self, weights: Mapping[str, Floats]) -> None:
        width = 2 * self._hidden
        fc1, rows = fold_classifier(weights)
        self._attended_weight = aligned(fc1[:, :width].T)
        self._phonetic_weight = aligned(fc1[:, width:].T)
        self._language_bias = aligned(rows)
        self._norm_weight = aligned(weights["norm.weight"])
        self._norm_bias = aligned(weights["norm.bias"])
        self._fc2_weight = aligned(weights["fc2.weight"].T)
        self._fc2_bias = aligned(weights["fc2.bias"])
        # One product for all taps: (n_features, kernel * channels).
        conv = weights["conv.weight"].transpose(1, 2, 0)
        self._conv_weight = aligned(conv.reshape(conv.shape[0], -1))
        self._conv_bias = aligned(weights["conv.bias"])

    def _lstm(self, features: Floats) -> Floats:
        """Twice the BiLSTM's output: (B, T, n_features) -> (B, T, 2 * hidden)."""
        n_batch, n_frames, _ = features.shape
        loop = self._loop
        if loop.n_batch != n_batch or loop.n_frames != n_frames:
            loop = self._loop = LstmLoop(n_batch, n_frames, self._hidden)
        return loop.run(features, self._weight_ih, self._weight_hh)

    def _attention(self, rows: Floats) -> tuple[Floats, Floats]:
        """Attend and take the mean over time, before the output projection.

        (B, T, 2 * hidden) -> (B, 2 * hidden), the heads side by side, and the weights that
        each head gives to each frame in the mean over its queries: (B, n_heads, T).
        """
        n_batch, n_frames, width = rows.shape
        n_heads = self._n_heads
        both = np.matmul(rows[:, None], self._query_key)
        query, key = both[:, :n_heads], both[:, n_heads:]
        query += self._query_bias
        # (B, head, key, query): sums and maxima over keys then run along the rows.
        scores = key @ query.transpose(0, 1, 3, 2)
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, scores)
        share = np.float32(1 / n_frames) / scores.sum(axis=2)
        weights = scores @ share[..., None]
        mixed = weights.transpose(0, 1, 3, 2) @ rows[:, None]
        pooled: Floats = (mixed @ self._value).reshape(n_batch, width)
        return pooled, weights[..., 0]

    def _phonetic(self, features: Floats) -> Floats:
        """Convolution, ReLU and mean over time -> (B, conv_channels)."""
        n_batch, n_frames, n_features = features.shape
        taps = features.reshape(-1, n_features) @ self._conv_weight
        taps = taps.reshape(n_batch, n_frames, self._conv_kernel, self._conv_channels)
        centre = self._conv_kernel // 2
        summed = taps[:, :, centre] + self._conv_bias
        for shift in range(1, centre + 1):
            summed[:, shift:] += taps[:, :-shift, centre - shift]
            summed[:, :-shift] += taps[:, shift:, centre + shift]
        np.maximum(summed, np.float32(0), out=summed)
        mean: Floats = summed.mean(axis=1)
        return mean


def _stacked(features: Floats, n_stacked: int) -> Floats:
    """Lay neighbouring frames side by side: (B, T, k) -> (B, ceil(T / n), n * k)."""
    if n_stacked == 1:
        return features
    n_batch, n_frames, n_features = features.shape
    if n_missing := -n_frames % n_stacked:
        # As in training: the last frame again.
        features = np.concatenate([features] + [features[:, -1:]] * n_missing, axis=1)
    return features.reshape(n_batch, -1, n_stacked * n_features)


def _by_frame(attention: Floats, n_stacked: int, n_frames: int) -> Floats:
    """Share the attention of each step among its frames: (B, n_heads, T)."""
    if n_stacked == 1:
        return attention
    counts = np.full(attention.shape[2], n_stacked)
    counts[-1] -= -n_frames % n_stacked
    return np.repeat(attention / counts.astype(np.float32), counts, axis=2)
