"""Pace and formants, each by itself, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from quantize.data.sound.voice import perturb_voice

RATE = 16_000


def vowel(f0_hz: float = 120.0, formant_hz: float = 1000.0, seconds: float = 1.0) -> np.ndarray:
    """Harmonics under one formant, 200 Hz wide."""
    t = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(t.size)
    for k in range(1, int(7000 / f0_hz)):
        gain = 1.0 / (1.0 + ((k * f0_hz - formant_hz) / 200.0) ** 2) + 0.003
        sound += gain * np.sin(2 * np.pi * k * f0_hz * t + k * k)
    return 0.1 * sound


def pitch_hz(samples: np.ndarray) -> float:
    return float(np.median(FeatureExtractor().extract(samples.astype(np.float32))[3:-3, 13]))


def peak_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    near = (hz > 300) & (hz < 3000)
    return float((hz[near] * power[near]).sum() / power[near].sum())


def test_no_change_is_the_samples_themselves():
    clip = vowel()
    assert np.array_equal(perturb_voice(clip), clip)


@pytest.mark.parametrize("tempo", [0.8, 0.93, 1.25, 1.6])
def test_tempo_changes_the_length_and_not_pitch_level_or_spectrum(tempo):
    clip = vowel()
    paced = perturb_voice(clip, tempo=tempo)
    assert paced.size == round(clip.size / tempo)
    assert pitch_hz(paced) == pytest.approx(pitch_hz(clip), rel=0.01)
    assert peak_hz(paced) == pytest.approx(peak_hz(clip), rel=0.03)
    assert np.sqrt((paced**2).mean()) == pytest.approx(np.sqrt((clip**2).mean()), rel=0.1)


@pytest.mark.parametrize("factor", [0.85, 1.18])
def test_formants_move_and_pitch_stays(factor):
    clip = vowel()
    warped = perturb_voice(clip, formants=factor)
    assert warped.size == clip.size
    assert pitch_hz(warped) == pytest.approx(pitch_hz(clip), rel=0.005)
    assert peak_hz(warped) / peak_hz(clip) == pytest.approx(factor, abs=0.06)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 513])
def test_short_clips_and_silence_stay_finite(n_samples):
    paced = perturb_voice(np.zeros(n_samples), tempo=1.2, formants=1.1)
    assert paced.size == round(n_samples / 1.2)
    assert np.isfinite(paced).all()


@pytest.mark.parametrize("name", ["tempo", "formants"])
def test_an_impossible_factor_is_refused(name):
    with pytest.raises(ParameterError, match=f"{name} is 3.0"):
        perturb_voice(vowel(), **{name: 3.0})


def test_half_the_rate_is_the_same_voice():
    """At 8 kHz the same seconds are looked at, not the same samples."""
    clip = vowel()
    half = clip[::2]  # nothing of it lies above 4 kHz
    paced = perturb_voice(half, RATE // 2, tempo=1.25, formants=1.1)
    assert paced.size == round(half.size / 1.25)
    usual = perturb_voice(clip, RATE, tempo=1.25, formants=1.1)[::2]
    power, wanted = (np.abs(np.fft.rfft(x * np.hanning(x.size))) ** 2 for x in (paced, usual))
    hz = np.fft.rfftfreq(paced.size, 2 / RATE)
    near = (hz > 300) & (hz < 3000)
    one, other = ((hz[near] * p[near]).sum() / p[near].sum() for p in (power, wanted))
    assert one == pytest.approx(other, rel=0.02)
