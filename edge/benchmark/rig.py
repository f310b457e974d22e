"""One artifact, measured in this process: segments, hops and stages, in rounds."""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.pace import FixedWork
from edge.benchmark.peak_memory import peak_rss_mb, rss_mb
from edge.benchmark.speech import speech_for
from edge.benchmark.stages import CAPTURE_PROCESSOR, Stages
from edge.errors import AudioFileError
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.stream import Stream

__all__ = ["Rig", "Times"]


#: Milliseconds by what they are of, in the order of the runs.
Times = dict[str, list[float]]


class Rig:
    """Measures one artifact, a round at a time.

    Parameters
    ----------
    classifier : Classifier
    """

    def __init__(self, classifier: Classifier) -> None:
        spec = classifier.spec
        self._classifier = classifier
        self._samples, self._clip = speech_for(spec, classifier.window_frames)
        self._hop = classifier.stream()
        self._sample_rate = spec.sample_rate
        self._n_segment = spec.n_samples(self._hop.window_frames)
        self._n_hop = self._hop.window_hop * spec.hop_length
        # As `listen` does; what is there to measure other things with comes behind, so that its
        # memory does not count.
        for block in _blocks(self._hop, self._samples[: self._whole_hops()]):
            self._hop.push(block)
        self._n_block = self._hop.n_wanted
        self._memory = {"peak_rss_mb": peak_rss_mb(), "steady_rss_mb": rss_mb()}
        self._segment = classifier.stream()
        self._stages = Stages(classifier, self._samples)
        self._work = FixedWork()
        # Both walk through the clip, since no two sounds cost the same.
        self._places = range(0, self._samples.size - self._n_segment + 1, self._n_hop)
        self._n_runs = 0

    def _whole_hops(self) -> int:
        """Samples that end where a decision does."""
        n_more = self._samples.size - self._n_segment
        return self._n_segment + n_more // self._n_hop * self._n_hop

    def facts(self) -> dict[str, Any]:
        """What is measured.

        Returns
        -------
        dict
            ``clip``, ``block_samples``, lengths of ``segment`` and ``hop``; and ``memory`` so far.
        """
        return {
            "memory": self._memory,
            "clip": self._clip,
            "block_samples": self._n_block,
            "segment": {
                "audio_s": self._n_segment / self._sample_rate,
                "frames": self._segment.window_frames,
            },
            "hop": {"audio_s": self._n_hop / self._sample_rate, "frames": self._hop.window_hop},
        }

    def hear(self, path: str) -> dict[str, Any]:
        """Say what is heard in a clip: the fields of :class:`edge.benchmark.agreement.Answer`."""
        try:
            answer = self._classifier.classify_file(path, min_probability=0.0)
        except AudioFileError as error:
            return {"problem": str(error)}
        if answer.label is None or answer.posterior is None:
            return {}
        return {"label": answer.label, "probability": answer.posterior[answer.label]}

    def round(self, duration_s: float, n_least: int = 1, *, only_hops: bool = False) -> Times:
        """Measure for a while.

        Parameters
        ----------
        duration_s : float
        n_least : int
            Runs of each, however long they take.
        only_hops : bool
            Nothing but what a device does that listens.

        Returns
        -------
        dict of str to list of float
            Milliseconds in the order of the runs: ``segment.…``, ``hop.…``, ``stages.…`` and, of
            the fixed piece of work that tells the machine's pace, ``pace.work_ms``; a decision
            that did not ask the model has none of its own in ``….model_ms``.
        """
        times: Times = collections.defaultdict(list)
        ends_s = time.perf_counter() + duration_s
        n_runs = 0
        while n_runs < n_least or time.perf_counter() < ends_s:
            self._run(times, only_hops)
            n_runs += 1
        return dict(times)

    def _run(self, times: Times, only_hops: bool) -> None:
        place = self._places[self._n_runs % len(self._places)]
        if not only_hops:
            self._segment.reset()
            segment = self._samples[place : place + self._n_segment]
            _note(times, "segment", self._segment, [segment])
        place = (place + self._n_segment) % (self._samples.size - self._n_hop)
        blocks = _blocks(self._hop, self._samples[place : place + self._n_hop])
        processor_s = time.process_time()
        decision = _note(times, "hop", self._hop, blocks)
        times["hop.processor_ms"].append(1000 * (time.process_time() - processor_s))
        times["hop.latency_ms"].append(decision.timing.latency_ms)
        if not only_hops:
            times["pace.work_ms"].append(self._work.run_ms())
            stages_ms = self._stages.run(self._n_runs)
            times["hop.capture_processor_ms"].append(stages_ms.pop(CAPTURE_PROCESSOR))
            for name, stage_ms in stages_ms.items():
                times[f"stages.{name}"].append(stage_ms)
        self._n_runs += 1


def _note(
    times: Times, name: str, stream: Stream, blocks: Iterable[NDArray[np.float32]]
) -> Decision:
    """Time blocks that complete one window."""
    started_s = time.perf_counter()
    decisions: list[Decision] = []
    for block in blocks:
        decisions += stream.push(block)
    times[f"{name}.whole_ms"].append(1000 * (time.perf_counter() - started_s))
    (decision,) = decisions
    times[f"{name}.features_ms"].append(decision.timing.features_ms)
    if decision.timing.model_ms:
        times[f"{name}.model_ms"].append(decision.timing.model_ms)
    return decision


def _blocks(stream: Stream, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Cut samples into blocks as long as the stream waits for, as a source does."""
    start = 0
    while start < samples.size:
        end = start + stream.n_wanted
        yield samples[start:end]
        start = end
