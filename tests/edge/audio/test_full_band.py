"""Recordings of any rate keep all of the band that the model hears."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.full_band import FullBandResampler, full_band_resampler, resample_full_band
from edge.audio.resample import Resampler

RATES = (8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)
PAIRS = [(rate, 16_000) for rate in RATES] + [(16_000, 22_050)]


def sine(rate: int, n_samples: int, frequency_hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(n_samples) / rate + 0.3).astype(np.float32)


def middle(samples: np.ndarray, rate: int, lower_rate: int = 16_000) -> np.ndarray:
    """Without the 1200 periods at each end where the sine begins and ends."""
    edge = round(1200 / lower_rate * rate)
    return samples[edge:-edge]


@pytest.mark.parametrize(("src", "dst"), PAIRS)
def test_sines_up_to_the_edge_keep_level_and_time(src: int, dst: int) -> None:
    # Two stretches meet inside.
    n_samples = round(0.9 * src)
    for share in (0.01, 0.5, 0.9, 0.97, 0.995):
        frequency_hz = share * min(src, dst) / 2
        got = resample_full_band(sine(src, n_samples, frequency_hz), src, dst)
        want = sine(dst, got.size, frequency_hz)
        lower = min(src, dst)
        np.testing.assert_allclose(middle(got, dst, lower), middle(want, dst, lower), atol=1e-4)


@pytest.mark.parametrize(("src", "dst"), [pair for pair in PAIRS if pair[0] > pair[1]])
def test_nothing_above_the_new_nyquist_frequency_folds_back(src: int, dst: int) -> None:
    for frequency_hz in np.linspace(dst / 2, src / 2, 8):
        got = resample_full_band(sine(src, round(0.9 * src), frequency_hz), src, dst)
        assert np.abs(middle(got, dst)).max() < 1e-4, f"{frequency_hz} Hz"


@pytest.mark.parametrize(("src", "dst"), [pair for pair in PAIRS if pair[0] < pair[1]])
def test_no_images_appear_above_the_old_nyquist_frequency(src: int, dst: int) -> None:
    for share in (0.1, 0.9, 0.99):
        got = resample_full_band(sine(src, round(0.9 * src), share * src / 2), src, dst)
        inside = middle(got, dst, src)
        window = np.kaiser(inside.size, 14)
        level = np.abs(np.fft.rfft(inside * window)) / (window.sum() / 2)
        above = np.fft.rfftfreq(inside.size, 1 / dst) >= src / 2
        assert level[above].max(initial=0) < 1e-4


def test_an_impulse_stays_where_it_was() -> None:
    clip = np.zeros(96_000, dtype=np.float32)
    clip[[2_400, 60_000]] = 1.0
    got = resample_full_band(clip, 48_000, 16_000)
    assert set(np.argsort(got)[-2:]) == {800, 20_000}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("n_samples", [0, 1, 7, 441, 30_000, 100_001])
def test_length(pair: tuple[int, int], n_samples: int) -> None:
    src, dst = pair
    got = resample_full_band(np.ones(n_samples, dtype=np.float32), src, dst)
    assert got.size == -(-n_samples * dst // src)
    assert got.dtype == np.float32


@settings(deadline=None, max_examples=25)
@given(
    pair=st.sampled_from([(44_100, 16_000), (22_050, 16_000), (8_000, 16_000)]),
    sizes=st.lists(st.one_of(st.integers(0, 2), st.integers(0, 40_000)), max_size=6),
)
def test_any_split_gives_the_same_bits(pair: tuple[int, int], sizes: list[int]) -> None:
    clip = np.random.default_rng(1).uniform(-1, 1, sum(sizes)).astype(np.float32)
    resampler = full_band_resampler(*pair)
    blocks = np.split(clip, np.cumsum(sizes)[:-1]) if sizes else []
    parts = [resampler.push(block) for block in blocks] + [resampler.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), resample_full_band(clip, *pair))
    # Flushed, it begins anew.
    again = [resampler.push(clip), resampler.flush()]
    np.testing.assert_array_equal(np.concatenate(again), resample_full_band(clip, *pair))


def test_a_recording_of_hours_is_not_kept() -> None:
    resampler = full_band_resampler(44_100, 16_000)
    assert isinstance(resampler, FullBandResampler)
    for _ in range(40):
        resampler.push(np.zeros(44_100, dtype=np.float32))
        assert resampler._kept.size <= resampler._plan.n_in


@pytest.mark.parametrize("src", [16_000, 44_101])
def test_the_short_filter_serves_where_transforms_would_be_unwieldy(src: int) -> None:
    assert isinstance(full_band_resampler(src, 16_000), Resampler)
