"""Measure what a model that is too slow does to a live stream: skipped hops, and no lag.

    python -m benchmarks.stream.overload [--seconds 120] [--slower 0 3 10] [--output FILE]

A thread speaks the bundled dialogue at the pace of sound into the microphone's own buffer of 3 s,
and the pipeline decides with the bundled NumPy model, which sleeps until a decision has taken so
many hops. Ten hops a decision is a tenth of real time. Each is also run as if the source were not
live, which is how it would fall behind. It takes as long as the sound of all runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from edge.audio.capture import Capture
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from edge.pipeline import run_pipeline
from edge.runtimes.base import Model, Session
from edge.sinks import SinkBase
from edge.sources.base import BLOCK_SAMPLES, POLL_S, Block, Gap, Stop
from edge.stream.decision import Decision
from edge.stream.loading import load
from edge.stream.stream import Stream

MEASURED_FILES = ["edge", "benchmarks/stream/overload.py"]
#: Seconds of sound that wait for a slow reader, as in :class:`edge.audio.microphone.Microphone`.
BUFFER_S = 3.0

Floats = NDArray[np.float32]


class SlowSession:
    """A session whose answer takes ``cost_s`` at least."""

    def __init__(self, session: Session, cost_s: float) -> None:
        self._session, self._cost_s = session, cost_s

    def infer(self, features: Floats, corpus: int) -> Floats:
        """Answer, but not before the time is over."""
        until_s = time.perf_counter() + self._cost_s
        logits = self._session.infer(features, corpus)
        time.sleep(max(0.0, until_s - time.perf_counter()))
        return logits


class SlowModel:
    """A model of such sessions."""

    def __init__(self, model: Model, cost_s: float) -> None:
        self.name, self._model, self._cost_s = model.name, model, cost_s

    def session(self) -> SlowSession:
        """Another one."""
        return SlowSession(self._model.session(), self._cost_s)


class Spoken:
    """A source as the microphone's, with a thread in place of PortAudio."""

    name = "the dialogue"

    def __init__(self, samples: Floats, sample_rate: int, duration_s: float, live: bool) -> None:
        self.waited_s = 0.0
        self._waits = not live
        self.n_captured = 0
        self._samples, self._rate = samples, sample_rate
        self._n_blocks = round(duration_s * sample_rate / BLOCK_SAMPLES)
        self._capture = Capture(sample_rate, sample_rate, BUFFER_S)

    def _speak(self) -> None:
        started_s, block_s = time.monotonic(), BLOCK_SAMPLES / self._rate
        for index in range(self._n_blocks):
            time.sleep(max(0.0, started_s + (index + 1) * block_s - time.monotonic()))
            block = self._samples.take(
                range(index * BLOCK_SAMPLES, (index + 1) * BLOCK_SAMPLES), mode="wrap"
            )
            self._capture.write(block, started_s + index * block_s, time.monotonic(), False)
            self.n_captured += block.size
        self._capture.ring.close()

    def blocks(self, stop: Stop) -> Iterator[Block | Gap]:
        """Yield what is heard, cut small as the microphone's source does."""
        speaker = threading.Thread(target=self._speak, daemon=True)
        speaker.start()
        while not (stop.requested or (self._capture.ring.closed and not len(self._capture.ring))):
            recorded = self._capture.take(POLL_S)
            if recorded.n_lost:
                yield Gap(recorded.n_lost, recorded.reason)
            size = recorded.samples.size
            for start in range(0, size, BLOCK_SAMPLES):
                block = recorded.samples[start : start + BLOCK_SAMPLES]
                n_behind = size - start - block.size
                arrived_s = recorded.arrived_s - n_behind / self._rate
                yield Block(block, arrived_s, self._waits)


class Kept(SinkBase):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def emit(self, decision: Decision) -> None:
        """Keep a decision."""
        self.decisions.append(decision)


