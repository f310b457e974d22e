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

__all__ = ["Workspace", "workspaces"]

Floats = npt.NDArray[np.float32]

#: As long as somebody has a use for them: those of a long window are large.
_WORKSPACES: weakref.WeakValueDictionary[tuple[int, int, ClafSerSizes], Scratch[Workspace]]
_WORKSPACES = weakref.WeakValueDictionary()


class Workspace:
    """Buffers for batches of one shape.

    Made anew in every run, those of a batch would be pages that the system hands out and takes
    back each time, which costs more than what is written to them.  Nothing of one run matters to
    the next: :func:`workspaces` lends them.

    Attributes
    ----------
    loop : LstmLoop
    mean : float32 [shape=(T,)]
        Multiplies what is to be averaged over the steps.
    taps : float32 [shape=(B * T, conv_kernel * conv_channels)]
    query_key : float32 [shape=(B * T, 4 * hidden)]
    products : float32 [shape=(B, T, n_heads, T)]
        Of keys, queries by head.
    """

    __slots__ = ("_padded", "loop", "mean", "products", "query_key", "taps")

    def __init__(self, n_batch: int, n_frames: int, sizes: ClafSerSizes) -> None:
        n_stacked, n_features = sizes.frame_stack, sizes.n_features
        n_steps = -(-n_frames // n_stacked)
        n_rows = n_batch * n_steps
        self._padded = aligned(np.zeros((n_batch, n_steps * n_stacked, n_features)))
        self.loop = LstmLoop(n_batch, n_steps, n_stacked * n_features, sizes.hidden)
        self.mean = aligned(np.full(n_steps, 1 / n_steps))
        self.taps = aligned(np.zeros((n_rows, sizes.conv_kernel * sizes.conv_channels)))
        self.query_key = aligned(np.zeros((n_rows, 4 * sizes.hidden)))
        self.products = aligned(np.zeros((n_batch, n_steps, sizes.n_heads, n_steps)))

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
