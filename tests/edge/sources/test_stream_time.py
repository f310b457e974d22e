"""Stream time beside the clock on the wall."""

from __future__ import annotations

import numpy as np
import pytest

from edge.sources.stream_time import StreamTime

RATE, N = 16_000, 512


def run(time: StreamTime, now_s: float, seconds: float, late: np.random.Generator | None) -> float:
    """Blocks at the pace of sound, each late by up to 60 ms; gives the time of the last sample."""
    for _ in range(round(seconds * RATE / N)):
        now_s += N / RATE
        time.heard(N, now_s + (0.0 if late is None else late.uniform(0.0, 0.06)))
    return now_s


def test_errors_of_a_hundred_outages_do_not_add_up() -> None:
    rng, time = np.random.default_rng(5), StreamTime(RATE)
    now_s = run(time, 1000.0, 5.0, rng)
    begin_s = 1000.0
    n_samples = round(5.0 * RATE / N) * N
    for _ in range(100):
        now_s += rng.uniform(0.5, 60.0)
        # The first block of a stream is later than its others, always.
        n_missing = time.resume(N, now_s + N / RATE + 0.3)
        time.heard(N, now_s + N / RATE + 0.3)
        now_s += N / RATE
        n_samples += n_missing + N
        now_s = run(time, now_s, 4.0, rng)
        n_samples += round(4.0 * RATE / N) * N
    # 0.3 s of the last one, which is not put right yet, and a few milliseconds of each of the
    # others, by which the earliest of their blocks differ; 30 s if they added up.
    assert abs(n_samples / RATE - (now_s - begin_s)) < 0.6


def test_two_crystals_that_differ_are_left_alone() -> None:
    time, now_s = StreamTime(RATE), 0.0
    for _ in range(round(3600 * RATE / N)):
        now_s += N / RATE * (1 + 100e-6)
        time.heard(N, now_s)
    # 0.36 s of difference in the hour, and an outage of one second.
    assert time.resume(N, now_s + 1.0 + N / RATE) / RATE == pytest.approx(1.0, abs=1e-3)


def test_what_was_lost_on_the_way_is_no_outage() -> None:
    time = StreamTime(RATE)
    now_s = run(time, 0.0, 3.0, None)
    time.lost(RATE)
    now_s = run(time, now_s + 1.0, 3.0, None)
    assert time.resume(N, now_s + 2.0 + N / RATE) / RATE == pytest.approx(2.0, abs=1e-3)


def test_before_any_sound_nothing_is_missing() -> None:
    time = StreamTime(RATE)
    time.heard(0, 5.0)
    assert time.resume(N, 100.0) == 0


def test_a_gap_is_a_gap() -> None:
    time = StreamTime(RATE)
    now_s = run(time, 0.0, 3.0, None)
    assert time.resume(N, now_s - 1.0) == 1
