"""The stages of a decision, each by itself: what each costs, and nothing else beside it."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
from numpy.typing import NDArray

from edge.audio.mixdown import AUTO, Mixdown
from edge.audio.recording import Recording
from edge.features.extractor import FeatureExtractor
from edge.stream.answering import Answering
from edge.stream.classifier import Classifier
from edge.stream.judge import Judge
from edge.stream.row_window import RowWindow
from edge.stream.speech_gate import segment_level_db

__all__ = ["CAPTURE_BLOCK_S", "CAPTURE_PROCESSOR", "CAPTURE_RATE", "Stages"]

Samples = NDArray[np.float32]

#: What most microphones are opened with, in Hz, and how long the blocks of a callback are.
CAPTURE_RATE = 48_000
CAPTURE_BLOCK_S = 0.032

#: The processor's time for the two stages that only a microphone has.
CAPTURE_PROCESSOR = "capture_processor"


class _Known:
    """A model that knows the answer, so that what is left is everything around it."""

    def __init__(self, name: str, n_labels: int) -> None:
        self.name = name
        self.logits = np.zeros((1, n_labels), dtype=np.float32)

    def session(self) -> _Known:
        """Be one's own session."""
        return self

    def infer(self, features: Samples, corpus: int) -> Samples:
        """Give the logits that it was told."""
        return self.logits


@dataclasses.dataclass(slots=True)
class _Times:
    """What PortAudio tells of a block."""

    inputBufferAdcTime: float  # noqa: N815 - PortAudio's name


@dataclasses.dataclass(slots=True)
class _Seen:
    """What a judge is shown of a segment."""

    rows: Samples
    rms: NDArray[np.float64]
    spoken: NDArray[np.bool_]
    logits: Samples


