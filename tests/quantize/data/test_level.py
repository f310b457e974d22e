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


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_silence_at_the_ends_is_trimmed_by_frames_of_128_ms(rate):
    n, hop = rate, round(0.032 * rate)
    samples = np.zeros(3 * n, np.float32)
    samples[n : 2 * n] = 0.1 * np.sin(np.arange(n))
    kept = level.trimmed(samples, rate)
    # The first and the last point whose frame of 64 ms to either side holds any of it.
    assert np.shares_memory(kept, samples)
    assert kept.size == pytest.approx(n + 4 * hop, abs=2 * hop)
    assert np.abs(kept).sum() == pytest.approx(np.abs(samples).sum())
    # Noise 40 dB below is silence, 30 dB below is not.
    for below_db, is_kept in ((40, False), (30, True)):
        noise = np.random.default_rng(0).standard_normal(3 * n).astype(np.float32)
        rms = 0.0707 * 10 ** (-below_db / 20)
        assert (level.trimmed(samples + rms * noise, rate).size == 3 * n) == is_kept


@pytest.mark.parametrize("n_samples", [0, 1, 511, 512, 513, 5000])
def test_digital_silence_and_the_shortest_clips_are_left_as_they_are(n_samples):
    for samples in (np.zeros(n_samples, np.float32), np.full(n_samples, 0.1, np.float32)):
        assert level.trimmed(samples, RATE).size == n_samples
