"""One process of :mod:`benchmarks.stream.streams`: many live streams, at the pace of sound.

It reads a line with what to do, opens the streams, lets each hear a segment and a part of a hop,
says what memory it takes, waits for the line that tells when the sound begins, and then pushes
block after block of every stream as it would arrive.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS, MODELS_DIR
from edge.stream.classifier import Classifier
from edge.stream.group import StreamGroup
from edge.stream.loading import load
from edge.stream.stream import Stream

#: What an audio callback hands over.
BLOCK_SAMPLES = 512
#: Of a stream in a call, where streams are served together: 64 ms of sound.
BLOCKS_A_CALL = 2


def bundled(model: str, backend: str) -> Classifier:
    """Open a bundled model."""
    return load(MODELS_DIR / MODELS[model][backend], backend=backend)


def blocks_of(classifier: Classifier) -> list[NDArray[np.float32]]:
    """The bundled dialogue in whole blocks."""
    samples, _ = read_audio(DEMO_CLIP)
    n_blocks = samples.size // BLOCK_SAMPLES
    return list(samples[: n_blocks * BLOCK_SAMPLES].reshape(n_blocks, BLOCK_SAMPLES))


def resident_bytes() -> int:
    """Resident memory of this process at this moment."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Speaker:
    """A stream, and the block that it hears next."""

    def __init__(self, stream: Stream, blocks: list[NDArray[np.float32]], first: int) -> None:
        self.stream = stream
        self._blocks, self._next = blocks, first

    def warm_up(self, n_blocks: int) -> None:
        """Hear so much, all at once."""
        for _ in range(n_blocks):
            self.speak(None)

    def next_block(self) -> NDArray[np.float32]:
        """Give the next block."""
        block = self._blocks[self._next]
        self._next = (self._next + 1) % len(self._blocks)
        return block

    def speak(self, arrived_s: float | None) -> list[float]:
        """Hear a block; the milliseconds from its arrival to the decisions that it completes."""
        decisions = self.stream.push(self.next_block(), arrived_s)
        return [each.timing.latency_ms for each in decisions]


def serve(
    speakers: list[Speaker],
    phases: NDArray[np.float64],
    starts_s: float,
    n_rounds: int,
    block_s: float,
) -> tuple[list[float], float]:
    """Push every block when it is due, or as soon as may be.

    Parameters
    ----------
    speakers : list of Speaker
    phases : float64 [shape=(n_speakers,)]
        When in the length of a block each one's arrive, from 0 to 1, rising.
    starts_s : float
        ``time.perf_counter()`` of the first.
    n_rounds : int
        Blocks of every stream.
    block_s : float

    Returns
    -------
    latencies_ms : list of float
    idle_s : float
        What was left of the time of the sound.
    """  # fmt: skip
    latencies_ms: list[float] = []
    idle_s, clock, sleep = 0.0, time.perf_counter, time.sleep
    turns = list(zip(speakers, (phases * block_s).tolist(), strict=True))
    for number in range(n_rounds):
        round_s = starts_s + number * block_s
        for speaker, phase_s in turns:
            due_s = round_s + phase_s
            wait_s = due_s - clock()
            if wait_s > 0:
                idle_s += wait_s
                sleep(wait_s)
            latencies_ms += speaker.speak(due_s)
    return latencies_ms, idle_s


def serve_together(
    speakers: list[Speaker],
    phases: NDArray[np.float64],
    starts_s: float,
    n_rounds: int,
    block_s: float,
) -> tuple[list[float], float]:
    """Push what has arrived of all streams at once, fifteen times a second; as :func:`serve`."""
    latencies_ms: list[float] = []
    idle_s, clock, sleep = 0.0, time.perf_counter, time.sleep
    group = StreamGroup(speakers[0].stream.classifier)
    turns = list(zip(speakers, (phases * block_s).tolist(), strict=True))
    for first in range(0, n_rounds, BLOCKS_A_CALL):
        rounds = range(first, min(first + BLOCKS_A_CALL, n_rounds))
        # By then the last of these rounds' blocks has arrived.
        wait_s = starts_s + rounds.stop * block_s - clock()
        if wait_s > 0:
            idle_s += wait_s
            sleep(wait_s)
        blocks = [
            (each.stream, each.next_block(), starts_s + number * block_s + phase_s)
            for each, phase_s in turns
            for number in rounds
        ]
        latencies_ms += [decision.timing.latency_ms for _, decision in group.push(blocks)]
    return latencies_ms, idle_s


def listen(task: dict[str, Any]) -> dict[str, Any]:
    """Do the task; the first line said is of the memory, before the sound begins."""
    if task["core"] is not None:
        os.sched_setaffinity(0, {task["core"]})
    classifier = bundled(task["model"], task["backend"])
    blocks = blocks_of(classifier)
    rng = np.random.default_rng(task["seed"])
    n_streams, stream = task["n_streams"], classifier.stream()
    n_segment = -(-classifier.spec.n_samples(stream.window_frames) // BLOCK_SAMPLES)
    n_hop = max(1, stream.window_hop * classifier.spec.hop_length // BLOCK_SAMPLES)
    speakers: list[Speaker] = []
    before = resident_bytes()
    for index in range(n_streams):
        first = int(rng.integers(len(blocks)))
        speakers.append(Speaker(classifier.stream(), blocks, first))
        speakers[-1].warm_up(n_segment + int(rng.integers(n_hop)))
        if index == 0:
            before = resident_bytes()
    group = StreamGroup(classifier)
    for _ in range(round(task["heard"] * classifier.spec.sample_rate / BLOCK_SAMPLES / n_hop)):
        group.push(
            (each.stream, each.next_block(), None) for each in speakers for _ in range(n_hop)
        )
    after = resident_bytes()
    a_stream = (after - before) / (n_streams - 1) if n_streams > 1 else None
    print(json.dumps({"rss_bytes": after, "bytes_a_further_stream": a_stream}), flush=True)
    starts_s = float(sys.stdin.readline())
    block_s = BLOCK_SAMPLES / classifier.spec.sample_rate
    phases = np.sort(rng.random(n_streams))
    n_rounds = round(task["seconds"] / block_s)
    shares = [slice(k, None, task["n_threads"]) for k in range(task["n_threads"])]
    found: list[tuple[list[float], float]] = []

    def run(share: slice) -> None:
        serving = serve_together if task["together"] else serve
        found.append(serving(speakers[share], phases[share], starts_s, n_rounds, block_s))

    worked_s = time.process_time()
    if task["n_threads"] == 1:
        run(shares[0])
    else:
        threads = [threading.Thread(target=run, args=(share,)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {
        "latencies_ms": [round(each, 3) for latencies, _ in found for each in latencies],
        "cpu_s": time.process_time() - worked_s,
        # From when the first block was due to the last decision.
        "took_s": time.perf_counter() - starts_s,
        "sound_s": n_rounds * block_s,
        "idle_s": min(idle_s for _, idle_s in found),
    }


if __name__ == "__main__":
    print(json.dumps(listen(json.loads(sys.stdin.readline()))), flush=True)