class Stages:
    """Every stage of a decision on one artifact; what a stage is given was made before.

    Parameters
    ----------
    classifier : Classifier
    samples : float32 [shape=(n_samples,)]
        Speech at the model's rate, at least two segments of it.
    """

    def __init__(self, classifier: Classifier, samples: Samples) -> None:
        spec, manifest = classifier.spec, classifier.artifact.manifest
        self._frames, self._manifest = classifier.window_frames, manifest
        n_hop = classifier.window_hop * spec.hop_length
        n_segment = spec.n_samples(self._frames)
        self._hop_s = n_hop / spec.sample_rate
        self._segments = [
            samples[i : i + n_segment] for i in range(0, samples.size - n_segment + 1, n_hop)
        ]
        self._hops = [samples[i : i + n_hop] for i in range(0, samples.size - n_hop + 1, n_hop)]
        extractor = FeatureExtractor(spec)
        self._hop_rows = [extractor.push(hop) for hop in self._hops]
        # Capture: blocks as a callback gets them, by a clock that is never late.
        n_block = round(CAPTURE_RATE * CAPTURE_BLOCK_S)
        # No noise: NumPy's generator would be 6 MB.
        tone = 0.1 * np.sin(0.05 * np.arange(n_block))
        self._block, self._adc_s = tone.astype(np.float32).tobytes(), 0.0
        self._n_block, self._n_hop = n_block, n_hop
        self._n_blocks = max(1, round(self._hop_s / CAPTURE_BLOCK_S))
        self._recording = Recording(
            "", spec.sample_rate, max(1.0, 4 * self._hop_s), CAPTURE_RATE,
            Mixdown(AUTO, 1, CAPTURE_RATE),
        )  # fmt: skip
        # What the resampler holds back, so that every hop ends with its own last block.
        self._hear(1)
        self._recording.take(0.0, n_hop)
        # Features, gate, model and what is around it.
        front_end = spec.front_end
        self._filter = None if front_end is None else front_end.filter(spec.sample_rate)
        self._whole = RowWindow(manifest, self._frames, classifier.window_hop, _unheard)
        self._growing = RowWindow(manifest, self._frames, classifier.window_hop, _unheard)
        _fill(self._growing, self._segments[0])
        self._session = classifier.model.session()
        self._corpus = manifest.corpus_id(None)
        self._known = _Known(classifier.model.name, len(classifier.labels))
        judging = Classifier(classifier.artifact, self._known)
        answering = Answering(judging.labels, judging.abstention)
        self._judge = Judge(judging, answering, True, None, None, None, None)
        self._gate = self._judge.frame_gate
        window = RowWindow(
            manifest, self._frames, classifier.window_hop, _unheard, self._judge.frame_gate
        )
        self._seen = [self._look(window, segment) for segment in self._segments]

    def _look(self, window: RowWindow, segment: Samples) -> _Seen:
        window.reset()
        _fill(window, segment)
        store = window.store
        rows = store.rows.copy()
        logits = self._session.infer(rows[None], self._corpus)
        return _Seen(rows, store.rms.copy(), store.spoken.copy(), logits)

    def run(self, i: int) -> dict[str, float]:
        """Run every stage once.

        Parameters
        ----------
        i : int
            Which run it is: they walk through the speech.

        Returns
        -------
        dict
            Milliseconds by stage, and :data:`CAPTURE_PROCESSOR`.  All but ``features_segment``,
            ``model`` and ``decision`` are of the sound of one hop.
        """
        segment = self._segments[i % len(self._segments)]
        seen = self._seen[i % len(self._seen)]
        place = i % len(self._hops)
        times_ms = self._captured()
        if self._filter is not None:
            started_s = time.perf_counter()
            self._filter.process_checked(self._hops[place])
            times_ms["front_end"] = _ms_since(started_s)
        times_ms["features_segment"] = self._segment_ms(segment)
        times_ms["features_increment"] = self._increment_ms(self._hops[place])
        if self._gate is not None:
            started_s = time.perf_counter()
            self._gate.push(self._hops[place], self._hop_rows[place])
            times_ms["gate"] = _ms_since(started_s)
        started_s = time.perf_counter()
        self._session.infer(seen.rows[None], self._corpus)
        times_ms["model"] = _ms_since(started_s)
        times_ms["decision"] = self._decision_ms(seen)
        return times_ms

    def _captured(self) -> dict[str, float]:
        """What a callback does with the blocks of a hop, and the reader that waits for them."""
        processor_s = time.thread_time()
        started_s = time.perf_counter()
        self._hear(self._n_blocks)
        copied_s = time.perf_counter()
        self._recording.take(0.0, self._n_hop)
        ended_s = time.perf_counter()
        return {
            "capture_copy": 1000 * (copied_s - started_s),
            "resample": 1000 * (ended_s - copied_s),
            CAPTURE_PROCESSOR: 1000 * (time.thread_time() - processor_s),
        }

    def _hear(self, n_blocks: int) -> None:
        """Hand blocks over as PortAudio does, by a clock that is never late."""
        for _ in range(n_blocks):
            self._adc_s += CAPTURE_BLOCK_S
            self._recording.on_block(self._block, self._n_block, _Times(self._adc_s), None)

    def _segment_ms(self, segment: Samples) -> float:
        self._whole.reset()
        started_s = time.perf_counter()
        _fill(self._whole, segment)
        return _ms_since(started_s)

    def _increment_ms(self, hop: Samples) -> float:
        started_s = time.perf_counter()
        _fill(self._growing, hop)
        return _ms_since(started_s)

    def _decision_ms(self, seen: _Seen) -> float:
        self._known.logits = seen.logits
        started_s = time.perf_counter()
        verdict = self._judge.judge(seen.rows, seen.rms, seen.spoken, self._hop_s)
        decision = verdict.decision(
            0.0, 0.0, 0.0, started_s,
            level_db=segment_level_db(seen.rms), warning=None, skipped_hops=0,
        )  # fmt: skip
        json.dumps(decision.to_dict())
        return _ms_since(started_s)


def _fill(window: RowWindow, samples: Samples) -> None:
    """Give a window all samples, and pass over what is due."""
    start = 0
    while start < samples.size:
        start += window.take(samples[start:])
        if window.is_due:
            window.decided()


def _ms_since(started_s: float) -> float:
    return 1000 * (time.perf_counter() - started_s)


def _unheard(samples: Samples) -> None:
    """Watch no level and no band: that is a stage of its own."""