def n_due(stream: Stream, n_samples: int) -> int:
    """Decisions of a stretch without a gap: those that are due, and one on the rest."""
    spec = stream.classifier.spec
    n_frames = spec.n_frames(n_samples) if n_samples >= spec.win_length else 0
    n_over = n_frames - stream.window_frames
    if n_over < 0:
        return int(n_frames > 0)
    return 1 + n_over // stream.window_hop + (n_over % stream.window_hop > 0)


def stretches(decisions: list[Decision], n_samples: int, rate: int) -> list[int]:
    """Samples between the gaps."""
    edges = [0]
    for gap in (each for each in decisions if each.state == "gap"):
        edges += [round(gap.start_s * rate), round(gap.end_s * rate)]
    edges.append(n_samples)
    return [end - start for start, end in zip(edges[::2], edges[1::2], strict=True)]


def run(samples: Floats, slower: float, seconds: float, *, live: bool) -> dict[str, Any]:
    """Listen for so long with a model that takes ``slower`` hops a decision."""
    classifier = load(backend="numpy")
    classifier.model = SlowModel(classifier.model, slower * classifier.stream().hop_s)
    stream, kept = classifier.stream(), Kept()
    rate = classifier.spec.sample_rate
    source = Spoken(samples, rate, seconds, live)
    summary = run_pipeline(source, stream, [kept])
    decisions = kept.decisions
    # The last one is on the rest, when nothing more comes.
    made = [each for each in decisions if each.state != "gap"]
    latencies_ms = [each.timing.latency_ms for each in made[:-1]] or [0.0]
    heard = stretches(decisions, source.n_captured, rate)
    n_dropped = sum(each.dropped_samples for each in decisions)
    n_skipped = sum(each.skipped_hops for each in decisions)
    bound_ms = 1000 * stream.hop_s + max(each.timing.model_ms for each in made)
    p50_ms, p99_ms = np.percentile(latencies_ms, (50, 99)).round(1).tolist()
    adds_up = (
        round(summary.audio_s * rate) == sum(heard)
        and sum(heard) + n_dropped == source.n_captured
        and len(made) + n_skipped == sum(n_due(stream, n) for n in heard)
    )
    return {
        "hops_a_decision": slower,
        "live": live,
        "captured_samples": source.n_captured,
        "heard_samples": sum(heard),
        "dropped_samples": n_dropped,
        "decisions": len(made),
        "skipped_hops": n_skipped,
        "gaps": len(decisions) - len(made),
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "max_ms": round(max(latencies_ms), 1),
        "bound_ms": round(bound_ms, 1),
        "bounded": p99_ms <= bound_ms,
        "adds_up": adds_up,
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run each slowness, live and not."""
    clip, clip_rate = read_audio(DEMO_CLIP)
    classifier = load(backend="numpy")
    samples = resample(clip, clip_rate, classifier.spec.sample_rate)
    runs = []
    for slower in args.slower:
        for live in (True, False) if slower > 1 else (True,):
            runs.append(run(samples, slower, args.seconds, live=live))
            print(json.dumps(runs[-1]), file=sys.stderr)
    return {
        "benchmark": "a model that is too slow",
        "command": f"python -m benchmarks.stream.overload --seconds {args.seconds:g} --slower "
        + " ".join(f"{slower:g}" for slower in args.slower),
        **git_state(*MEASURED_FILES),
        "model_sha256": classifier.artifact.manifest.model_sha256,
        "machine": describe_machine(),
        "load_average": [round(load_, 2) for load_ in os.getloadavg()],
        "hop_ms": round(1000 * classifier.stream().hop_s, 1),
        "bar": "live: p99_ms at most bound_ms, a hop and the longest time the model took, and "
        "every captured sample and every hop is accounted for",
        "runs": runs,
    }


def main() -> int:
    """Measure and print; 1 when a live run is above its bar."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seconds", type=float, default=120.0, help="of sound in each run")
    parser.add_argument(
        "--slower", type=float, nargs="+", default=[0, 3, 10], help="hops that a decision takes"
    )
    parser.add_argument("--output", metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    result = measure(args)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
    met = [each["bounded"] and each["adds_up"] for each in result["runs"] if each["live"]]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
