"""A reader of a microphone's waits for as many samples as it needs, and is woken once for them."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from microphone_fakes import FakeSoundDevice, Flags

import edge.audio.recording as recording_module
from edge.audio.capture import Capture
from edge.audio.microphone import Microphone
from edge.audio.mixdown import Mixdown
from edge.audio.portaudio import AwayError
from edge.audio.resample import Resampler
from edge.audio.ring_buffer import RingBuffer

RATE = 16_000


@pytest.mark.parametrize("pair", [(48_000, RATE), (44_100, RATE), (8000, RATE), (RATE, RATE)])
def test_a_resampler_knows_how_much_it_needs(pair: tuple[int, int]) -> None:
    resampler = Resampler(*pair)
    for n_out in (700, 1, 333, 8192):
        n_in = resampler.n_needed(n_out)
        before = resampler.push(np.zeros(n_in - 1, np.float32)).size
        assert before < n_out
        # Where the rate goes up, more than one may come at once.
        assert n_out <= before + resampler.push(np.zeros(1, np.float32)).size <= n_out + 1


def test_a_buffer_gives_nothing_before_there_is_enough_and_keeps_it() -> None:
    buffer = RingBuffer(100)
    buffer.write(np.ones(10, np.float32))
    assert buffer.take(20, 0.01, 20).samples.size == 0
    assert len(buffer) == 10
    buffer.write(np.ones(15, np.float32))
    assert buffer.take(20, 0.01, 20).samples.size == 20
    # More than fits can never be there.
    buffer.write(np.ones(100, np.float32))
    assert buffer.take(1000, 0.01, 1000).samples.size == 100


@pytest.mark.parametrize("how", ["hole", "barrier", "end"])
def test_a_buffer_gives_less_where_no_more_can_come(how: str) -> None:
    buffer = RingBuffer(100)
    buffer.write(np.ones(10, np.float32))
    if how == "barrier":
        buffer.hold()
    if how == "end":
        buffer.close()
    buffer.write(np.ones(5, np.float32), n_lost=7 * (how == "hole"))
    assert buffer.take(50, 5.0, 50).samples.size == 10


def test_a_reader_is_woken_once() -> None:
    buffer = RingBuffer(1000)
    waits: list[float | None] = []
    real = buffer._changed.wait
    buffer._changed.wait = lambda timeout_s: waits.append(timeout_s) or real(timeout_s)
    got: list[int] = []
    reader = threading.Thread(
        target=lambda: got.append(buffer.take(400, 10.0, 400).samples.size), daemon=True
    )
    reader.start()
    while not waits:
        time.sleep(0.001)
    for _ in range(45):
        buffer.write(np.ones(10, np.float32))
        time.sleep(0.001)
    reader.join(5)
    assert got == [400]
    assert len(waits) == 1


def test_what_came_with_the_last_sample_is_no_backlog() -> None:
    capture = Capture(8000, 8000, 3.0)
    for index in range(5):
        capture.write(np.ones(256, np.float32), None, 50.0 + index * 0.032, False)
    first = capture.take(0, 1100)
    assert first.samples.size == 1100
    assert time.perf_counter() - first.arrived_s == pytest.approx(0.0, abs=0.01)
    capture.write(np.ones(4000, np.float32), None, 50.2, False)
    capture.write(np.ones(256, np.float32), None, 50.7, False)
    late = capture.take(0, 1000)
    assert time.perf_counter() - late.arrived_s == pytest.approx(0.4295, abs=0.01)


def test_a_device_that_pauses_keeps_nothing_back(
    sounddevice: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "_PAUSE_S", 0.05)
    with Microphone(2, channel=0) as microphone:
        sounddevice.stream.deliver(np.ones((1024, 6)))
        assert microphone.take(0.0, 8192).samples.size == 0
        assert microphone.take(0.1, 8192).samples.size == 1024


# The callback


def test_a_callback_copies_and_the_blocks_of_a_hop_are_worked_on_together(
    sounddevice: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = Mixdown.push
    monkeypatch.setattr(
        Mixdown, "push", lambda self, block: sizes.append(len(block)) or real(self, block)
    )
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (20 * 512, 6)).astype(np.float32)
    with Microphone(2, channel=3) as microphone:
        # A hop is waited for.
        assert microphone.take(0.0, 8192).samples.size == 0
        for start in range(0, len(sound), 512):
            sounddevice.stream.deliver(sound[start : start + 512])
        assert sizes == [8192]
        first = microphone.take(0.0, 8192).samples
        rest = microphone.take(0.0).samples
        assert sizes == [8192, 2048]
    np.testing.assert_array_equal(np.concatenate((first, rest)), sound[:, 3])


def test_what_is_lost_is_told_at_once_and_in_its_place(sounddevice: FakeSoundDevice) -> None:
    with Microphone(2, channel=0) as microphone:
        assert microphone.take(0.0, 8192).samples.size == 0
        for index in range(4):
            sounddevice.stream.deliver(np.ones((512, 6)), adc_s=7.0 + index * 0.032)
        sounddevice.stream.deliver(np.ones((512, 6)), Flags(input_overflow=True), adc_s=17.128)
        first, second = microphone.take(0.0, 8192), microphone.take(0.0)
        assert (first.samples.size, first.n_lost) == (2048, 0)
        assert (second.samples.size, second.n_lost) == (512, 160_000)


def test_an_end_hands_out_what_waits(sounddevice: FakeSoundDevice) -> None:
    with Microphone(2, channel=0) as microphone:
        assert microphone.take(0.0, 8192).samples.size == 0
        sounddevice.stream.deliver(np.ones((512, 6)))
        sounddevice.stream.vanish()
        assert microphone.take(0.0, 8192).samples.size == 512
        with pytest.raises(AwayError, match="stopped"):
            microphone.take(0.0, 8192)


def test_a_reader_that_was_busy_sees_how_far_it_is_behind(sounddevice: FakeSoundDevice) -> None:
    with Microphone(2, channel=0) as microphone:
        assert microphone.take(0.0, 8192).samples.size == 0
        for _ in range(40):
            sounddevice.stream.deliver(np.ones((512, 6)))
        late = microphone.take(0.0, 8192)
        assert late.samples.size == 8192
        assert time.perf_counter() - late.arrived_s == pytest.approx(24 * 0.032, abs=0.02)
