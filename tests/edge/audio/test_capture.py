"""Every sample keeps its place, from the callback to the reader."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microphone_fakes import Flags

from edge.audio.capture import Capture, Recorded
from edge.audio.microphone import Microphone
from edge.audio.resample import resample


def places(first: int, n: int) -> np.ndarray:
    """Samples that tell where they stand: exact, and no louder than samples are."""
    return np.arange(first, first + n, dtype=np.float32) / 2**18


def everything(capture: Capture) -> list[Recorded]:
    found = []
    while (one := capture.take(0)).samples.size or one.n_lost:
        found.append(one)
    return found


@settings(deadline=None, max_examples=150)
@given(
    blocks=st.lists(
        st.tuples(st.integers(1, 900), st.sampled_from([0, 0, 0, 1, 333, 5000]), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    buffer_s=st.sampled_from([0.1, 3.0]),
)
def test_the_place_of_every_sample_is_told_to_the_sample(
    blocks: list[tuple[int, int, bool]], buffer_s: float
) -> None:
    rate = 8000
    capture = Capture(rate, rate, buffer_s)
    place = told = 0

    def read() -> None:
        nonlocal told
        for one in everything(capture):
            told += one.n_lost
            wanted = places(told, one.samples.size)
            np.testing.assert_array_equal(one.samples, wanted)
            told += one.samples.size

    for index, (n, n_missing, reads) in enumerate(blocks):
        n_lost = n_missing if index else 0
        place += n_lost
        now_s = 50 + place / rate
        capture.write(places(place, n), now_s, now_s, n_lost > 0)
        place += n
        if reads:
            read()
    read()
    assert told == place
    assert capture.dropped_samples == place - sum(n for n, _, _ in blocks) + (
        capture.ring.dropped_samples
    )


@pytest.mark.parametrize("device_rate", [16_000, 48_000, 44_100])
def test_a_hole_parts_what_is_resampled_and_the_clock_goes_on(device_rate: int) -> None:
    rng = np.random.default_rng(3)
    parts = [rng.uniform(-1, 1, n).astype(np.float32) for n in (20_001, 777, 15_000)]
    capture = Capture(device_rate, 16_000, 3.0)
    place = 0
    for index, part in enumerate(parts):
        if index:
            place += 10 * device_rate
        for start in range(0, part.size, 512):
            now_s = 50 + (place + start) / device_rate
            capture.write(part[start : start + 512], now_s, now_s, index > 0 and start == 0)
        place += part.size
    found = everything(capture)
    found.append(Recorded(capture._resampler.flush(), 0.0))
    heard: list[list[np.ndarray]] = [[]]
    for one in found:
        if one.n_lost:
            assert one.n_lost == pytest.approx(160_000, abs=1)
            assert "the system lost it" in one.reason
            heard.append([])
        heard[-1].append(one.samples)
    assert len(heard) == 3
    # Nothing of one side is heard on the other.
    for got, part in zip(heard, parts, strict=True):
        np.testing.assert_allclose(
            np.concatenate(got), resample(part, device_rate, 16_000), atol=1e-6
        )
    total = sum(one.n_lost + one.samples.size for one in found)
    # One place is rounded, the last part's length is rounded up.
    assert total == pytest.approx(place * 16_000 / device_rate, abs=1.5)


def test_many_holes_do_not_make_the_clock_slip() -> None:
    capture = Capture(44_100, 16_000, 3.0)
    place = told = 0
    for index in range(300):
        place += 1001 * (index > 0)
        now_s = 50 + place / 44_100
        capture.write(np.ones(441, np.float32), now_s, now_s, index > 0)
        place += 441
        told += sum(one.n_lost + one.samples.size for one in everything(capture))
    # But for what waits in the resampler.
    assert told == pytest.approx(place * 16_000 / 44_100, abs=64)


def test_what_was_not_read_in_time_is_told_where_it_was() -> None:
    capture = Capture(8000, 8000, 0.5)
    capture.write(places(0, 100), None, 50.0, False)
    assert everything(capture)[0].samples.size == 100
    for start in range(100, 10_100, 500):
        block = places(start, 500)
        capture.write(block, None, 50.0 + start / 8000, False)
    (one,) = everything(capture)
    assert one.n_lost == 6000
    assert one.reason == "this program was too slow to read it"
    assert one.samples[0] == places(6100, 1)
    assert capture.dropped_samples == 6000


def test_a_backlog_is_as_old_as_it_is() -> None:
    capture = Capture(8000, 8000, 3.0)
    capture.write(np.ones(800, np.float32), 50.0, 50.0, False)
    capture.write(np.ones(4000, np.float32), 60.0, 60.0, True)
    first, second = everything(capture)
    # Behind it half a second waited: it was there that much earlier.
    assert time.perf_counter() - first.arrived_s == pytest.approx(0.5, abs=0.1)
    assert time.perf_counter() - second.arrived_s == pytest.approx(0.0, abs=0.1)
    assert capture.waited_s < 0.1


def test_waiting_is_counted_and_the_resampler_s_work_is_not() -> None:
    capture = Capture(48_000, 16_000, 3.0)
    assert capture.take(0.05).samples.size == 0
    assert 0.04 < capture.waited_s < 1.0
    waited_s = capture.waited_s
    capture.write(np.zeros(96_000, np.float32), None, 1.0, False)
    assert capture.take(1.0).samples.size > 30_000
    assert capture.waited_s - waited_s < 0.002


def test_portaudio_s_time_reaches_the_clock(sounddevice) -> None:
    with Microphone(2, channel=0) as microphone:
        stream = sounddevice.stream
        for index in range(4):
            stream.deliver(np.ones((512, 6)), adc_s=7.0 + index * 0.032)
        stream.deliver(np.ones((512, 6)), Flags(input_overflow=True), adc_s=17.128)
        first, second = microphone.take(0), microphone.take(0)
        assert (first.samples.size, first.n_lost) == (2048, 0)
        assert (second.samples.size, second.n_lost) == (512, 160_000)
        assert microphone.dropped_samples == 160_000
        assert microphone.overflows == 1
    with Microphone(2, channel=0) as microphone:
        # Another stream, another clock.
        sounddevice.stream.deliver(np.ones((512, 6)), adc_s=9999.0)
        assert microphone.take(0).n_lost == 0


def test_a_loss_that_nobody_reports_is_told_before_the_block_that_followed_it() -> None:
    """Late by both clocks, and it stays so: what follows is not handed out before that is known."""
    rate = 8000
    capture = Capture(rate, rate, 3.0)
    n_lost = rate
    for index in range(60):
        start = index * 256
        now_s = 50 + (start + (n_lost if index >= 20 else 0)) / rate
        capture.write(places(start, 256), now_s, now_s, False)
        if index == 22:
            # Still in doubt: only what was before the hole may be read.
            early = everything(capture)
            assert sum(one.samples.size for one in early) == 20 * 256
            assert not any(one.n_lost for one in early)
    late = everything(capture)
    assert [one.n_lost for one in late if one.n_lost] == [n_lost]
    assert late[0].samples[0] == places(20 * 256, 1)
    assert capture.dropped_samples == n_lost


@pytest.mark.parametrize("has_adc", [True, False])
def test_a_loss_that_nobody_reports_is_told_where_it_was(has_adc: bool) -> None:
    capture = Capture(8000, 8000, 3.0)
    place = 0

    def write(n_blocks: int) -> list[Recorded]:
        nonlocal place
        found = []
        for _ in range(n_blocks):
            now_s = 50 + place / 8000
            block = np.arange(place, place + 256, dtype=np.float32) / 2**17
            capture.write(block, now_s if has_adc else None, now_s, False)
            place += 256
            found += everything(capture)
        return found

    before = write(30)
    assert sum(one.samples.size for one in before) == 30 * 256
    hole = place
    place += 80_000
    # Nothing of what follows is handed out before it is clear.
    assert write(2) == []
    first, *others = write(30)
    assert (first.n_lost, first.samples[0] * 2**17) == (80_000, hole + 80_000)
    assert sum(one.n_lost for one in others) == 0
    assert capture.dropped_samples == 80_000
    assert first.samples.size + sum(one.samples.size for one in others) == 32 * 256


def test_a_report_in_the_middle_of_a_doubt_settles_it() -> None:
    capture = Capture(8000, 8000, 3.0)
    times_s = [50.0, 50.032, 53.064, 53.1]
    for index, now_s in enumerate(times_s):
        capture.write(np.full(256, index, np.float32), now_s, now_s, index == 3)
    found = everything(capture)
    assert sum(one.samples.size for one in found) == 4 * 256
    (lost,) = [one for one in found if one.n_lost]
    assert lost.n_lost == pytest.approx(3.004 * 8000, abs=1)
    assert lost.samples[0] == 3


def test_a_hole_of_less_than_a_sample_is_a_hole() -> None:
    capture = Capture(48_000, 16_000, 3.0)
    for index in range(3):
        now_s = 50 + index * (480 / 48_000)
        capture.write(np.ones(480, np.float32), now_s, now_s, index == 2)
    assert [one.n_lost for one in everything(capture) if one.n_lost] == [1]


def test_the_end_before_a_hole_is_older_than_what_is_behind_it() -> None:
    capture = Capture(48_000, 16_000, 3.0)
    capture.write(np.ones(4800, np.float32), 50.0, 50.0, False)
    capture.write(np.ones(48_000, np.float32), 60.0, 60.0, True)
    found = everything(capture)
    ages_s = [time.perf_counter() - one.arrived_s for one in found]
    # Before the hole, what the resampler held of it, and behind it.
    assert ages_s == pytest.approx([1.0, 1.0, 0.0], abs=0.1)
