"""The work of a listening device in parts, each between two marks; runs alone, on what it measures.

    python stages.py ARTIFACT CLIP [RUNS]

A mark is a system call that does nothing: ``count.c`` sees it under emulation, and nobody else
does.  Without emulation the same marks are read off the clock: the last line of standard output
has the milliseconds of every stage, in its order.

=====================  ===========================================================================
``nothing``            two marks, what a pair of them costs
``capture_copy``       the callbacks of a hop at the model's rate, and what they heard read
``resample``           the same from 48 kHz: less the stage before, what resampling costs
``features_increment`` the rows of a hop
``features_segment``   the rows of a segment
``gate``               which frames of a hop hold speech
``model``              one feature window
``hop``                a stream, from one decision to the next: the three above for a hop, and the
                       decision
``listen``             the same in ``edge.listen``, from the callbacks to a line of JSON
=====================  ===========================================================================
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.artifact import read_artifact
from edge.audio.file import read_audio
from edge.audio.mixdown import AUTO, Mixdown
from edge.audio.recording import Recording
from edge.features import FeatureExtractor
from edge.pipeline.listening import listen
from edge.runtimes.open import open_model
from edge.sources.base import BLOCK_SAMPLES, Block, Stop
from edge.stream.classifier import Classifier
from edge.stream.frame_gate import make_frame_gate

#: In the order of their marks: stage ``i`` begins at mark ``2 * i`` and ends at the next.
STAGES = (
    "nothing",
    "capture_copy",
    "resample",
    "features_increment",
    "features_segment",
    "gate",
    "model",
    "hop",
    "listen",
)

_MARK = 0x5E000000
_DEVICE_RATE = 48_000

#: What is warm has been done this often.
_N_WARM_UP = 4

#: Sound before the first decision that is measured, in s: what looks at the beginning of a
#: recording alone, its band, is done by then.
_LEAD_S = 14.0

Floats = NDArray[np.float32]


class Marks:
    """Marks for whoever counts, and the clock where nobody does."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {name: [] for name in STAGES}
        self._began_s = 0.0

    def begin(self, stage: str) -> None:
        """Mark the beginning of a stage."""
        _mark(2 * STAGES.index(stage))
        self._began_s = time.perf_counter()

    def end(self, stage: str) -> None:
        """Mark its end."""
        elapsed_s = time.perf_counter() - self._began_s
        _mark(2 * STAGES.index(stage) + 1)
        self.ms[stage].append(round(1000 * elapsed_s, 5))

    def repeat(self, stage: str, work: Callable[[int], object], n_runs: int) -> None:
        """Do some work until it is warm, and then between marks.

        Parameters
        ----------
        stage : str
        work : callable
            Takes the number of the run, so that each has a place of its own in the clip.
        n_runs : int
        """
        for run in range(_N_WARM_UP):
            work(run)
        for run in range(_N_WARM_UP, _N_WARM_UP + n_runs):
            self.begin(stage)
            work(run)
            self.end(stage)


def _mark(number: int) -> None:
    # No process has this number: there is nothing to find.
    with contextlib.suppress(OSError):
        os.getpriority(os.PRIO_PROCESS, _MARK | number)


class Device:
    """A microphone whose callback is ours.

    Parameters
    ----------
    device_rate, sample_rate : int
        Of the device and of the reader, in Hz.
    """

    def __init__(self, device_rate: int, sample_rate: int) -> None:
        mixdown = Mixdown(AUTO, 1, device_rate)
        self.recording = Recording("", sample_rate, 2.0, device_rate, mixdown)
        self._rate, self._n_heard = device_rate, 0

    def hear(self, block: Floats) -> None:
        """Hand over a block as if it had come in time: an emulator is late for every one."""
        self._n_heard += block.size
        times = SimpleNamespace(inputBufferAdcTime=self._n_heard / self._rate)
        self.recording.on_block(memoryview(block), block.size, times, None)


