"""Pitch classes: analytic truths."""

from __future__ import annotations

import numpy as np
import pytest

from edge import FeatureExtractor
from edge.features.families.chroma import chroma_filters, normalise_chroma

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def sine(frequency_hz: float, amplitude: float = 0.5) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(2048) / 16_000)
    return wave.astype(np.float32)


def chroma(samples: np.ndarray) -> np.ndarray:
    return FeatureExtractor().extract(samples)[:, 15:27]


@pytest.mark.parametrize("octave", [4, 5, 6])
@pytest.mark.parametrize("k", range(12), ids=NAMES)
def test_a_note_is_its_own_class(k: int, octave: int) -> None:
    rows = chroma(sine(440 * 2 ** (octave - 4 + (k - 9) / 12)))
    assert (rows.argmax(axis=1) == k).all()
    np.testing.assert_array_equal(rows[:, k], 1)


def test_octaves_are_one_class() -> None:
    low, high = chroma(sine(440.0)), chroma(sine(1760.0))
    assert low.argmax(axis=1).tolist() == high.argmax(axis=1).tolist() == [9, 9, 9]


def test_two_notes_are_the_two_largest() -> None:
    rows = chroma(sine(523.25) + sine(783.99))
    assert {*np.argsort(rows[0])[-2:]} == {0, 7}


def test_silence_is_all_zero() -> None:
    assert not chroma(np.zeros(4096, np.float32)).any()


def test_an_impulse_is_the_sum_of_the_filters() -> None:
    samples = np.zeros(1024, np.float32)
    samples[512] = 1.0
    sums = chroma_filters(16_000, 1024).sum(axis=0)
    np.testing.assert_allclose(chroma(samples)[0], sums / sums.max(), rtol=1e-5)


def test_noise_lies_between_0_and_1_and_reaches_1() -> None:
    rows = chroma(0.1 * np.random.default_rng(0).standard_normal(16_000))
    assert rows.min() >= 0
    np.testing.assert_array_equal(rows.max(axis=1), 1)


def test_filters_serve_every_class() -> None:
    weights = chroma_filters(16_000, 16_384)
    assert weights.shape == (8193, 12)
    assert weights.min() >= 0
    # 0 Hz belongs to no class.
    assert weights[0].max() < 1e-6
    totals = weights.sum(axis=0)
    assert totals.max() / totals.min() < 1.4


def test_a_row_below_the_smallest_normal_number_is_left_alone() -> None:
    raw = np.array([[1e-39, 0, 5e-40], [2, 1, 0]], np.float32)
    np.testing.assert_array_equal(normalise_chroma(raw), [raw[0], [1, 0.5, 0]])
