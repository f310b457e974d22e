"""Augmentation in samples: reproducible, bounded, and what it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from quantize.data.sound.augment import AugmentSettings, augment

RATE = 16_000
CLEAN = {
    "channel_db": 0.0,
    "band_limit_share": 0.0,
    "room_share": 0.0,
    "noise_share": 0.0,
    "gaussian_sigma": 0.0,
}
STILL = {"pitch": 0.0, "formants": 0.0, "tempo": 0.0}


def tone(f0_hz: float = 200.0, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.2 * sum(np.sin(2 * np.pi * k * f0_hz * t) / k for k in range(1, 8))).astype("f4")


def test_same_seed_same_variant():
    first = augment(tone(), RATE, np.random.default_rng(3))
    again = augment(tone(), RATE, np.random.default_rng(3))
    other = augment(tone(), RATE, np.random.default_rng(4))
    assert np.array_equal(first, again)
    assert first.size != other.size or not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(12))
def test_variants_are_float32_finite_and_within_full_scale(seed):
    loud = np.clip(5 * tone(), -1, 1)
    variant = augment(loud, RATE, np.random.default_rng(seed))
    assert variant.dtype == np.float32
    assert np.isfinite(variant).all()
    assert np.abs(variant).max() <= 1.0


def test_pitch_and_tempo_are_drawn_each_by_itself():
    settings = AugmentSettings(pitch=0.2, formants=0.0, tempo=0.2, **CLEAN)
    clip = tone(200.0)
    lengths, pitches_hz = [], []
    for seed in range(8):
        variant = augment(clip, RATE, np.random.default_rng(seed), settings)
        drawn = np.random.default_rng(seed).uniform(-0.2, 0.2, 3)
        pitch, tempo = 1.0 + drawn[0], 1.0 + drawn[2]
        assert variant.size == pytest.approx(clip.size / tempo, rel=1e-3)
        measured_hz = np.median(FeatureExtractor().extract(variant)[2:-2, 13])
        assert measured_hz == pytest.approx(200.0 * pitch, rel=0.01)
        lengths.append(variant.size)
        pitches_hz.append(measured_hz)
    assert abs(np.corrcoef(lengths, pitches_hz)[0, 1]) < 0.9


@pytest.mark.parametrize("babble_share", [0.0, 1.0])
def test_noise_has_the_drawn_snr(babble_share):
    settings = AugmentSettings(
        **{**CLEAN, "noise_share": 1.0, "babble_share": babble_share},
        **STILL,
        min_snr_db=10.0,
        max_snr_db=10.0,
    )
    clip = tone(seconds=2.0)
    noise = augment(clip, RATE, np.random.default_rng(0), settings) - clip
    snr_db = 10 * np.log10((clip**2).mean() / (noise**2).mean())
    assert snr_db == pytest.approx(10.0, abs=0.3)


def test_babble_is_voiced_and_other_noise_is_not():
    clip = tone(150.0, seconds=2.0)
    voiced = []
    for babble_share in (1.0, 0.0):
        settings = AugmentSettings(
            **{**CLEAN, "noise_share": 1.0, "babble_share": babble_share},
            **STILL,
            min_snr_db=0.0,
            max_snr_db=0.0,
        )
        noise = augment(clip, RATE, np.random.default_rng(0), settings) - clip
        power = np.abs(np.fft.rfft(noise)[400:]) ** 2  # from 200 Hz
        # Harmonics: most of the power in few bins.
        voiced.append(np.sort(power)[-200:].sum() / power.sum())
    assert voiced[0] > 0.8
    assert voiced[1] < 0.6


def test_silence_stays_finite():
    silence = np.zeros(RATE, dtype=np.float32)
    assert np.isfinite(augment(silence, RATE, np.random.default_rng(0))).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pitch": 0.7}, "pitch is 0.7"),
        ({"room_share": 1.5}, "room_share is 1.5"),
        ({"min_snr_db": 30.0, "max_snr_db": 10.0}, "min_snr_db 30.0 is above"),
        ({"channel_db": float("nan")}, "channel_db is nan"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        AugmentSettings(**settings)
