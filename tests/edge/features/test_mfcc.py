"""Cepstral coefficients: analytic truths."""

from __future__ import annotations

import numpy as np
import pytest

from edge import FeatureExtractor
from edge.features.families.mfcc import (
    dct_matrix,
    hz_to_mel,
    log_mel_to_mfcc,
    mel_filters,
    mel_to_hz,
)

ROOT_N_MELS = np.sqrt(40)


def test_the_mel_scale_is_slaneys() -> None:
    # 1 kHz is 15 mel, linear below; a factor of 6.4 is 27 mel above.
    np.testing.assert_allclose(
        hz_to_mel(np.array([0, 200, 1000, 6400])), [0, 3, 15, 42], atol=1e-12
    )


def test_mel_and_hz_are_inverse() -> None:
    frequency_hz = np.linspace(0, 8000, 161)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(frequency_hz)), frequency_hz, atol=1e-9)


def test_filters_have_area_one_and_stay_in_their_range() -> None:
    filters = mel_filters(16_000, 16_384, 40, 50.0, 8000.0)
    assert filters.shape == (8193, 40)
    assert filters.min() == 0
    # Sampled finely, the sum times the bin width is the area of the triangle.
    np.testing.assert_allclose(filters.sum(axis=0) * 16_000 / 16_384, 1, rtol=2e-3)
    bins_hz = np.arange(8193) * 16_000 / 16_384
    assert not filters[bins_hz <= 50].any()


def test_every_default_filter_sees_a_bin() -> None:
    assert mel_filters(16_000, 1024, 40, 50.0, 8000.0).max(axis=0).min() > 0


def test_the_dct_is_orthonormal() -> None:
    matrix = dct_matrix(40, 40)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(40), atol=1e-12)
    np.testing.assert_array_equal(dct_matrix(40, 13), matrix[:, :13])


def test_a_flat_log_spectrum_has_coefficient_0_alone() -> None:
    mfcc = log_mel_to_mfcc(np.full((1, 40), -30, np.float32), dct_matrix(40, 13))
    np.testing.assert_allclose(mfcc[0, 0], -30 * ROOT_N_MELS, rtol=1e-6)
    np.testing.assert_allclose(mfcc[0, 1:], 0, atol=1e-4)


def test_a_cosine_log_spectrum_has_its_own_coefficient_alone() -> None:
    k = 5
    log_mel_db = 20 * np.cos(np.pi * k * (2 * np.arange(40) + 1) / 80)
    mfcc = log_mel_to_mfcc(log_mel_db[None], dct_matrix(40, 13))
    np.testing.assert_allclose(mfcc[0], 20 * np.sqrt(20) * np.eye(13)[k], atol=1e-9)


def test_silence_is_the_floor() -> None:
    rows = FeatureExtractor().extract(np.zeros(4096, np.float32))
    np.testing.assert_allclose(rows[:, 0], -100 * ROOT_N_MELS, rtol=1e-6)
    np.testing.assert_allclose(rows[:, 1:13], 0, atol=1e-3)


def test_an_impulse_is_the_filters_own_shape() -> None:
    samples = np.zeros(1024, np.float32)
    samples[512] = 1.0  # where the taper is 1: a flat power spectrum of 1
    areas = mel_filters(16_000, 1024, 40, 50.0, 8000.0).sum(axis=0)
    wanted = 10 * np.log10(areas) @ dct_matrix(40, 13)
    np.testing.assert_allclose(FeatureExtractor().extract(samples)[0, :13], wanted, atol=1e-3)


@pytest.mark.parametrize("gain", [0.1, 3.0])
def test_level_moves_coefficient_0_alone(gain: float) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(4096)
    extractor = FeatureExtractor()
    moved = extractor.extract(gain * noise)[:, :13] - extractor.extract(noise)[:, :13]
    np.testing.assert_allclose(moved[:, 0], 20 * np.log10(gain) * ROOT_N_MELS, rtol=1e-5)
    np.testing.assert_allclose(moved[:, 1:], 0, atol=1e-3)
