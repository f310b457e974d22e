"""A reader of a microphone's waits for as many samples as it needs, and is woken once for them."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from microphone_fakes import FakeSoundDevice

import edge.audio.recording as recording_module
from edge.audio.capture import Capture
from edge.audio.microphone import Microphone
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
