"""Feature rows side by side, in memory that is taken once; old ones are moved out now and then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Manifest
from edge.stream.voice import Left, Voice

__all__ = ["RowStore"]


class RowStore:
    """The rows of a feature window and some before them, with all that is known of each.

    Parameters
    ----------
    manifest : Manifest
        Says what a row is, what it is normalised by, and how many columns the model takes: one
        more than there are features is 0.
    window_frames : int
        Frames of a feature window.
    n_spare : int
        Frames that it has room for besides two windows: the more, the more seldom are rows moved.
    voice : Voice or None
        Is shown the rows that leave the window.
    """

    def __init__(
        self, manifest: Manifest, window_frames: int, n_spare: int, voice: Voice | None
    ) -> None:
        spec = manifest.feature_spec
        self._mean, self._std = manifest.mean, manifest.std
        self._window_frames, self._voice = window_frames, voice
        self._rms_column = spec.feature_names.index("rms")
        capacity = 2 * window_frames + n_spare
        n_features, n_columns = spec.n_features, manifest.architecture.n_features
        self._rows = np.zeros((capacity, n_columns), dtype=np.float32)
        self._features = self._rows[:, :n_features]
        # As they were, for the voice alone.
        self._raw = np.zeros((capacity if voice else 0, n_features), dtype=np.float32)
        # As whoever looks at levels wants them: once a row, and not twice a window.
        self._rms = np.zeros(capacity)
        self._spoken = np.ones(capacity, dtype=np.bool_)
        self.reset()

    def reset(self) -> None:
        """Forget every row; the same as a fresh object."""
        #: Rows since the start, and those of them in the window.
        self.n_rows = self.n_frames = 0
        self._end = 0
        self._left_row = 0

    @property
    def rows(self) -> NDArray[np.float32]:
        """Normalised rows of the window, float32 [shape=(n_frames, n_columns)], a view."""
        return self._rows[self._end - self.n_frames : self._end]

    @property
    def rms(self) -> NDArray[np.float64]:
        """Linear level of every frame of the window, float64 [shape=(n_frames,)], a view."""
        return self._rms[self._end - self.n_frames : self._end]

    @property
    def spoken(self) -> NDArray[np.bool_]:
        """Which frames of the window hold speech, bool [shape=(n_frames,)], a view."""
        return self._spoken[self._end - self.n_frames : self._end]

    def append(self, rows: NDArray[np.float32], spoken: NDArray[np.bool_] | None) -> None:
        """Take in the next rows.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            One at least; not normalised.
        spoken : bool [shape=(n_rows,)], optional
            Which of them hold speech; None: nothing tells.
        """
        n_new = len(rows)
        if self._end + n_new > len(self._rows):
            kept = min(self._window_frames, self._end)
            self.leave(kept)
            for each in (self._rows, self._rms, self._spoken, self._raw):
                each[:kept] = each[self._end - kept : self._end]
            self._end = kept
        new = slice(self._end, self._end + n_new)
        self._rms[new] = rows[:, self._rms_column]
        if spoken is not None:
            self._spoken[new] = spoken
        if self._voice is not None:
            self._raw[new] = rows
        # Of rows as long as these, a copy more is less than a result with gaps in it.
        normalised = rows - self._mean
        normalised /= self._std
        self._features[new] = normalised
        self._end += n_new
        self.n_rows += n_new
        self.n_frames = min(self._window_frames, self.n_rows)

    def leave(self, n_kept: int) -> None:
        """Show the voice the rows before the newest ``n_kept``, each once."""
        left = self.left(n_kept)
        if left is not None and self._voice is not None:
            self._voice.hear(*left)

    def left(self, n_kept: int) -> Left | None:
        """Give what :meth:`leave` shows the voice, for it to be shown by the caller; or None.

        These are views, which the next rows overwrite.
        """
        n_old = self.n_rows - self._left_row
        if self._voice is None or n_old <= n_kept:
            return None
        first, end = self._end - n_old, self._end - n_kept
        window = slice(first, min(first + self._window_frames, self._end))
        self._left_row = self.n_rows - n_kept
        return Left(self._raw[first:end], self._spoken[first:end], self._rms[window])