class HeardAtOnce:
    """A microphone that never waits: a clip through callback and ring buffer, hop by hop.

    Parameters
    ----------
    clip : float32 [shape=(n_samples,)]
    sample_rate : int
        In Hz.
    n_hop : int
        Samples from one decision to the next.
    n_lead : int
        Samples before the first hop that is measured.
    marks : Marks
    """

    name = "a clip"
    waited_s = 0.0

    def __init__(
        self, clip: Floats, sample_rate: int, n_hop: int, n_lead: int, marks: Marks
    ) -> None:
        self._clip, self._n_hop, self._n_lead, self._marks = clip, n_hop, n_lead, marks
        self._device = Device(sample_rate, sample_rate)
        self._n_wanted = BLOCK_SAMPLES

    def want(self, n_samples: int) -> None:
        """Take note of how many samples the listener waits for."""
        self._n_wanted = n_samples

    def blocks(self, stop: Stop) -> Iterator[Block]:
        """Yield blocks; where one hop ends, the next begins."""
        is_marked, n_heard = False, 0
        self._device.recording.take(0.0, self._n_wanted)
        for start in range(0, self._clip.size - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            n_behind = start - self._n_lead
            if n_behind >= 0 and n_behind % self._n_hop == 0:
                if is_marked:
                    self._marks.end("listen")
                self._marks.begin("listen")
                is_marked = True
            self._device.hear(self._clip[start : start + BLOCK_SAMPLES])
            n_heard += BLOCK_SAMPLES
            if n_heard >= self._n_wanted:
                recorded = self._device.recording.take(0.0, self._n_wanted)
                n_heard -= recorded.samples.size
                # However slow the emulator is, no decision may be left out.
                yield Block(recorded.samples, recorded.arrived_s)
        if is_marked:
            self._marks.end("listen")


def measure(artifact: str, clip: str, n_runs: int) -> dict[str, list[float]]:
    """Do every stage ``n_runs`` times.

    Parameters
    ----------
    artifact : str
        A folder.
    clip : str
        An audio file at the model's rate; it is heard in a circle.
    n_runs : int

    Returns
    -------
    dict
        Stage to its milliseconds, which mean nothing under emulation.
    """
    found = read_artifact(artifact)
    manifest, model = found.manifest, open_model(found)
    classifier, spec = Classifier(found, model), manifest.feature_spec
    samples, sample_rate = read_audio(clip)
    assert sample_rate == spec.sample_rate
    stream = classifier.stream()
    n_hop = stream.window_hop * spec.hop_length
    n_segment = spec.n_samples(stream.window_frames)
    n_before = -(-round(_LEAD_S * sample_rate) // n_hop) * n_hop + n_segment
    n_runs_all = _N_WARM_UP + n_runs
    sound = np.resize(samples, n_before + 3 * n_hop * n_runs_all)
    marks = Marks()

    def hop_at(run: int, factor: int = 1) -> Floats:
        return sound[factor * run * n_hop : factor * (run + 1) * n_hop]

    marks.repeat("nothing", lambda run: None, n_runs)
    for stage, device_rate in (("capture_copy", sample_rate), ("resample", _DEVICE_RATE)):
        device, factor = Device(device_rate, sample_rate), device_rate // sample_rate
        if factor > 1:
            # What the resampler holds back, so that every hop ends with its own last block.
            device.hear(sound[: factor * BLOCK_SAMPLES])
        device.recording.take(0.0, n_hop)

        def copied(run: int, device: Device = device, factor: int = factor) -> None:
            for block in _blocks(hop_at(run, factor), factor * BLOCK_SAMPLES):
                device.hear(block)
            assert device.recording.take(0.0, n_hop).samples.size == n_hop

        marks.repeat(stage, copied, n_runs)
    extractor = FeatureExtractor(spec)
    marks.repeat("features_increment", lambda run: extractor.push(hop_at(run)), n_runs)
    marks.repeat(
        "features_segment",
        lambda run: extractor.extract(sound[run * n_hop : run * n_hop + n_segment]),
        n_runs,
    )
    gate = make_frame_gate(None, manifest)
    rows = extractor.extract(sound[: n_segment + n_hop * n_runs_all])
    n_rows = stream.window_hop
    if gate is not None:
        marks.repeat(
            "gate",
            lambda run: gate.push(hop_at(run), rows[run * n_rows : (run + 1) * n_rows]),
            n_runs,
        )
    session, corpus = model.session(), manifest.corpus_id(None)
    window = np.zeros((1, stream.window_frames, manifest.architecture.n_features), np.float32)

    def judged(run: int) -> object:
        seen = rows[run * n_rows :][: stream.window_frames]
        window[0, : len(seen), : spec.n_features] = (seen - manifest.mean) / manifest.std
        return session.infer(window, corpus)

    marks.repeat("model", judged, n_runs)
    stream.push(sound[:n_before])

    def heard(run: int) -> None:
        place = n_before + run * n_hop
        decisions: list[Any] = []
        for block in _blocks(sound[place : place + n_hop], BLOCK_SAMPLES):
            decisions += stream.push(block)
        assert len(decisions) == 1

    marks.repeat("hop", heard, n_runs)
    # A block more: what completes a segment is the first of its hop.
    n_lead = -(-n_before // BLOCK_SAMPLES) * BLOCK_SAMPLES + _N_WARM_UP * n_hop
    source = HeardAtOnce(sound[: n_lead + n_runs * n_hop], sample_rate, n_hop, n_lead, marks)
    with contextlib.redirect_stdout(io.StringIO()):
        listen(source, ("jsonl",), classifier=classifier)
    return marks.ms


def _blocks(samples: Floats, n_samples: int) -> list[Floats]:
    return [samples[i : i + n_samples] for i in range(0, samples.size, n_samples)]


if __name__ == "__main__":
    # A collection somewhere in a stage would be counted as a part of it.
    gc.disable()
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int((*sys.argv, "8")[3]))))
