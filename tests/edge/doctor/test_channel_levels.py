"""Figures of two seconds of sound."""

from __future__ import annotations

import numpy as np
import pytest

from edge.doctor.channel_levels import are_inverted, channel_levels
from edge.errors import ParameterError

RATE = 16_000


def tone(amplitude: float, frequency_hz: float = 440.0, duration_s: float = 2.0) -> np.ndarray:
    time_s = np.arange(round(duration_s * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def test_level_peak_and_offset_of_a_tone() -> None:
    (found,) = channel_levels((tone(0.1) + np.float32(0.05))[:, None], RATE)
    assert found.level_db == pytest.approx(-23.0, abs=0.1)
    assert found.floor_db == pytest.approx(-23.0, abs=0.3)
    assert found.peak_db == pytest.approx(20 * np.log10(0.15), abs=0.1)
    assert found.dc == pytest.approx(0.05, abs=1e-4)
    assert (found.clipped_share, found.is_zero, found.is_dead) == (0.0, False, False)


def test_the_floor_is_what_is_left_between_words() -> None:
    samples = tone(0.001)
    samples[RATE // 2 : RATE] += tone(0.3)[: RATE // 2]
    (found,) = channel_levels(samples[:, None], RATE)
    assert found.floor_db == pytest.approx(-63.0, abs=0.5)
    assert found.level_db > -20


def test_clipping_is_counted() -> None:
    samples = np.clip(tone(2.0), -1, 1)
    (found,) = channel_levels(samples[:, None], RATE)
    assert found.clipped_share == pytest.approx(2 / 3, abs=0.01)


def test_dead_and_silent_channels_are_told_apart() -> None:
    samples = np.stack([tone(0.1), tone(0.0005), np.zeros(2 * RATE, np.float32)], axis=1)
    loud, crosstalk, silent = channel_levels(samples, RATE)
    assert [each.is_dead for each in (loud, crosstalk, silent)] == [False, True, True]
    assert [each.is_zero for each in (loud, crosstalk, silent)] == [False, False, True]
    assert silent.level_db == -120.0


def test_an_offset_alone_is_not_sound() -> None:
    (found,) = channel_levels(np.full((RATE, 1), 0.2, np.float32), RATE)
    assert (found.is_zero, found.level_db < -100) == (False, True)


def test_what_is_no_number_is_silence() -> None:
    samples = np.stack([tone(0.1), np.full(2 * RATE, np.nan, np.float32)], axis=1)
    samples[5, 0] = np.inf
    good, bad = channel_levels(samples, RATE)
    assert (good.level_db, good.peak_db) == (pytest.approx(-23.0, abs=0.1), 0.0)
    assert (bad.is_zero, bad.level_db) == (True, -120.0)
    assert not are_inverted(samples)


def test_a_few_samples_are_enough() -> None:
    assert channel_levels(np.ones((3, 1), np.float32), RATE)[0].clipped_share == 1.0
    with pytest.raises(ParameterError, match="with one at least is wanted"):
        channel_levels(np.zeros((0, 2), np.float32), RATE)


def test_an_inverted_pair_is_found_and_two_different_channels_are_not() -> None:
    noise = np.random.default_rng(0).standard_normal((RATE, 2)).astype(np.float32)
    same = np.stack([noise[:, 0], noise[:, 0] + 0.1 * noise[:, 1]], axis=1)
    assert are_inverted(same * np.float32([1, -1]) + np.float32(0.3))
    assert not are_inverted(same)
    assert not are_inverted(noise)
    assert not are_inverted(np.zeros((RATE, 2), np.float32))
    assert not are_inverted(noise[:, :1])
