"""YIN: analytic truths, its own definition, voicing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import FeatureExtractor, FeatureSpec
from edge.features.families.pitch import Pitch, Yin
from edge.features.spectrum import Spectrum

RATE = 16_000


@pytest.fixture(scope="module")
def yin() -> Yin:
    return Yin(Pitch(), FeatureSpec())


def difference(yin: Yin, frame: np.ndarray) -> np.ndarray:
    spectra = Spectrum(1024, 1024, yin.n_lags)(np.asarray(frame, np.float32), 1)
    return yin.normalised_difference(spectra.correlation, spectra.ends)[0]


def pitch(samples: np.ndarray) -> np.ndarray:
    return FeatureExtractor().extract(np.asarray(samples, np.float32))[:, 13]


def time_s(n_samples: int) -> np.ndarray:
    return np.arange(n_samples) / RATE


def slow_normalised_difference(frame: np.ndarray, min_lag: int, max_lag: int) -> np.ndarray:
    """De Cheveigne & Kawahara's equations 6 and 8, pair by pair."""
    wide = frame.astype(np.float64)
    mean_square = [((wide[:-lag] - wide[lag:]) ** 2).mean() for lag in range(1, max_lag + 1)]
    running = np.cumsum(mean_square) / np.arange(1, max_lag + 1)
    return (np.array(mean_square) / running)[min_lag - 1 :]


@pytest.mark.parametrize("seed", range(3))
def test_the_difference_is_its_definition(yin: Yin, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = 0.2 * np.sin(2 * np.pi * 123 * time_s(1024)) + 0.1 * rng.standard_normal(1024) + seed
    frame = frame.astype(np.float32)
    wanted = slow_normalised_difference(frame, yin.min_lag, yin.max_lag)
    assert (yin.min_lag, yin.max_lag) == (26, 267)
    np.testing.assert_allclose(difference(yin, frame), wanted, rtol=2e-4)


@pytest.mark.parametrize("offset", [0.0, 0.5, -300.0])
def test_an_offset_does_not_hide_the_period(yin: Yin, offset: float) -> None:
    wave = 1e-3 * np.sin(2 * np.pi * 123 * time_s(1024))
    wanted = slow_normalised_difference(wave, yin.min_lag, yin.max_lag)
    # The samples themselves are rounded: 300 leaves a sine of 1e-3 some 30 steps.
    allowed = 1e-4 if abs(offset) < 1 else 0.05
    np.testing.assert_allclose(difference(yin, wave + offset), wanted, atol=allowed)


@pytest.mark.parametrize("period", [40, 100, 160, 250])
def test_an_exact_repetition_differs_by_nothing(yin: Yin, period: int) -> None:
    rng = np.random.default_rng(period)
    frame = np.resize(rng.uniform(-1, 1, period), 1024)
    values = difference(yin, frame)
    assert values.min() >= 0
    assert values[period - yin.min_lag] < 1e-5
    np.testing.assert_allclose(pitch(frame), RATE / period, rtol=1e-3)


@pytest.mark.parametrize("lag", [26.0, 26.3])
def test_the_shortest_lag_has_no_left_neighbour_and_is_not_refined(lag: float) -> None:
    wave = 0.3 * np.sin(2 * np.pi * RATE / lag * time_s(2048))
    np.testing.assert_allclose(pitch(wave), RATE / 26, rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    frequency_hz=st.floats(62, 590),
    amplitude=st.floats(1e-3, 1.0),
    phase=st.floats(0, 6.28),
    offset=st.floats(-0.5, 0.5),
)
def test_a_sine_within_a_thousandth(
    frequency_hz: float, amplitude: float, phase: float, offset: float
) -> None:
    wave = offset + amplitude * np.sin(2 * np.pi * frequency_hz * time_s(2048) + phase)
    np.testing.assert_allclose(pitch(wave), frequency_hz, rtol=1e-3)


@settings(deadline=None, max_examples=120)
@given(
    f0_hz=st.floats(70, 500),
    n_harmonics=st.integers(2, 30),
    tilt=st.floats(0.8, 2.0),
    seed=st.integers(0, 999),
)
def test_harmonics_give_their_fundamental_and_no_octave_error(
    f0_hz: float, n_harmonics: int, tilt: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    k = np.arange(1, min(n_harmonics, int(7500 / f0_hz)) + 1)
    phases = rng.uniform(0, 2 * np.pi, k.size)
    waves = np.sin(2 * np.pi * f0_hz * k * time_s(2048)[:, None] + phases) / k**tilt
    np.testing.assert_allclose(pitch(0.2 * waves.sum(axis=1)), f0_hz, rtol=5e-3)


@pytest.mark.parametrize("f0_hz", [90.0, 140.0, 200.0])
def test_noise_does_not_double_the_period(f0_hz: float) -> None:
    rng = np.random.default_rng(0)
    waves = [np.sin(2 * np.pi * f0_hz * k * time_s(4 * RATE)) / k for k in range(1, 12)]
    voice = 0.2 * np.sum(waves, axis=0)
    noisy = voice + voice.std() * 10 ** (-8 / 20) * rng.standard_normal(voice.size)
    found = pitch(noisy)
    found = found[found > 0]
    assert found.size > 110
    assert (found < 0.75 * f0_hz).mean() < 0.01


def test_a_missing_fundamental_is_found() -> None:
    waves = [np.sin(2 * np.pi * 150 * k * time_s(2048)) for k in (2, 3, 4, 5)]
    np.testing.assert_allclose(pitch(0.1 * np.sum(waves, axis=0)), 150, rtol=5e-3)


def test_a_voice_in_moderate_noise_is_still_voiced() -> None:
    rng = np.random.default_rng(0)
    waves = [np.sin(2 * np.pi * 180 * k * time_s(RATE)) / k for k in range(1, 20)]
    noisy = 0.2 * np.sum(waves, axis=0) + 0.03 * rng.standard_normal(RATE)
    np.testing.assert_allclose(pitch(noisy), 180, rtol=0.01)


@pytest.mark.parametrize("level", [1.0, 0.1, 1e-3])
def test_white_noise_is_unvoiced(level: float) -> None:
    noise = level * np.random.default_rng(1).standard_normal(10 * RATE)
    assert (pitch(noise) > 0).mean() < 0.01


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros(1024),
        np.full(1024, 1e-40),
        np.full(1024, 0.5),
        np.full(1024, -0.3e-3),
        np.full(1024, 0.1),
        np.eye(1, 1024, 300)[0],
        np.eye(1, 1024, 0)[0],
        np.eye(1, 1024, 1023)[0],
        np.arange(1024) / 1024,
        (np.arange(1024) >= 512).astype(float),
    ],
    ids=[
        "silence",
        "denormal",
        "offset",
        "small offset",
        "inexact offset",
        "click",
        "click first",
        "click last",
        "ramp",
        "step",
    ],
)
def test_what_does_not_repeat_has_no_pitch(frame: np.ndarray) -> None:
    assert pitch(frame).tolist() == [0.0]


