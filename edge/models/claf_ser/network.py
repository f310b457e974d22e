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
from edge.models.claf_ser.workspace import N_PARTS, Workspace, workspaces

__all__ = ["ClafSerNetwork"]

Floats = npt.NDArray[np.float32]

# torch.nn.LayerNorm's default, with which CLAF-SER is trained.
_NORM_EPSILON = np.float32(1e-5)
_ZERO = np.float32(0)
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
    window of 2 s, 1 GB for 4 minutes.  Whoever runs it keeps what its last shape took.
    """

    sizes: ClafSerSizes
    weight_ih: Floats
    weight_hh: Floats
    #: ``weight_hh`` for both directions at once; without content where that is slower.
    both_hh: Floats
    query_key: Floats
    query_bias: Floats
    value: Floats
    fc1_weight: Floats
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
        if len(features) <= _MAX_BATCH:
            return self._run(features, corpus)[0]
        return np.concatenate([self._run(part, corpus)[0] for part in _batches(features)])

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
        work.loop.run(features, network.weight_ih, network.weight_hh, network.both_hh)
        attention = self._attention(work)
        self._convolve(features, work)
        hidden: Floats = work.pooled @ network.fc1_weight
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

    def _attention(self, work: Workspace) -> Floats:
        """Attend to the LSTM's rows and take the mean over time, before the output projection.

        It goes into ``pooled``, the heads side by side; returned are the weights that each head
        gives to each frame in the mean over its queries: (B, n_heads, T).
        """
        network, products, by_head = self._network, work.products, work.by_head
        over_keys = work.over_keys
        np.matmul(work.rows, network.query_key, work.projected)
        np.add(work.query_rows, network.query_bias, work.query_rows)
        np.matmul(work.key, work.query, by_head)
        np.maximum.reduce(products, 1, out=over_keys)
        np.subtract(products, work.over_keys_row, products)
        np.exp(products, products)
        np.add.reduce(products, 1, out=over_keys)
        np.divide(work.mean[0], over_keys, over_keys)
        weights: Floats = np.matmul(by_head, work.over_keys_column)[..., 0]
        mixed = np.matmul(weights, work.loop.hidden).swapaxes(0, 1)
        np.matmul(mixed, network.value, work.attended)
        return weights

    def _convolve(self, features: Floats, work: Workspace) -> None:
        """Convolution, ReLU and mean over time, into ``pooled``."""
        network, convolved = self._network, work.convolved
        np.matmul(features.reshape(len(work.taps), -1), network.conv_weight, work.taps)
        np.add(work.own_taps, network.conv_bias, convolved)
        for steps, taps in work.neighbours:
            np.add(steps, taps, steps)
        np.maximum(convolved, _ZERO, out=convolved)
        # A product takes half the time of a sum along the columns.
        np.matmul(work.mean, convolved, work.phonetic)


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
        "query_key": both.reshape(N_PARTS, -1, width).transpose(0, 2, 1),
        "query_bias": weights["attention.query.bias"] * scale,
        # (width, width) -> (n_heads, width, width / n_heads)
        "value": value.reshape(n_heads, -1, width).transpose(0, 2, 1),
    }


def _folded_classifier(
    sizes: ClafSerSizes, weights: Mapping[str, Floats]
) -> dict[str, npt.ArrayLike]:
    fc1, rows = fold_classifier(weights)
    # So small that the sum of the squares is the mean that the layer norm wants.
    root = sizes.classifier**0.5
    fc1, rows = fc1 / root, rows / root
    # One product for all taps: (n_features, kernel * channels).
    conv = weights["conv.weight"].transpose(1, 2, 0)
    return {
        "fc1_weight": fc1.T,
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
    starts = range(0, len(features), _MAX_BATCH)
    return [features[start : start + _MAX_BATCH] for start in starts]


def _by_frame(attention: Floats, n_stacked: int, n_frames: int) -> Floats:
    """Share the attention of each step among its frames: (B, n_heads, T)."""
    if n_stacked == 1:
        return attention
    counts = np.full(attention.shape[2], n_stacked)
    counts[-1] -= -n_frames % n_stacked
    return np.repeat(attention / counts.astype(np.float32), counts, axis=2)
