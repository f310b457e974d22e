"""Blocks in, decisions out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples, softmax
from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.stream.decision import Decision, Smoother, SmootherSettings
from edge.stream.speech_gate import GateSettings, SpeechGate, segment_level_db
from edge.stream.timeline import Timeline

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["Stream"]

#: Frames computed together at most: the default hop.  A call for one frame costs
#: nearly half of a call for sixteen, so a stream that is fed blocks of 32 ms waits
#: for a hop's worth.  It spends a quarter of the work and decides half a
#: millisecond later (``edge-ser benchmark``, x86-64).
_BATCH_FRAMES = 16


class Stream:
    """Blocks in, decisions out; made by :meth:`Classifier.stream`.

    Every feature row is computed and normalised once.  The rows of the current
    window lie side by side in one preallocated array, so a decision copies nothing.

    Parameters
    ----------
    classifier : Classifier
    window_frames, window_hop : int
        Frames of a feature window, and from one to the next.
    smooth, gate, language
        As in :meth:`Classifier.stream`.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        window_frames: int,
        window_hop: int,
        smooth: bool | SmootherSettings = True,
        gate: GateSettings | None = None,
        language: str | None = None,
    ) -> None:
        spec = classifier.spec
        self.classifier = classifier
        self.window_frames = window_frames
        self.window_hop = window_hop
        self.window_s = spec.n_samples(window_frames) / spec.sample_rate
        self.hop_s = window_hop * spec.hop_length / spec.sample_rate
        if self.hop_s > self.window_s:
            raise ParameterError(
                f"a hop of {self.hop_s:.3f} s over a window of {self.window_s:.3f} s leaves audio "
                "unheard: a hop no longer than the window is wanted"
            )
        self._language = classifier.artifact.manifest.language_id(language)
        self._session = classifier.model.session()
        self._gate = SpeechGate(gate)
        self._smoother: Smoother | None = None
        if smooth:
            settings = smooth if isinstance(smooth, SmootherSettings) else None
            self._smoother = Smoother(classifier.labels, self.hop_s, settings)
        self._extractor = FeatureExtractor(spec)
        self._rms_column = spec.feature_names.index("rms")
        # With room for twice the window and some batches, old rows are moved out once in a
        # while and not with every batch.
        capacity = 2 * window_frames + 4 * _BATCH_FRAMES
        self._rows = np.zeros((capacity, spec.n_features), dtype=np.float32)
        self._rms = np.zeros(capacity, dtype=np.float32)
        self._pending = np.zeros(_BATCH_FRAMES * spec.hop_length, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the same as a fresh stream."""
        self._extractor.reset()
        if self._smoother is not None:
            self._smoother.reset()
        self._timeline = Timeline()
        self._n_taken = 0
        self._n_pending = 0
        self._n_rows = 0
        self._end = 0
        self._due_row = self.window_frames
        self._decided_row = 0
        self._features_s = 0.0
        self._n_dropped = 0
        self._flushed = False

    def push(
        self, block: ArrayLike, *, dropped_samples: int = 0, arrived_s: float | None = None
    ) -> list[Decision]:
        """Take in a block and hand out the decisions that it completes.

        Parameters
        ----------
        block : float [shape=(n_samples,)]
            Mono at the model's sample rate, full scale 1; any length, also 0.
        dropped_samples : int
            Samples lost between the block before and this one.  The clock moves on
            by them, and the next decision reports them.
        arrived_s : float, optional
            ``time.perf_counter()`` when the block was there; None: now.

        Returns
        -------
        list of Decision

        Raises
        ------
        ParameterError
            If the block is not 1-D finite floats (nothing of it is taken in), or the
            stream was flushed.
        """
        if arrived_s is None:
            arrived_s = time.perf_counter()
        if self._flushed:
            raise ParameterError("the stream was flushed, call reset() before pushing more")
        samples = as_samples(block, "block")
        if dropped_samples < 0:
            raise ParameterError(f"dropped_samples is {dropped_samples}, 0 or more is wanted")
        if dropped_samples:
            self._timeline.skip(self._n_taken + self._n_pending, dropped_samples)
            self._n_dropped += dropped_samples
        decisions = []
        start = 0
        while start < samples.size:
            n_wanted = self._batch_samples() - self._n_pending
            piece = samples[start : start + n_wanted]
            start += piece.size
            self._pending[self._n_pending : self._n_pending + piece.size] = piece
            self._n_pending += piece.size
            if piece.size == n_wanted:
                self._take_pending()
                if self._n_rows == self._due_row:
                    decisions.append(self._decide(arrived_s))
                    self._due_row += self.window_hop
        return decisions

    def flush(self) -> list[Decision]:
        """End the stream: one last decision on rows that none has covered.

        Returns
        -------
        list of Decision
            Empty when nothing is left or no frame was ever whole.  The last segment is
            as long as a window, or as the stream where that was shorter.
        """
        if self._flushed:
            return []
        self._flushed = True
        arrived_s = time.perf_counter()
        self._take_pending()
        return [] if self._n_rows == self._decided_row else [self._decide(arrived_s)]

    def _batch_samples(self) -> int:
        """Samples of the next batch, which ends where a window does if not before.

        It depends on the samples taken so far alone, so that every split into blocks
        computes the same numbers to the last bit.
        """
        spec = self.classifier.spec
        due = spec.n_samples(self._due_row) - self._n_taken
        return min(due, _BATCH_FRAMES * spec.hop_length)

    def _take_pending(self) -> None:
        """Compute the rows that the waiting samples complete."""
        started_s = time.perf_counter()
        rows = self._extractor.push(self._pending[: self._n_pending])
        self._n_taken += self._n_pending
        self._n_pending = 0
        n_new = len(rows)
        if n_new:
            if self._end + n_new > len(self._rows):
                kept = min(self.window_frames, self._end)
                self._rows[:kept] = self._rows[self._end - kept : self._end]
                self._rms[:kept] = self._rms[self._end - kept : self._end]
                self._end = kept
            new = slice(self._end, self._end + n_new)
            self._rms[new] = rows[:, self._rms_column]
            np.subtract(rows, self.classifier.mean, out=self._rows[new])
            self._rows[new] /= self.classifier.std
            self._end += n_new
            self._n_rows += n_new
        self._features_s += time.perf_counter() - started_s

    def _decide(self, arrived_s: float) -> Decision:
        spec, labels = self.classifier.spec, self.classifier.labels
        n_frames = min(self.window_frames, self._n_rows)
        window = slice(self._end - n_frames, self._end)
        started_s = time.perf_counter()
        logits = self._session.infer(self._rows[None, window], self._language)
        model_s = time.perf_counter() - started_s
        raw = softmax(logits[0], self.classifier.temperature)
        raw_label = labels[int(raw.argmax())]
        frame_rms = self._rms[window]
        speech = self._gate.is_speech(frame_rms)
        label, posterior = raw_label, raw
        if self._smoother is not None:
            label, posterior = self._smoother.update(raw, speech)
        first = (self._n_rows - n_frames) * spec.hop_length
        last = (self._n_rows - 1) * spec.hop_length + spec.win_length - 1
        decision = Decision(
            start_s=self._timeline.position(first) / spec.sample_rate,
            end_s=(self._timeline.position(last) + 1) / spec.sample_rate,
            label=label,
            posterior=_by_label(labels, posterior),
            raw_label=raw_label,
            rms_db=segment_level_db(frame_rms),
            features_ms=1000 * self._features_s,
            model_ms=1000 * model_s,
            latency_ms=1000 * (time.perf_counter() - arrived_s),
            dropped_samples=self._n_dropped,
            speech=speech,
        )
        self._timeline.forget(first)
        self._decided_row = self._n_rows
        self._features_s, self._n_dropped = 0.0, 0
        return decision


def _by_label(labels: tuple[str, ...], posterior: NDArray[np.float64]) -> Mapping[str, float]:
    return dict(zip(labels, posterior.tolist(), strict=True))
