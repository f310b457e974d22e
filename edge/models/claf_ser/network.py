"""CLAF-SER in NumPy alone, as it works wherever NumPy does.

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

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.models.base import frozen
from edge.models.claf_ser.lstm import MAX_HIDDEN_AT_ONCE, both_directions
from edge.models.claf_ser.sizes import ClafSerSizes
from edge.models.claf_ser.weights import fold_classifier
from edge.models.claf_ser.workspace import Workspace, workspaces

__all__ = ["ClafSerNetwork"]

Floats = npt.NDArray[np.float32]

# torch.nn.LayerNorm's default, with which CLAF-SER is trained.
_NORM_EPSILON = np.float32(1e-5)
_ZERO = np.float32(0)
# Products in which the queries' and keys' is done: of a window's size, OpenBLAS packs no matrix of
# a small one first.
_N_PARTS = 4
# More examples at once than this are no faster each, and their buffers leave the cache.
_MAX_BATCH = 16


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ClafSerNetwork:
    """A CLAF-SER's weights, folded; made by :meth:`of`.

    Every array is read-only and begins with a cache line, also in a copy that came through
    pickle: what a product computes must not hang on where its numbers lie.

    Notes
    -----
    Memory of a run grows with the square of the number of frames (attention): 60 kB for a
    window of 2 s, 1 GB for 4 minutes.
    """

    sizes: ClafSerSizes
    weight_ih: Floats
    weight_hh: Floats
    #: ``weight_hh`` for both directions at once; without content where that is slower.
    both_hh: Floats
    query_key: Floats
    query_bias: Floats
    value: Floats
    attended_weight: Floats
    phonetic_weight: Floats
    corpus_bias: Floats
    norm_weight: Floats
    norm_bias: Floats
    fc2_weight: Floats
    fc2_bias: Floats
    conv_weight: Floats
    conv_bias: Floats

    @classmethod
    def of(cls, sizes: ClafSerSizes, weights: Mapping[str, Floats]) -> ClafSerNetwork:
        """Fold weights that are named as :func:`~edge.models.claf_ser.weights.weight_shapes` does.

        Parameters
        ----------
        sizes : ClafSerSizes
        weights : mapping
            Name to float32.
        """
        parts = {
            **_folded_lstm(sizes, weights),
            **_folded_attention(sizes, weights),
            **_folded_classifier(sizes, weights),
        }
        return cls(sizes, **{name: frozen(part) for name, part in parts.items()})

    def runner(self) -> ClafSerRunner:
        """Open one use."""
        return ClafSerRunner(self)

    def __copy__(self) -> ClafSerNetwork:
        return self

    def __deepcopy__(self, memo: object) -> ClafSerNetwork:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        names = [field.name for field in dataclasses.fields(self)]
        return _restored, tuple(getattr(self, name) for name in names)


def _restored(sizes: ClafSerSizes, *parts: Floats) -> ClafSerNetwork:
    """Build a network from what pickle made of its parts, aligned anew."""
    return ClafSerNetwork(sizes, *(frozen(part) for part in parts))


class ClafSerRunner:
    """The forward pass of :class:`ClafSerNetwork`; what it writes to is lent for its length."""

    __slots__ = ("_network", "_shape", "_workspaces")

    def __init__(self, network: ClafSerNetwork) -> None:
        self._network = network
        self._shape: tuple[int, ...] = (0, 0, 0)

    def run(self, features: Floats, corpus: int) -> Floats:
        """Run the network, see :meth:`edge.models.base.Runner.run`."""
        parts = [self._run(part, corpus)[0] for part in _batches(features)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def run_with_attention(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        """Run the network, see :meth:`edge.models.base.AttentiveRunner.run_with_attention`."""
        parts = [self._run(part, corpus) for part in _batches(features)]
        logits, attention = zip(*parts, strict=True)
        n_stacked, n_frames = self._network.sizes.frame_stack, features.shape[1]
        by_frame = _by_frame(np.concatenate(attention), n_stacked, n_frames)
        return np.concatenate(logits), by_frame

    def _run(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        """Logits, and the attention of each step."""
        network = self._network
        if self._shape != features.shape:
            n_batch, n_frames, _ = self._shape = features.shape
            self._workspaces = workspaces(n_batch, n_frames, network.sizes)
        work = self._workspaces.take()
        features = work.stacked(features)
        rows = work.loop.run(features, network.weight_ih, network.weight_hh, network.both_hh)
        pooled, attention = self._attention(rows, work)
        hidden: Floats = pooled @ network.attended_weight
        hidden += self._phonetic(features, work) @ network.phonetic_weight
        self._workspaces.give(work)
        hidden += network.corpus_bias[corpus]
        # The layer norm's mean is already gone, and the mean of the squares is the sum of these.
        power = np.einsum("bi,bi->b", hidden, hidden)
        hidden /= np.sqrt(power + _NORM_EPSILON)[:, None]
        hidden *= network.norm_weight
        hidden += network.norm_bias
        np.maximum(hidden, _ZERO, out=hidden)
        logits: Floats = hidden @ network.fc2_weight
        logits += network.fc2_bias
        return logits, attention

    def _attention(self, rows: Floats, work: Workspace) -> tuple[Floats, Floats]:
        """Attend and take the mean over time, before the output projection.

        (B, T, 2 * hidden) -> (B, 2 * hidden), the heads side by side, and the weights that
        each head gives to each frame in the mean over its queries: (B, n_heads, T).
        """
        n_batch, n_frames, width = rows.shape
        network = self._network
        query, key = self._queries_and_keys(rows, work)
        # (B, key, head, query): maxima and sums over the keys then run along the rows.
        scores = work.products
        by_head = scores.swapaxes(1, 2)
        np.matmul(key, query.swapaxes(2, 3), by_head)
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        np.exp(scores, scores)
        share = np.float32(1 / n_frames) / np.add.reduce(scores, axis=1)
        weights = (by_head @ share[..., None])[..., 0]
        mixed = (weights @ rows).swapaxes(0, 1)
        pooled: Floats = (mixed @ network.value).swapaxes(0, 1).reshape(n_batch, width)
        return pooled, weights

    def _queries_and_keys(self, rows: Floats, work: Workspace) -> tuple[Floats, Floats]:
        """Of every head and frame: (B, n_heads, T, 2 * hidden / n_heads) each."""
        n_batch, n_frames, width = rows.shape
        network, both = self._network, work.query_key
        parts = both.reshape(len(both), _N_PARTS, -1).swapaxes(0, 1)
        np.matmul(rows.reshape(-1, width), network.query_key, parts)
        both[:, :width] += network.query_bias
        shape = n_batch, n_frames, 2, network.sizes.n_heads, -1
        query, key = both.reshape(shape).transpose(2, 0, 3, 1, 4)
        return query, key

    def _phonetic(self, features: Floats, work: Workspace) -> Floats:
        """Convolution, ReLU and mean over time -> (B, conv_channels)."""
        n_batch, n_frames, n_features = features.shape
        network = self._network
        kernel, channels = network.sizes.conv_kernel, network.sizes.conv_channels
        np.matmul(features.reshape(-1, n_features), network.conv_weight, work.taps)
        taps = work.taps.reshape(n_batch, n_frames, kernel, channels)
        centre = kernel // 2
        summed = taps[:, :, centre] + network.conv_bias
        for shift in range(1, centre + 1):
            summed[:, shift:] += taps[:, :-shift, centre - shift]
            summed[:, :-shift] += taps[:, shift:, centre + shift]
        np.maximum(summed, _ZERO, out=summed)
        # A product takes half the time of a sum along the columns.
        mean: Floats = work.mean @ summed
        return mean


def _folded_lstm(sizes: ClafSerSizes, weights: Mapping[str, Floats]) -> dict[str, npt.ArrayLike]:
    # torch's gates i, f, g, o become i, f, o, g: the sigmoids lie together.
    order = [0, 1, 3, 2]
    halves = np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32)

    def by_gate(weight: Floats) -> Floats:
        """(2, 4 * hidden, k) -> (gate, direction, k, hidden)."""
        gates = weight.reshape(2, 4, sizes.hidden, -1)[:, order] * halves[:, None, None]
        ordered: Floats = gates.transpose(1, 0, 3, 2)
        return ordered

    bias = weights["lstm.bias"][..., None]
    # The bias is the weight of a last feature that is always 1.
    both = np.concatenate([weights["lstm.weight_ih"], bias], axis=2)
    weight_hh = by_gate(weights["lstm.weight_hh"]) / 2
    at_once = sizes.hidden <= MAX_HIDDEN_AT_ONCE
    return {
        "weight_ih": by_gate(both),
        "weight_hh": weight_hh,
        "both_hh": both_directions(weight_hh) if at_once else np.empty((0, 0)),
    }


def _folded_attention(
    sizes: ClafSerSizes, weights: Mapping[str, Floats]
) -> dict[str, npt.ArrayLike]:
    width, n_heads = 2 * sizes.hidden, sizes.n_heads
    scale = np.float32((width // n_heads) ** -0.5)

    # All of them meet `2 h`.
    query, key, value = (
        weights[f"attention.{name}.weight"] * np.float32(0.5) for name in ("query", "key", "value")
    )
    both = np.concatenate([query * scale, key])
    return {
        # (2 * width, width) -> (part, width, 2 * width / n_parts)
        "query_key": both.reshape(_N_PARTS, -1, width).transpose(0, 2, 1),
        "query_bias": weights["attention.query.bias"] * scale,
        # (width, width) -> (n_heads, width, width / n_heads)
        "value": value.reshape(n_heads, -1, width).transpose(0, 2, 1),
    }


def _folded_classifier(
    sizes: ClafSerSizes, weights: Mapping[str, Floats]
) -> dict[str, npt.ArrayLike]:
    width = 2 * sizes.hidden
    fc1, rows = fold_classifier(weights)
    # So small that the sum of the squares is the mean that the layer norm wants.
    root = sizes.classifier**0.5
    fc1, rows = fc1 / root, rows / root
    # One product for all taps: (n_features, kernel * channels).
    conv = weights["conv.weight"].transpose(1, 2, 0)
    return {
        "attended_weight": fc1[:, :width].T,
        "phonetic_weight": fc1[:, width:].T,
        "corpus_bias": rows,
        "norm_weight": weights["norm.weight"] * np.float32(root),
        "norm_bias": weights["norm.bias"],
        "fc2_weight": weights["fc2.weight"].T,
        "fc2_bias": weights["fc2.bias"],
        "conv_weight": conv.reshape(conv.shape[0], -1),
        "conv_bias": weights["conv.bias"],
    }


def _batches(features: Floats) -> list[Floats]:
    """Examples that are run at once."""
    if len(features) <= _MAX_BATCH:
        return [features]
    starts = range(0, len(features), _MAX_BATCH)
    return [features[start : start + _MAX_BATCH] for start in starts]


def _by_frame(attention: Floats, n_stacked: int, n_frames: int) -> Floats:
    """Share the attention of each step among its frames: (B, n_heads, T)."""
    if n_stacked == 1:
        return attention
    counts = np.full(attention.shape[2], n_stacked)
    counts[-1] -= -n_frames % n_stacked
    return np.repeat(attention / counts.astype(np.float32), counts, axis=2)
