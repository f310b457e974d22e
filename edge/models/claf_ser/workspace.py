"""What a run of CLAF-SER in NumPy writes to, made once for each shape of its input."""

from __future__ import annotations

import functools
import weakref

import numpy as np
import numpy.typing as npt

from edge.models.base import aligned
from edge.models.claf_ser.lstm import LstmLoop
from edge.models.claf_ser.sizes import ClafSerSizes
from edge.scratch import Scratch

__all__ = ["N_PARTS", "Workspace", "workspaces"]

Floats = npt.NDArray[np.float32]

#: In which the product with the queries' and keys' weights is done: of a window's size, OpenBLAS
#: packs no matrix of a small one first.
N_PARTS = 4

#: As long as somebody has a use for them: those of a long window are large.
_WORKSPACES: weakref.WeakValueDictionary[tuple[int, int, ClafSerSizes], Scratch[Workspace]]
_WORKSPACES = weakref.WeakValueDictionary()


class Workspace:
    """Buffers for batches of one shape, and every view of them that a run needs.

    Made anew in every run, those of a batch would be pages that the system hands out and takes
    back each time, which costs more than what is written to them.  Nothing of one run matters to
    the next: :func:`workspaces` lends them.

    Attributes
    ----------
    loop : LstmLoop
    mean : float32 [shape=(T,)]
        Multiplies what is to be averaged over the steps.
    taps : float32 [shape=(B * T, conv_kernel * conv_channels)]
        What each step adds to the convolution at itself and at its neighbours.
    convolved : float32 [shape=(B, T, conv_channels)]
    own_taps : view of ``taps`` [shape=(B, T, conv_channels)]
        What each step adds at itself.
    neighbours : list of two views
        Steps of ``convolved`` and what is to be added to them of ``taps``.
    rows : view of what ``loop`` gives [shape=(B * T, 2 * hidden)]
    projected : view [shape=(N_PARTS, B * T, 4 * hidden / N_PARTS)]
        Of queries and keys, as the product that makes them is done in parts.
    query_rows : view [shape=(B * T, 2 * hidden)]
        The same queries, all heads side by side.
    query : view [shape=(B, n_heads, 2 * hidden / n_heads, T)]
        The same queries by head, turned to meet the keys.
    key : view [shape=(B, n_heads, T, 2 * hidden / n_heads)]
    products : float32 [shape=(B, T, n_heads, T)]
        Of keys and queries, in this order: maxima and sums over the keys run along rows.
    by_head : view of ``products`` [shape=(B, n_heads, T, T)]
    over_keys : float32 [shape=(B, n_heads, T)]
        What is found of the products of each query: their maximum, then their sum.
    over_keys_row, over_keys_column : views of it
        Against ``products``, and as what ``by_head`` is multiplied with.
    pooled : float32 [shape=(B, 2 * hidden + conv_channels)]
        What the first classifier layer sees.
    attended : view of ``pooled`` [shape=(n_heads, B, 2 * hidden / n_heads)]
    phonetic : view of ``pooled`` [shape=(B, conv_channels)]
    """

    __slots__ = (
        "_padded",
        "attended",
        "by_head",
        "convolved",
        "key",
        "loop",
        "mean",
        "neighbours",
        "over_keys",
        "over_keys_column",
        "over_keys_row",
        "own_taps",
        "phonetic",
        "pooled",
        "products",
        "projected",
        "query",
        "query_rows",
        "rows",
        "taps",
    )

    def __init__(self, n_batch: int, n_frames: int, sizes: ClafSerSizes) -> None:
        n_stacked, n_features = sizes.frame_stack, sizes.n_features
        n_steps = -(-n_frames // n_stacked)
        self._padded = aligned(np.zeros((n_batch, n_steps * n_stacked, n_features)))
        self.loop = LstmLoop(n_batch, n_steps, n_stacked * n_features, sizes.hidden)
        self.mean = aligned(np.full(n_steps, 1 / n_steps))
        self._cut_convolution(n_batch, n_steps, sizes)
        self._cut_attention(n_batch, n_steps, sizes)

    def _cut_convolution(self, n_batch: int, n_steps: int, sizes: ClafSerSizes) -> None:
        kernel, channels = sizes.conv_kernel, sizes.conv_channels
        self.taps = aligned(np.zeros((n_batch * n_steps, kernel * channels)))
        self.convolved = convolved = aligned(np.zeros((n_batch, n_steps, channels)))
        taps = self.taps.reshape(n_batch, n_steps, kernel, channels)
        centre = kernel // 2
        self.own_taps = taps[:, :, centre]
        self.neighbours = []
        for shift in range(1, centre + 1):
            self.neighbours += [
                (convolved[:, shift:], taps[:, :-shift, centre - shift]),
                (convolved[:, :-shift], taps[:, shift:, centre + shift]),
            ]

    def _cut_attention(self, n_batch: int, n_steps: int, sizes: ClafSerSizes) -> None:
        width, n_heads = 2 * sizes.hidden, sizes.n_heads
        self.rows = self.loop.hidden.reshape(n_batch * n_steps, width)
        both = aligned(np.zeros((n_batch * n_steps, 2 * width)))
        self.projected = both.reshape(len(both), N_PARTS, -1).swapaxes(0, 1)
        self.query_rows = both[:, :width]
        by_head = both.reshape(n_batch, n_steps, 2, n_heads, -1).transpose(2, 0, 3, 1, 4)
        self.query, self.key = by_head[0].swapaxes(2, 3), by_head[1]
        self.products = aligned(np.zeros((n_batch, n_steps, n_heads, n_steps)))
        self.by_head = self.products.swapaxes(1, 2)
        self.over_keys = aligned(np.zeros((n_batch, n_heads, n_steps)))
        self.over_keys_row = self.over_keys[:, None]
        self.over_keys_column = self.over_keys[..., None]
        self.pooled = aligned(np.zeros((n_batch, width + sizes.conv_channels)))
        attended, self.phonetic = self.pooled[:, :width], self.pooled[:, width:]
        self.attended = attended.reshape(n_batch, n_heads, -1).swapaxes(0, 1)

    def stacked(self, features: Floats) -> Floats:
        """Lay neighbouring frames side by side: (B, T, k) -> (B, ceil(T / n), n * k)."""
        n_batch, n_frames, _ = features.shape
        padded = self._padded
        if padded.shape != features.shape:
            padded[:, :n_frames] = features
            # As in training: the last frame again.
            padded[:, n_frames:] = features[:, -1:]
            features = padded
        return features.reshape(n_batch, self.loop.n_frames, -1)


def workspaces(n_batch: int, n_frames: int, sizes: ClafSerSizes) -> Scratch[Workspace]:
    """Workspaces of a shape for whoever runs one, whatever the weights, in this process."""
    key = n_batch, n_frames, sizes
    found = _WORKSPACES.get(key)
    if found is None:
        found = _WORKSPACES.setdefault(key, Scratch(functools.partial(Workspace, *key)))
    return found
