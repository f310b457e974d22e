"""What a model attends to: recorded segment by segment, laid over the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import BackendError
from edge.runtimes.base import AttentiveSession, Model

__all__ = ["Recorder", "attention_over_time", "attentive"]

Doubles = NDArray[np.float64]


def attentive(model: Model) -> AttentiveSession:
    """Open a session that gives attention weights.

    Raises
    ------
    BackendError
        If the model's sessions give none.
    """
    session = model.session()
    if not isinstance(session, AttentiveSession):
        raise BackendError(
            f"backend {model.name!r} gives no attention weights, which explaining a decision "
            "needs: use an artifact that was exported for 'numpy', as the bundled default was"
        )
    return session


def attention_over_time(
    shares: Sequence[ArrayLike], first_rows: Sequence[int], n_frames: int
) -> Doubles:
    """Lay the attention of overlapping segments over the clip.

    Parameters
    ----------
    shares : sequence of float [shape=(n_segment_frames,)]
        Share of a segment's attention that each of its frames receives.
    first_rows : sequence of int
        Frame of the clip that each segment begins with.
    n_frames : int
        Frames of the clip.

    Returns
    -------
    float64 [shape=(n_frames,)]
        Share times the segment's number of frames, so that 1 is even attention, and of
        that the mean over the segments that hold the frame; NaN where none does.
    """
    total, n_segments = np.zeros(n_frames), np.zeros(n_frames)
    for share, first in zip(shares, first_rows, strict=True):
        values = np.asarray(share, dtype=np.float64)
        held = slice(first, first + values.size)
        total[held] += values * values.size
        n_segments[held] += 1
    mean: Doubles = np.full(n_frames, np.nan)
    np.divide(total, n_segments, out=mean, where=n_segments > 0)
    return mean


class Recorder:
    """A model whose one session passes on to another and keeps the attention of every segment."""

    name = "recorder"

    def __init__(self, session: AttentiveSession) -> None:
        self.shares: list[NDArray[np.float32]] = []
        self._session = session

    def session(self) -> Recorder:
        """Return itself: one session, as long as one clip is explained."""
        return self

    def infer(self, features: NDArray[np.float32], corpus: int) -> NDArray[np.float32]:
        """Pass on and keep the attention, as :meth:`edge.runtimes.base.Session.infer`."""
        logits, attention = self._session.infer_with_attention(features, corpus)
        self.shares.extend(attention.mean(axis=1))
        return logits
