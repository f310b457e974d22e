"""Spectral contrast: analytic truths."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge import FeatureExtractor
from edge.features.families.spectral_contrast import ContrastKernel, contrast_bands

BANDS = contrast_bands(16_000, 1024, 6, 100.0, 0.02)


def contrast(samples: np.ndarray) -> np.ndarray:
    return FeatureExtractor().extract(samples)[:, 27:]


def test_bands_are_octaves_from_100_hz_to_the_nyquist_frequency() -> None:
    bin_hz = 16_000 / 1024
    edges_hz = [first * bin_hz for first, _, _ in BANDS] + [BANDS[-1][1] * bin_hz]
    # Each begins one bin below its own edge.
    np.testing.assert_allclose(
        edges_hz, [0, 100, 200, 400, 800, 1600, 3200, 8000], atol=1.05 * bin_hz
    )
    assert BANDS[0][0] == 0
    assert BANDS[-1][1] == 513


def test_bands_leave_no_bin_out() -> None:
    for (_, end, _), (first, _, _) in pairwise(BANDS):
        assert first <= end


def test_the_share_of_extreme_bins_is_at_least_one() -> None:
    assert [n for _, _, n in BANDS] == [1, 1, 1, 1, 1, 2, 6]
    # Of a band with its upper edge, which it then leaves out: 7, 7, 14, 27, 52, 103 and 309 bins.
    half = contrast_bands(16_000, 1024, 6, 100.0, 0.5)
    assert [n for _, _, n in half] == [4, 4, 7, 14, 26, 52, 154]
    assert all(n <= end - first for first, end, n in contrast_bands(16_000, 1024, 6, 16.0, 0.5))


def test_silence_is_0() -> None:
    assert not contrast(np.zeros(4096, np.float32)).any()


def test_an_impulse_is_0() -> None:
    samples = np.zeros(1024, np.float32)
    samples[400] = 1.0
    np.testing.assert_allclose(contrast(samples), 0, atol=1e-4)


@pytest.mark.parametrize(
    ("frequency_hz", "band"),
    [(62.5, 0), (156.25, 1), (296.875, 2), (593.75, 3), (1250, 4), (2500, 5), (5000, 6)],
)
def test_a_sine_stands_out_in_its_band(frequency_hz: float, band: int) -> None:
    # On a bin: the taper spreads it over three bins, all of its own band.
    rng = np.random.default_rng(0)
    wave = 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(4096) / 16_000)
    rows = contrast(wave + 1e-3 * rng.standard_normal(4096))
    assert (rows.argmax(axis=1) == band).all()
    assert rows[:, band].min() > 20


def test_the_value_is_peak_over_valley_in_db() -> None:
    # Two extremes of four bins: (8 + 4) / 2 over (1 + 2) / 2, as magnitudes.
    magnitude = np.array([[4, 1, 8, 2]], np.float32)
    rows = ContrastKernel(((0, 4, 2), (0, 4, 1)), 4)(magnitude**2)
    np.testing.assert_allclose(rows, [[10 * np.log10(4), 10 * np.log10(8)]], rtol=1e-6)


def test_the_order_of_bins_within_a_band_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    power = rng.random((3, 513)).astype(np.float32)
    shuffled = power.copy()
    first, end, _ = BANDS[-1]
    shuffled[:, first:end] = rng.permuted(power[:, first:end], axis=1)
    np.testing.assert_allclose(
        ContrastKernel(BANDS, 513)(shuffled)[:, -1],
        ContrastKernel(BANDS, 513)(power)[:, -1],
        atol=1e-5,
    )
