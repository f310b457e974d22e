"""One spectrum for all, and decibels without a ceiling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import edge.features.spectrum
from edge.features.spectrum import AMIN, Spectrum, power_to_db

N_FFT = 1024


@pytest.fixture(scope="module")
def spectrum() -> Callable[[np.ndarray], np.ndarray]:
    """Magnitudes of frames that share no samples."""
    transform = Spectrum(N_FFT, hop_length=N_FFT, n_lags=1)
    return lambda frames: np.sqrt(transform(frames)[0]).astype(np.float32)


def test_silence_has_no_magnitude(spectrum: Callable[[np.ndarray], np.ndarray]) -> None:
    magnitude = spectrum(np.zeros((3, N_FFT), np.float32))
    assert magnitude.shape == (3, 513)
    assert magnitude.dtype == np.float32
    assert not magnitude.any()


def test_an_impulse_is_flat_at_the_height_of_the_taper(
    spectrum: Callable[[np.ndarray], np.ndarray],
) -> None:
    frames = np.zeros((1, N_FFT), np.float32)
    frames[0, 256] = 1.0  # a quarter in: sin(pi / 4) squared
    np.testing.assert_allclose(spectrum(frames), 0.5, rtol=1e-6)


def test_the_taper_is_periodic(spectrum: Callable[[np.ndarray], np.ndarray]) -> None:
    # A symmetric taper would also be 0 at the last sample.
    frames = np.zeros((2, N_FFT), np.float32)
    frames[0, 0] = frames[1, -1] = 1.0
    first, last = spectrum(frames)
    assert not first.any()
    np.testing.assert_allclose(last, np.sin(np.pi / N_FFT) ** 2, rtol=1e-5)


@pytest.mark.parametrize("k", [3, 64, 300])
def test_a_sine_on_a_bin_fills_three_bins(
    spectrum: Callable[[np.ndarray], np.ndarray], k: int
) -> None:
    wave = 0.25 * np.sin(2 * np.pi * k * np.arange(N_FFT) / N_FFT)
    magnitude = spectrum(wave.astype(np.float32)[None])[0]
    # Amplitude times half the taper's sum, n_fft / 2; its neighbours half of that.
    np.testing.assert_allclose(magnitude[k - 1 : k + 2], [32, 64, 32], rtol=1e-5)
    assert np.delete(magnitude, [k - 1, k, k + 1]).max() < 1e-4


def test_power_to_db_has_a_floor_and_no_ceiling() -> None:
    power = np.array([0.0, 1e-30, AMIN, 1e-3, 1.0, 1e12])
    np.testing.assert_allclose(power_to_db(power), [-100, -100, -100, -30, 0, 120])


def test_power_to_db_of_a_value_ignores_its_company() -> None:
    alone = power_to_db(np.array([1e-9]))
    together = power_to_db(np.array([1e-9, 1e9]))
    assert alone[0] == together[0]


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """More frames than are transformed at once, half a frame apart, with an offset."""
    samples = 0.3 + np.random.default_rng(0).standard_normal(512 * 150).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::512]


@pytest.mark.parametrize("takes_out", [True, False])
def test_halves_give_the_power_of_a_tapered_transform(
    frames: np.ndarray, takes_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if takes_out and not edge.features.spectrum._FFT_TAKES_OUT:
        pytest.skip("NumPy 1.26 cannot transform into a given array")
    monkeypatch.setattr(edge.features.spectrum, "_FFT_TAKES_OUT", takes_out)
    power, _ = Spectrum(N_FFT, 512, 268)(frames)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    wanted = np.abs(np.fft.rfft(frames * taper, axis=1)) ** 2
    np.testing.assert_allclose(power, wanted, rtol=1e-9, atol=1e-9)


def test_correlation_does_not_wrap_round(frames: np.ndarray) -> None:
    _, correlation = Spectrum(N_FFT, 512, 268)(frames)
    for t in (0, 31, 32, 148):
        wide = frames[t].astype(np.float64)
        wanted = [(wide[: N_FFT - lag] * wide[lag:]).sum() for lag in range(268)]
        np.testing.assert_allclose(correlation[t], wanted, rtol=1e-10, atol=1e-9)


def test_a_row_depends_on_its_frame_alone(frames: np.ndarray) -> None:
    shared, apart = Spectrum(N_FFT, 512, 268), Spectrum(N_FFT, 100, 268)
    power, correlation = shared(frames)
    other_power, other_correlation = apart(frames)
    np.testing.assert_array_equal(power, other_power)
    np.testing.assert_array_equal(correlation, other_correlation)
    for first, end in ((0, 1), (5, 40), (70, 149)):
        some_power, some_correlation = shared(frames[first:end])
        np.testing.assert_array_equal(some_power, power[first:end])
        np.testing.assert_array_equal(some_correlation, correlation[first:end])
