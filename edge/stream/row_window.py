"""The newest feature rows, computed once and kept side by side."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Manifest
from edge.features import FeatureExtractor
from edge.features.row_maker import Seen
from edge.stream.batches import listen
from edge.stream.frame_gate import FrameGate
from edge.stream.row_store import RowStore
from edge.stream.sample_filter import SampleFilter
from edge.stream.voice import Voice

__all__ = ["RowWindow"]

#: Frames that are waited for: the default hop.  A call for one frame costs
#: nearly half of a call for sixteen, so a stream that is fed blocks of 32 ms waits
#: for a hop's worth.  It spends a quarter of the work and decides half a
#: millisecond later (``edge-ser benchmark``, x86-64).
_BATCH_FRAMES = 16
#: Batches that are computed in one, where a block holds them: a tile of the spectrum.
_MOST_BATCHES = 4


class RowWindow:
    """Samples in, the normalised rows of the current feature window out.

    Every row is computed and normalised once.

    Parameters
    ----------
    manifest : Manifest
        Says what a row is, what it is normalised by, and how many columns the model takes: one
        more than there are features is 0.
    window_frames, window_hop : int
        Frames of a feature window, and from one to the next.
    heard : callable
        Is shown every batch of samples as it came, float32 [shape=(n_samples,)].
    gate : FrameGate, optional
        Tells which frames hold speech; None: all of them do.
    voice : Voice, optional
        Is shown the rows that leave the window.
    seen : Seen, optional
        Is shown the spectra of the rows.
    """

    def __init__(
        self,
        manifest: Manifest,
        window_frames: int,
        window_hop: int,
        heard: Callable[[NDArray[np.float32]], None],
        gate: FrameGate | None = None,
        voice: Voice | None = None,
        seen: Seen | None = None,
    ) -> None:
        self._spec = spec = manifest.feature_spec
        self._window_frames, self._window_hop = window_frames, window_hop
        self.heard, self.seen = heard, seen
        self.gate = gate
        self.filter = SampleFilter(spec)
        self.extractor = FeatureExtractor(spec)
        #: The rows; with room for some batches, old ones are not moved out with each.
        self.store = RowStore(manifest, window_frames, 4 * _BATCH_FRAMES, voice)
        self._pending = np.zeros(_BATCH_FRAMES * spec.hop_length, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget every sample; the same as a fresh object."""
        self.filter.reset()
        self.extractor.reset()
        if self.gate is not None:
            self.gate.reset()
        self._n_computed = 0
        self._n_pending = 0
        self.store.reset()
        self._decided_row = 0
        self._settled_row = 0
        self._features_s = 0.0
        self._due_row = self._window_frames
        self._due_end = self._spec.n_samples(self._due_row)
        self._plan()

    @property
    def n_samples(self) -> int:
        """Samples taken in since the start."""
        return self._n_computed + self._n_pending

    @property
    def bounds(self) -> tuple[int, int]:
        """First sample of the window and the one behind its last, counted from the start."""
        hop, n_rows = self._spec.hop_length, self.store.n_rows
        first = (n_rows - self.store.n_frames) * hop
        return first, (n_rows - 1) * hop + self._spec.win_length

    @property
    def n_wanted(self) -> int:
        """Samples that the next batch of rows lacks; 0: it is there and waits to be computed."""
        return self._n_batch - self._n_pending

    @property
    def n_new(self) -> int:
        """Samples from the end of the window that was last decided on to the end of this one."""
        return (self.store.n_rows - self._decided_row) * self._spec.hop_length

    @property
    def is_settled(self) -> bool:
        """Whether the newest row was decided on, or left out."""
        return self.store.n_rows == self._settled_row

    @property
    def is_due(self) -> bool:
        """Whether the window is whole and waits for its decision."""
        return self.store.n_rows == self._due_row

    def take(self, samples: NDArray[np.float32]) -> int:
        """Take in samples up to the end of the next batches that lie in one window.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            At least one.

        Returns
        -------
        int
            How many were taken.  Look whether a decision is due before giving more.

        Notes
        -----
        Where a batch ends depends on the samples taken so far alone.  What looks at batches,
        gate and meters, is shown each by itself, and a row does not depend on those beside it,
        so that every split into blocks computes the same numbers to the last bit.
        """
        n_after = self._n_pending + samples.size
        if n_after >= self._n_batch:
            size, due = self._pending.size, self._n_due
            n_most = min(n_after, _MOST_BATCHES * size)
            n_whole = due if due <= n_most else n_most // size * size
            # One batch that is all there need not wait for itself either.
            if n_whole > self._n_batch or not self._n_pending:
                return self._take_whole(samples, n_whole)
        n_taken = self.fill(samples)
        if n_taken is None:
            return samples.size
        self.compute()
        return n_taken

    def fill(self, samples: NDArray[np.float32]) -> int | None:
        """:meth:`take` without computing.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            At least one.

        Returns
        -------
        int or None
            How many were taken where that completes a batch, which is computed before more come.
        """
        n_before = self._n_pending
        n_after = n_before + samples.size
        if n_after < self._n_batch:
            # Most blocks end nothing.
            self._pending[n_before:n_after] = samples
            self._n_pending = n_after
            return None
        n_taken = self._n_batch - n_before
        self._pending[n_before : self._n_batch] = samples[:n_taken]
        self._n_pending = self._n_batch
        return n_taken

    def _take_whole(self, samples: NDArray[np.float32], n_whole: int) -> int:
        """Compute what waits and the next samples together, so many: whole batches."""
        n_before = self._n_pending
        n_taken = n_whole - n_before
        whole = samples[:n_taken]
        if n_before:
            whole = np.concatenate((self._pending[:n_before], whole))
        self._n_computed += n_whole
        self._n_pending = 0
        self._compute(whole)
        return n_taken

    def _plan(self) -> None:
        """Settle where the next batch ends: where a window does if not before."""
        self._n_due = self._due_end - self._n_computed
        self._n_batch = min(self._n_due, self._pending.size)

    def compute(self) -> None:
        """Compute the rows that the waiting samples complete."""
        self._compute(self.begin_batch())

    def _compute(self, samples: NDArray[np.float32]) -> None:
        """Compute the rows that the next samples complete: of one batch, or of some."""
        started_s = time.perf_counter()
        rows = self.extractor.push_checked(self.filter.process_checked(samples), self.seen)
        size = self._pending.size
        n_first = len(rows)
        if samples.size > size:
            n_first = self._spec.n_frames(self._n_computed - samples.size + size)
            n_first -= self.store.n_rows
        spoken = listen(samples, rows, size, _BATCH_FRAMES, n_first, self.heard, self.gate)
        self.end_batch(rows, spoken)
        self._features_s += time.perf_counter() - started_s

    def begin_batch(self) -> NDArray[np.float32]:
        """Give the samples that wait, to be computed; their rows go to :meth:`end_batch`.

        Returns
        -------
        float32 [shape=(n_samples,)]
            A view, which the next samples overwrite.
        """
        samples = self._pending[: self._n_pending]
        self._n_computed += self._n_pending
        self._n_pending = 0
        return samples

    def end_batch(
        self, rows: NDArray[np.float32], spoken: NDArray[np.bool_] | None, took_s: float = 0.0
    ) -> None:
        """Go on with the rows of a batch, however they were computed.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised.
        spoken : bool [shape=(n_rows,)], optional
            Which of them hold speech; None: nothing tells.
        took_s : float
            Seconds spent on them.
        """
        if len(rows):
            self.store.append(rows, spoken)
        self._plan()
        self._features_s += took_s

    def pass_over(self) -> None:
        """Go on to the next window without a decision on this one; its rows stay new."""
        if self.is_due:
            self._due_row += self._window_hop
            self._due_end += self._window_hop * self._spec.hop_length
            self._plan()
        self._settled_row = self.store.n_rows
        self.store.leave(self.store.n_frames)

    def leave(self) -> None:
        """Show the voice all rows that it was not shown before: no window will hold them."""
        self.store.leave(0)

    def decided(self) -> float:
        """Go on to the next window.

        Returns
        -------
        float
            Seconds spent on rows since the call before.
        """
        self.pass_over()
        self._decided_row = self.store.n_rows
        features_s, self._features_s = self._features_s, 0.0
        return features_s
