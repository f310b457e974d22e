"""One definition of how loud speech is, and where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from quantize.data.sound import level

RATE = 16_000


def spoken(pause_s: float = 0.5, gain: float = 1.0) -> np.ndarray:
    """A second of tone between pauses of faint noise."""
    rng = np.random.default_rng(0)
    pause = 1e-4 * rng.standard_normal(round(pause_s * RATE))
    tone = 0.1 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
    return gain * np.concatenate([pause, tone, pause])


@pytest.mark.parametrize("pause_s", [0.0, 0.5, 3.0])
def test_pauses_and_their_length_do_not_count(pause_s):
    assert level.speech_power(spoken(pause_s), RATE) == pytest.approx(0.005, rel=1e-3)


def test_a_gain_moves_the_power_and_not_the_span():
    found = []
    for gain in (0.01, 1.0):
        power = level.frame_power(spoken(gain=gain), RATE)
        assert power.shape == (80,)
        found.append(level.span(level.speech_frames(power, are_power=True)))
        rms = np.sqrt(power)
        assert np.array_equal(level.speech_frames(rms), level.speech_frames(power, are_power=True))
    assert found == [slice(20, 60)] * 2


def test_margins_stay_within_the_clip():
    speech = np.array([False, True, False, True, False])
    assert level.span(speech) == slice(1, 4)
    assert level.span(speech, margin=9) == slice(0, 5)
    assert level.span(np.zeros(3, bool)) == slice(0, 3)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 400])
def test_silence_and_short_clips_are_no_error(n_samples):
    silence = np.zeros(n_samples)
    power = level.frame_power(silence, RATE)
    assert level.speech_power(silence, RATE) == 0
    assert level.loud_quarter_rms(power) == 0
    assert level.span(level.speech_frames(power, are_power=True)) == slice(0, power.size)
