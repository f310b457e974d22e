"""What the extractor makes of loud, clipped, moved and silent sound."""

from __future__ import annotations

import numpy as np
import pytest
from extractor_rows import CHROMA, CONTRAST, PITCH, RMS, SPEC, assert_same_rows, cut, speech_like
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge import FeatureExtractor


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    """One for tests that use `extract` alone."""
    return FeatureExtractor()


@settings(deadline=None, max_examples=80)
@given(
    pattern=st.lists(
        st.floats(-1000, 1000, width=32, allow_subnormal=True), min_size=1, max_size=40
    ),
    scale=st.sampled_from([1.0, 1e-3, 1e-20, 1e-38]),
)
@example(pattern=[0.0], scale=1.0)
@example(pattern=[1000.0], scale=1.0)
@example(pattern=[1000.0, -1000.0], scale=1.0)
@example(pattern=[1.0] * 20 + [-1.0] * 20, scale=1.0)
@example(pattern=[1.401298464324817e-45], scale=1.0)
def test_finite_samples_give_finite_rows(pattern: list[float], scale: float) -> None:
    samples = np.resize(np.array(pattern, np.float32) * np.float32(scale), 2048)
    rows = FeatureExtractor().extract(samples)
    assert np.isfinite(rows).all()
    assert rows[:, RMS].min() >= 0
    assert rows[:, CHROMA].min() >= 0
    assert rows[:, CHROMA].max() <= 1
    assert rows[:, CONTRAST].min() >= 0
    assert (rows[:, PITCH] >= 0).all()


def test_what_loud_samples_leave_behind_is_no_trouble_to_the_next() -> None:
    extractor, loud = FeatureExtractor(), np.resize(np.float32([1000, -1000]), 4096)
    rows = extractor.extract(loud)
    np.testing.assert_array_equal(extractor.extract(loud), rows)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), gain=st.floats(0.01, 30))
def test_level_changes_what_it_should(seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    samples = speech_like(seed, 4096).astype(np.float64) + 0.01 * rng.standard_normal(4096)
    plain, scaled = FeatureExtractor().extract(samples), FeatureExtractor().extract(gain * samples)
    # gain * samples is rounded to float32: valleys of the spectrum move by a little.
    np.testing.assert_allclose(scaled[:, CHROMA], plain[:, CHROMA], atol=1e-4)
    np.testing.assert_allclose(scaled[:, CONTRAST], plain[:, CONTRAST], atol=1e-2)
    np.testing.assert_allclose(scaled[:, PITCH], plain[:, PITCH], rtol=1e-5)
    np.testing.assert_allclose(scaled[:, RMS], gain * plain[:, RMS], rtol=1e-5)
    shift_db = 20 * np.log10(gain) * np.sqrt(40)
    np.testing.assert_allclose(scaled[:, 0], plain[:, 0] + shift_db, atol=1e-2)
    np.testing.assert_allclose(scaled[:, 1:13], plain[:, 1:13], atol=1e-2)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), gain=st.floats(1, 1e6))
def test_clipping_at_full_scale_is_just_another_sound(seed: int, gain: float) -> None:
    samples = np.clip(gain * speech_like(seed, 6000), -1, 1)
    rows, streaming = FeatureExtractor().extract(samples), FeatureExtractor()
    assert np.isfinite(rows).all()
    assert rows[:, RMS].max() <= 1 + 1e-6
    assert rows[:, CONTRAST].min() >= 0
    assert_same_rows(np.concatenate([streaming.push(b) for b in cut(samples, [777])]), rows)


def test_polarity_changes_nothing(extractor: FeatureExtractor) -> None:
    samples = speech_like(14, 6000)
    np.testing.assert_array_equal(extractor.extract(-samples), extractor.extract(samples))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 99), n_hops=st.integers(1, 5))
def test_a_shift_by_hops_shifts_the_rows(seed: int, n_hops: int) -> None:
    samples = speech_like(seed, 6000)
    rows = FeatureExtractor().extract(samples)
    assert_same_rows(FeatureExtractor().extract(samples[512 * n_hops :]), rows[n_hops:])


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 99), n_kept=st.integers(1024, 5999))
def test_a_row_depends_on_its_own_samples_alone(seed: int, n_kept: int) -> None:
    samples = speech_like(seed, 6000)
    rows = FeatureExtractor().extract(samples)
    n_rows = SPEC.n_frames(n_kept)
    assert_same_rows(FeatureExtractor().extract(samples[:n_kept]), rows[:n_rows])
    samples[n_kept:] = np.random.default_rng(seed).uniform(-1, 1, 6000 - n_kept)
    assert_same_rows(FeatureExtractor().extract(samples)[:n_rows], rows[:n_rows])


def test_silence_is_the_floor_and_zeros(extractor: FeatureExtractor) -> None:
    rows = extractor.extract(np.zeros(32_000, np.float32))
    assert rows.shape == (61, 34)
    np.testing.assert_allclose(rows[:, 0], -100 * np.sqrt(40), rtol=1e-6)
    np.testing.assert_allclose(rows[:, 1:], 0, atol=1e-3)


def test_columns_are_where_the_spec_names_them(extractor: FeatureExtractor) -> None:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(4096) / 16_000)
    row = dict(zip(SPEC.feature_names, extractor.extract(wave)[0], strict=True))
    assert row["pitch_hz"] == pytest.approx(440, rel=1e-3)
    assert row["rms"] == pytest.approx(0.5 / np.sqrt(2), rel=1e-2)
    assert row["chroma_9"] == 1
    assert row["contrast_3"] == max(row[f"contrast_{i}"] for i in range(7))