def test_silence_is_a_matter_of_level_alone() -> None:
    wave = np.sqrt(2) * np.sin(2 * np.pi * 200 * time_s(1024 * 4))
    assert not pitch(0.9e-5 * wave).any()
    np.testing.assert_allclose(pitch(1.1e-5 * wave), 200, rtol=1e-3)


def test_silent_frames_among_loud_ones_keep_their_place() -> None:
    wave = 0.3 * np.sin(2 * np.pi * 250 * time_s(1024 * 6))
    wave[2048:4096] = 0
    found = pitch(wave)
    assert found.shape == (11,)
    assert not found[4:7].any()
    np.testing.assert_allclose(found[[0, 1, 2, 8, 9, 10]], 250, rtol=1e-3)


def test_pitch_stays_in_the_range_searched() -> None:
    rng = np.random.default_rng(0)
    found = np.concatenate(
        [pitch(np.sin(2 * np.pi * f * time_s(4096))) for f in rng.uniform(20, 4000, 60)]
    )
    found = found[found > 0]
    # Whole lags around the range, and at most one more for the parabola.
    assert found.min() >= RATE / 268
    assert found.max() <= RATE / 25


def test_a_narrow_range_finds_what_is_in_it() -> None:
    extractor = FeatureExtractor(
        FeatureSpec().with_settings(pitch_fmin_hz=195.0, pitch_fmax_hz=205.0)
    )
    wave = 0.3 * np.sin(2 * np.pi * 200 * time_s(4096))
    np.testing.assert_allclose(extractor.extract(wave)[:, 13], 200, rtol=1e-3)
