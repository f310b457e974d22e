"""One spectrum for all, and decibels without a ceiling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import edge.features.spectrum
from edge.arrays import frame_view
from edge.features.decibels import AMIN, power_to_db
from edge.features.spectrum import TILE, Spectrum

N_FFT = 1024


@pytest.fixture(scope="module")
def spectrum() -> Callable[[np.ndarray], np.ndarray]:
    """Magnitudes of frames that share no samples."""
    transform = Spectrum(N_FFT, hop_length=N_FFT, n_lags=1)

    def magnitudes(frames: np.ndarray) -> np.ndarray:
        power = transform(frames.reshape(-1), len(frames)).power
        return np.sqrt(power[: len(frames), :513] / Spectrum.POWER_SCALE)

    return magnitudes


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
def samples() -> np.ndarray:
    """As many frames as are transformed at once, half a frame apart, with an offset."""
    noise = np.random.default_rng(0).standard_normal(512 * (TILE + 1))
    return (0.3 + noise).astype(np.float32)


@pytest.mark.parametrize("takes_out", [True, False])
@pytest.mark.parametrize("hop_length", [512, 100])
def test_halves_give_the_power_of_a_tapered_transform(
    samples: np.ndarray, takes_out: bool, hop_length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if takes_out and not edge.features.spectrum._FFT_TAKES_OUT:
        pytest.skip("NumPy 1.26 cannot transform into a given array")
    monkeypatch.setattr(edge.features.spectrum, "_FFT_TAKES_OUT", takes_out)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    frames = frame_view(samples, N_FFT, hop_length)[:TILE]
    wanted = np.abs(np.fft.rfft(frames * taper, axis=1)) ** 2
    transform = Spectrum(N_FFT, hop_length, 268)
    # What an earlier call left in the buffers must not matter.
    for n_frames in (TILE, 5, TILE):
        power = transform(samples, n_frames).power[:n_frames, :513] / Spectrum.POWER_SCALE
        np.testing.assert_allclose(power, wanted[:n_frames], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("takes_out", [True, False])
@pytest.mark.parametrize("hop_length", [512, 100])
def test_correlation_does_not_wrap_round(
    samples: np.ndarray, takes_out: bool, hop_length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        edge.features.spectrum,
        "_FFT_TAKES_OUT",
        takes_out and edge.features.spectrum._FFT_TAKES_OUT,
    )
    spectra = Spectrum(N_FFT, hop_length, 268)(samples, TILE)
    assert spectra.correlation.shape == (TILE, 268)
    frames = frame_view(samples, N_FFT, hop_length).astype(np.float64)
    for t in (0, 1, 32, TILE - 1):
        wanted = [(frames[t, : N_FFT - lag] * frames[t, lag:]).sum() for lag in range(268)]
        np.testing.assert_allclose(spectra.correlation[t], wanted, atol=2e-6 * wanted[0])
        assert spectra.energy[t] == pytest.approx(wanted[0], rel=1e-6)


def test_ends_hold_what_has_no_partner(samples: np.ndarray) -> None:
    spectra = Spectrum(N_FFT, 512, 268)(samples, 3)
    for t, frame in enumerate(frame_view(samples, N_FFT, 512)[:3]):
        squares = frame**2
        np.testing.assert_allclose(spectra.ends[t], (squares + squares[::-1])[:267], rtol=1e-6)


def test_an_offset_that_fills_the_frame_is_left_out_of_the_correlation() -> None:
    rng = np.random.default_rng(0)
    samples = (1e-3 * rng.standard_normal(2048)).astype(np.float32)
    samples[1024:] += 0.5
    spectra = Spectrum(N_FFT, 1024, 268)(samples, 2)
    wide = samples[1024:].astype(np.float64)
    centred = wide - wide.mean()
    wanted = [(centred[: N_FFT - lag] * centred[lag:]).sum() for lag in range(268)]
    np.testing.assert_allclose(spectra.correlation[1], wanted, atol=1e-6 * wanted[0])
    squares = centred**2
    np.testing.assert_allclose(spectra.ends[1], (squares + squares[::-1])[:267], rtol=1e-5)
    # The level is that of the frame as it is, and the frame without an offset is left alone.
    assert spectra.energy[1] == pytest.approx((wide**2).sum(), rel=1e-6)
    alone = Spectrum(N_FFT, 1024, 268)(samples[:1024], 1)
    np.testing.assert_array_equal(spectra.correlation[0], alone.correlation[0])


@pytest.mark.parametrize("first", [0, 5, 40])
@pytest.mark.parametrize("n_frames", [1, 16, 24])
def test_a_row_depends_on_its_frame_alone(samples: np.ndarray, first: int, n_frames: int) -> None:
    transform = Spectrum(N_FFT, 512, 268)
    whole = [part.copy() for part in transform(samples, TILE)]
    some = transform(samples[512 * first :], n_frames)
    bins = slice(0, 513)
    rows = slice(first, first + n_frames)
    np.testing.assert_array_equal(some.power[:n_frames, bins], whole[0][rows, bins])
    for part, of_all in zip(some[1:4], whole[1:4], strict=True):
        np.testing.assert_array_equal(part, of_all[rows])
