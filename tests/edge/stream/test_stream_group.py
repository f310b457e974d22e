"""Streams that are served together hear what each would hear alone."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from runtime_fakes import fake_classifier, voice

import edge.stream.stream
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS, MODELS_DIR
from edge.errors import BackendError, ParameterError
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.group import StreamGroup
from edge.stream.loading import load
from edge.stream.stream import Stream

#: Of a posterior: a batch of windows adds up in another order than one.
CLOSE = 1e-6
TIMED = {"features_ms", "model_ms", "latency_ms"}


@pytest.fixture(scope="module", params=["numpy", "onnx"])
def classifier(request: pytest.FixtureRequest) -> Classifier:
    if request.param == "onnx":
        pytest.importorskip("onnxruntime")
    return load(MODELS_DIR / MODELS["claf-ser-tiny"][request.param], backend=request.param)


@pytest.fixture(scope="module")
def sounds() -> list[NDArray[np.float32]]:
    """Speech from several moments on, some cut off; silence, noise, offset, hum, a beginning."""
    speech, _ = read_audio(DEMO_CLIP)
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 0.1, 50_000).astype(np.float32)
    offset = np.concatenate([np.zeros(24_000, np.float32), 0.4 + 0.1 * noise[:30_000]])
    hum = (0.005 * np.sin(2 * np.pi * 100 * np.arange(60_000) / 16_000)).astype(np.float32)
    return [
        *(speech[start : start + 100_000] for start in (0, 1_000, 20_000, 77_777)),
        np.clip(20 * speech[:60_000], -1, 1),
        np.zeros(60_000, np.float32),
        noise,
        offset,
        hum,
        speech[:20_000],
        speech[:700],
    ]


def options(index: int) -> dict[str, Any]:
    """Those of a stream: mostly the default, so that there are others alike."""
    found: dict[int, dict[str, Any]] = {
        1: {"smooth": False},
        2: {"segment_s": 1.0, "hop_s": 0.25},
        3: {"vad": "off"},
        6: {"vad": "energy", "voice_reference": False},
    }
    return found.get(index, {})


def same(found: list[Decision], wanted: list[Decision]) -> None:
    """Hold everything that was said against what it is to be, but how long it took."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        records = [
            {key: value for key, value in each.to_dict().items() if key not in TIMED}
            for each in (one, other)
        ]
        posteriors = [each.pop("posterior", None) for each in records]
        activations = [each.pop("activation", None) for each in records]
        assert records[0] == records[1]
        assert (posteriors[0] is None) == (posteriors[1] is None)
        if one.posterior is not None and other.posterior is not None:
            assert one.posterior.keys() == other.posterior.keys()
            for label, share in other.posterior.items():
                assert one.posterior[label] == pytest.approx(share, abs=CLOSE)
            assert activations[0] == pytest.approx(activations[1], abs=1e-4)


def alone(stream: Stream, sound: NDArray[np.float32], n_a_block: int = 512) -> list[Decision]:
    decisions = []
    for start in range(0, sound.size, n_a_block):
        decisions += stream.push(sound[start : start + n_a_block])
    return decisions + stream.flush()


def by_stream(streams: list[Stream], told: list[tuple[Stream, Decision]]) -> list[list[Decision]]:
    """Sort what a group handed out."""
    return [[decision for other, decision in told if other is stream] for stream in streams]


@pytest.mark.parametrize("n_a_call", [512, 3_000, 20_000])
def test_streams_together_say_what_each_says_alone(
    classifier: Classifier, sounds: list[NDArray[np.float32]], n_a_call: int
) -> None:
    wanted = [alone(classifier.stream(**options(k)), sound) for k, sound in enumerate(sounds)]
    group = StreamGroup(classifier)
    streams = [classifier.stream(**options(k)) for k in range(len(sounds))]
    told: list[tuple[Stream, Decision]] = []
    ended: set[int] = set()
    for start in range(0, max(sound.size for sound in sounds), n_a_call):
        blocks = []
        for index, (stream, sound) in enumerate(zip(streams, sounds, strict=True)):
            # Each stream's blocks have a length of their own, and several come at once.
            n_a_block = 512 + 100 * index
            heard = sound[start : start + n_a_call]
            blocks += [
                (stream, heard[k : k + n_a_block], None) for k in range(0, heard.size, n_a_block)
            ]
            if start >= sound.size and index not in ended:
                # It ends while the others go on.
                ended.add(index)
                told += [(stream, each) for each in stream.flush()]
        told += group.push(blocks)
    for index, stream in enumerate(streams):
        if index not in ended:
            told += [(stream, each) for each in stream.flush()]
    assert {each.state for _, each in told} >= {"quiet", "no-speech", "uncertain"}
    for found, expected in zip(by_stream(streams, told), wanted, strict=True):
        same(found, expected)
    for stream, index in ((streams[4], 4), (streams[7], 7)):
        one = classifier.stream(**options(index))
        alone(one, sounds[index])
        assert stream.warnings() == one.warnings()


def test_a_stream_may_be_pushed_alone_and_lose_samples_in_between(
    classifier: Classifier, sounds: list[NDArray[np.float32]]
) -> None:
    sound = sounds[0]

    def first_part(stream: Stream) -> list[Decision]:
        return stream.push(sound[:30_000]) + stream.skip(1_000)

    expected = classifier.stream()
    wanted = first_part(expected) + expected.push(sound[30_000:70_000]) + expected.flush()
    group, stream, other = StreamGroup(classifier), classifier.stream(), classifier.stream()
    told = [
        each
        for of, each in group.push([(stream, sound[:30_000], None), (other, sound, None)])
        if of is stream
    ]
    told += stream.skip(1_000)
    told += [each for _, each in group.push([(stream, sound[30_000:50_000], None)])]
    told += stream.push(sound[50_000:70_000])
    same(told + stream.flush(), wanted)


