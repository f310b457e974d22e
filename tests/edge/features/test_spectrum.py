"""One spectrum for all, and decibels without a ceiling."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features.spectrum import AMIN, Spectrum, power_to_db

N_FFT = 1024


@pytest.fixture(scope="module")
def spectrum() -> Spectrum:
    return Spectrum(N_FFT)


def test_silence_has_no_magnitude(spectrum: Spectrum) -> None:
    magnitude = spectrum(np.zeros((3, N_FFT), np.float32))
    assert magnitude.shape == (3, 513)
    assert magnitude.dtype == np.float32
    assert not magnitude.any()


def test_an_impulse_is_flat_at_the_height_of_the_taper(spectrum: Spectrum) -> None:
    frames = np.zeros((1, N_FFT), np.float32)
    frames[0, 256] = 1.0  # a quarter in: sin(pi / 4) squared
    np.testing.assert_allclose(spectrum(frames), 0.5, rtol=1e-6)


def test_the_taper_is_periodic(spectrum: Spectrum) -> None:
    # A symmetric taper would also be 0 at the last sample.
    frames = np.zeros((2, N_FFT), np.float32)
    frames[0, 0] = frames[1, -1] = 1.0
    first, last = spectrum(frames)
    assert not first.any()
    np.testing.assert_allclose(last, np.sin(np.pi / N_FFT) ** 2, rtol=1e-5)


@pytest.mark.parametrize("k", [3, 64, 300])
def test_a_sine_on_a_bin_fills_three_bins(spectrum: Spectrum, k: int) -> None:
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
