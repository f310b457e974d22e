"""Streams side by side share work buffers, and nothing of what they hear."""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.loading import load
from edge.stream.stream import Stream

#: Bytes that another stream may take: twice what it does, a tenth of what it did with buffers of
#: its own.
MOST_BYTES_A_STREAM = 300_000


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load(backend="numpy")


@pytest.fixture(scope="module")
def sounds() -> list[NDArray[np.float32]]:
    """Speech, the same backwards and loud, noise, and silence with an offset behind it."""
    speech = read_audio(DEMO_CLIP)[0][:44_000]
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 0.1, speech.size).astype(np.float32)
    offset = np.concatenate([np.zeros(24_000, np.float32), 0.4 + 0.1 * noise[:20_000]])
    return [speech, np.clip(20 * speech[::-1], -1, 1), noise, offset]


def heard(decisions: list[Decision]) -> list[dict[str, Any]]:
    """What was said, without how long it took; floats as they are."""
    timed = {"features_ms", "model_ms", "latency_ms"}
    records = []
    for each in decisions:
        record = {key: value for key, value in each.to_dict().items() if key not in timed}
        posterior = None if each.posterior is None else dict(each.posterior)
        records.append({**record, "posterior": posterior, "level_db": each.level_db})
    return records


def listen(stream: Stream, samples: NDArray[np.float32], n_a_block: int) -> list[Decision]:
    decisions = []
    for start in range(0, samples.size, n_a_block):
        decisions += stream.push(samples[start : start + n_a_block])
    return decisions + stream.flush()


def in_turns(
    streams: list[Stream], sounds: list[NDArray[np.float32]], n_a_block: int
) -> list[list[dict[str, Any]]]:
    """Give each stream a block of its sound, again and again."""
    decisions: list[list[Decision]] = [[] for _ in streams]
    for start in range(0, sounds[0].size, n_a_block):
        for index, stream in enumerate(streams):
            decisions[index] += stream.push(sounds[index][start : start + n_a_block])
    for index, stream in enumerate(streams):
        decisions[index] += stream.flush()
    return [heard(each) for each in decisions]


def test_streams_that_take_turns_hear_what_each_hears_alone(
    classifier: Classifier, sounds: list[NDArray[np.float32]]
) -> None:
    alone = [heard(listen(classifier.stream(), sound, 8192)) for sound in sounds]
    assert in_turns([classifier.stream() for _ in sounds], sounds, 500) == alone
    assert all(alone)


def test_streams_of_other_lengths_do_not_mix(
    classifier: Classifier, sounds: list[NDArray[np.float32]]
) -> None:
    settings: list[dict[str, Any]] = [{}, {"segment_s": 1.0, "hop_s": 0.25}, {"vad": "energy"}]
    alone = [heard(listen(classifier.stream(**each), sounds[0], 8192)) for each in settings]
    streams = [classifier.stream(**each) for each in settings]
    assert in_turns(streams, [sounds[0]] * len(settings), 700) == alone


def test_threads_do_not_mix(classifier: Classifier, sounds: list[NDArray[np.float32]]) -> None:
    alone = [heard(listen(classifier.stream(), sound, 2000)) for sound in sounds]
    begin = threading.Barrier(2 * len(sounds))

    def run(sound: NDArray[np.float32]) -> list[dict[str, Any]]:
        stream = classifier.stream()
        begin.wait()
        return heard(listen(stream, sound, 2000))

    with ThreadPoolExecutor(2 * len(sounds)) as pool:
        found = list(pool.map(run, sounds + sounds))
    assert found == alone + alone


def test_another_stream_takes_no_buffers_of_its_own(
    classifier: Classifier, sounds: list[NDArray[np.float32]]
) -> None:
    def hearing() -> Stream:
        stream = classifier.stream()
        for start in range(0, 44_000, 4000):
            stream.push(sounds[0][start : start + 4000])
        return stream

    kept = [hearing()]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept += [hearing() for _ in range(4)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 4 < MOST_BYTES_A_STREAM