def test_decisions_come_by_stream_and_in_time(classifier: Classifier) -> None:
    group, streams = StreamGroup(classifier), [classifier.stream(hop_s=0.25) for _ in range(3)]
    sound = voice(48_000)
    told = group.push((stream, sound, None) for stream in reversed(streams))
    assert [stream for stream, _ in told] == [each for each in reversed(streams) for _ in range(4)]
    ends_s = [[each.end_s for each in found] for found in by_stream(streams, told)]
    assert ends_s[0] == ends_s[1] == ends_s[2] == sorted(ends_s[0])


def test_what_cannot_be_used_leaves_every_stream_as_it_was(classifier: Classifier) -> None:
    group, stream, ended = StreamGroup(classifier), classifier.stream(), classifier.stream()
    foreign = load(MODELS_DIR / MODELS["claf-ser-tiny"]["numpy"], backend="numpy").stream()
    ended.flush()
    block = np.zeros(512, np.float32)
    for blocks, sentence in (
        ([(stream, block, None), (stream, np.zeros(3, np.int16), None)], "dtype int16"),
        ([(stream, block, None), (foreign, block, None)], "this group's classifier"),
        ([(stream, block, None), (None, block, None)], "this group's classifier"),
        ([(stream, block, None), (ended, block, None)], "was flushed"),
        ([(stream, block, float("nan"))], "arrived_s"),
        ([(stream, block, None), (stream, block)], r"a tuple \(stream, samples, arrived_s\) is"),
        ([(stream, block, None), stream], r"a tuple \(stream, samples, arrived_s\) is wanted"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            group.push(blocks)
        assert stream.position_s == 0
    assert group.push([]) == []
    # None is taken for being at work.
    assert group.push([(stream, block, None)]) == []
    assert stream.position_s == 512 / 16_000


def test_a_stream_at_work_elsewhere_is_refused() -> None:
    inside, go_on = threading.Event(), threading.Event()
    classifier = fake_classifier()
    infer = classifier.model.infer

    def slow(features: np.ndarray, corpus: int) -> np.ndarray:
        inside.set()
        assert go_on.wait(30)
        return infer(features, corpus)

    classifier.model.infer = slow
    busy, idle = classifier.stream(), classifier.stream()
    thread = threading.Thread(target=busy.push, args=(voice(40_000),))
    thread.start()
    try:
        assert inside.wait(30)
        with pytest.raises(ParameterError, match="at work in another call"):
            StreamGroup(classifier).push([(idle, voice(512), None), (busy, voice(512), None)])
        assert idle.position_s == 0
    finally:
        go_on.set()
        thread.join()
    assert len(StreamGroup(classifier).push([(idle, voice(40_000), None)])) == 2


@pytest.mark.parametrize("has_batches", [False, True])
def test_a_model_that_fails_on_a_stream_loses_that_segment_alone(has_batches: bool) -> None:
    classifier, is_short = fake_classifier(), [True]
    infer = classifier.model.infer

    def failing(features: np.ndarray, corpus: int) -> np.ndarray:
        # Of the loud one, as long as memory is short.
        if is_short[0] and features[:, -1, 14].max() > 0.6:
            raise OSError("out of memory")
        return infer(features, corpus)

    classifier.model.infer = failing
    if has_batches:
        classifier.model.infer_each = lambda examples, corpus: failing(np.stack(examples), corpus)
    group, streams = StreamGroup(classifier), [classifier.stream() for _ in range(3)]
    sound = 0.1 * voice(40_000)
    n_segment = classifier.spec.n_samples(61)
    sounds = [sound, np.clip(10 * sound, -1, 1), sound]
    expected = [len(alone(fake_classifier().stream(), each[:-512])) for each in sounds]
    with pytest.raises(BackendError, match="out of memory"):
        group.push(
            (stream, each[:n_segment], None) for stream, each in zip(streams, sounds, strict=True)
        )
    assert [stream.position_s for stream in streams] == [n_segment / 16_000] * 3
    is_short[0] = False
    told = group.push(
        (stream, each[n_segment:-512], None) for stream, each in zip(streams, sounds, strict=True)
    )
    told += [(stream, each) for stream in streams for each in stream.flush()]
    found = [len(each) for each in by_stream(streams, told)]
    assert found == [expected[0], expected[1] - 1, expected[2]]


def test_live_hops_are_left_out_and_counted_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        def perf_counter(self) -> float:
            return 10.0

    monkeypatch.setattr(edge.stream.stream, "time", Clock())
    sound = voice(64_000)

    def arrivals() -> list[tuple[NDArray[np.float32], float]]:
        blocks = [sound[start : start + 4_000] for start in range(0, sound.size, 4_000)]
        # Late at first, then in time.
        return [(block, 9.0 if k < 12 else 10.0) for k, block in enumerate(blocks)]

    one = fake_classifier().stream()
    wanted = [each for block in arrivals() for each in one.push(*block, live=True)]
    classifier = fake_classifier()
    stream, other = classifier.stream(), classifier.stream()
    group = StreamGroup(classifier)
    monkeypatch.setattr("edge.stream.group.time", Clock())
    told = [
        each
        for block, arrived_s in arrivals()
        for of, each in group.push([(other, block, 10.0), (stream, block, arrived_s)], live=True)
        if of is stream
    ]
    assert stream.skipped_hops == one.skipped_hops > 0
    assert other.skipped_hops == 0
    assert [each.skipped_hops for each in told] == [each.skipped_hops for each in wanted]
