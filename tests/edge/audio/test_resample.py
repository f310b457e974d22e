from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.polyphase import Polyphase
from edge.audio.resample import Resampler, resample
from edge.errors import ParameterError

RATES = (8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)
PAIRS = [(rate, 16_000) for rate in RATES] + [(16_000, rate) for rate in RATES]
# Too many phases to be tabled: interpolated.
ODD_PAIRS = [(44_101, 16_000), (16_000, 44_101), (15_999, 16_001), (191_999, 16_000)]


def sine(rate: int, n_samples: int, frequency_hz: float, phase: float = 0.3) -> np.ndarray:
    time_s = np.arange(n_samples) / rate
    return np.sin(2 * np.pi * frequency_hz * time_s + phase)


def middle(samples: np.ndarray, rate: int) -> np.ndarray:
    """Without the 20 ms at each end where the sine begins and ends."""
    edge = round(0.02 * rate)
    return samples[edge:-edge]


@pytest.mark.parametrize(("src", "dst"), PAIRS + ODD_PAIRS)
def test_sines_up_to_nine_tenths_keep_level_and_time(src, dst):
    n_samples = round(0.25 * src)
    for share in (0.01, 0.2, 0.5, 0.8, 0.9):
        frequency_hz = share * min(src, dst) / 2
        got = resample(sine(src, n_samples, frequency_hz), src, dst)
        want = sine(dst, got.size, frequency_hz)
        # 1e-4 of full scale is 0.001 dB and 80 dB of anything else.
        np.testing.assert_allclose(middle(got, dst), middle(want, dst), atol=1e-4)


@pytest.mark.parametrize(("src", "dst"), [pair for pair in PAIRS + ODD_PAIRS if pair[0] > pair[1]])
def test_nothing_above_the_new_nyquist_frequency_folds_back(src, dst):
    for frequency_hz in np.linspace(dst / 2, src / 2, 12):
        got = resample(sine(src, round(0.1 * src), frequency_hz), src, dst)
        assert np.abs(middle(got, dst)).max() < 1e-4, f"{frequency_hz} Hz"


@pytest.mark.parametrize(("src", "dst"), [pair for pair in PAIRS + ODD_PAIRS if pair[0] < pair[1]])
def test_no_images_appear_above_the_old_nyquist_frequency(src, dst):
    for share in (0.1, 0.5, 0.9, 0.99):
        got = resample(sine(src, round(0.2 * src), share * src / 2), src, dst)
        inside = middle(got, dst)
        window = np.kaiser(inside.size, 14)
        level = np.abs(np.fft.rfft(inside * window)) / (window.sum() / 2)
        above = np.fft.rfftfreq(inside.size, 1 / dst) >= src / 2
        assert level[above].max(initial=0) < 1e-4


@pytest.mark.parametrize(("src", "dst"), PAIRS + ODD_PAIRS)
def test_a_constant_stays_a_constant(src, dst):
    got = resample(np.full(round(0.1 * src), 0.5), src, dst)
    np.testing.assert_allclose(middle(got, dst), 0.5, atol=1e-6)


def test_an_impulse_stays_where_it_was():
    clip = np.zeros(4_800)
    clip[2_400] = 1.0
    assert np.argmax(resample(clip, 48_000, 16_000)) == 800
    assert np.argmax(resample(clip, 48_000, 96_000)) == 4_800


def test_a_band_limited_clip_survives_there_and_back():
    clip = sum(sine(16_000, 8_000, hz, hz) for hz in (120, 900, 3_100, 7_000)) / 4
    there = resample(clip, 16_000, 44_100)
    back = resample(there, 44_100, 16_000)
    assert back.size == 8_000
    np.testing.assert_allclose(middle(back, 16_000), middle(clip, 16_000), atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(pair=st.sampled_from(PAIRS + ODD_PAIRS), n_samples=st.integers(0, 3_000))
def test_length(pair, n_samples):
    src, dst = pair
    got = resample(np.zeros(n_samples), src, dst)
    assert got.size == -(-n_samples * dst // src)
    assert got.dtype == np.float32


SPLIT_PAIRS = [(48_000, 16_000), (44_100, 16_000), (11_025, 16_000), (16_000, 44_100)]
SPLIT_PAIRS += [(44_101, 16_000), (16_000, 16_000)]


@settings(deadline=None, max_examples=60)
@given(
    pair=st.sampled_from(SPLIT_PAIRS),
    sizes=st.lists(st.one_of(st.integers(0, 2), st.integers(0, 700)), max_size=25),
    seed=st.integers(0, 9),
    shape=st.sampled_from(["noise", "square"]),
)
def test_any_split_gives_the_offline_result(pair, sizes, seed, shape):
    clip = np.random.default_rng(seed).uniform(-1, 1, sum(sizes)).astype(np.float32)
    if shape == "square":
        # Full scale throughout: the worst case for rounding.
        clip = np.sign(clip)
    resampler = Resampler(*pair)
    blocks = np.split(clip, np.cumsum(sizes)[:-1]) if sizes else []
    parts = [resampler.push(block) for block in blocks] + [resampler.flush()]
    got, want = np.concatenate(parts), resample(clip, *pair)
    assert got.dtype == want.dtype == np.float32
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize("pair", SPLIT_PAIRS)
def test_a_long_stream_of_callback_blocks(pair):
    src, _ = pair
    clip = np.random.default_rng(5).uniform(-1, 1, 2 * src).astype(np.float32)
    resampler = Resampler(*pair)
    size = src // 100
    parts = [resampler.push(clip[first : first + size]) for first in range(0, clip.size, size)]
    got = np.concatenate([*parts, resampler.flush()])
    np.testing.assert_allclose(got, resample(clip, *pair), atol=1e-6)


@pytest.mark.parametrize("pair", [(48_000, 16_000), (32_000, 16_000), (8_000, 16_000)])
@pytest.mark.parametrize("size", [1, 97, 1_536, 24_576])
def test_whole_factors_have_the_same_bits_however_the_samples_are_split(pair, size):
    clip = np.sign(np.random.default_rng(5).uniform(-1, 1, 600 if size == 1 else 30_000))
    resampler = Resampler(*pair)
    parts = [resampler.push(clip[first : first + size]) for first in range(0, clip.size, size)]
    got = np.concatenate([*parts, resampler.flush()])
    np.testing.assert_array_equal(got, resample(clip, *pair))


def test_single_precision_is_enough():
    clip = np.sign(np.random.default_rng(5).uniform(-1, 1, 24_000))
    plan = Polyphase(48_000, 16_000)
    taps = plan._taps(np.zeros(1))[0]
    padded = np.pad(clip, (plan.half - 1, plan.half))
    want = np.lib.stride_tricks.sliding_window_view(padded, taps.size)[::3] @ taps
    np.testing.assert_allclose(resample(clip, 48_000, 16_000), want, rtol=0, atol=2e-6)


@pytest.mark.parametrize("pair", SPLIT_PAIRS)
def test_reset_and_flush_give_a_fresh_object(pair):
    clip = np.random.default_rng(6).uniform(-1, 1, 900)
    resampler = Resampler(*pair)
    want = [resampler.push(clip), resampler.flush()]
    again = [resampler.push(clip), resampler.flush()]
    resampler.push(clip[:123])
    resampler.reset()
    after_reset = [resampler.push(clip), resampler.flush()]
    for one, two, three in zip(want, again, after_reset, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


def test_the_output_lags_by_milliseconds():
    resampler = Resampler(48_000, 16_000)
    n_out = resampler.push(np.zeros(48_000)).size
    assert 16_000 - n_out <= 0.004 * 16_000


def test_a_stream_keeps_no_more_than_the_filter_needs():
    resampler = Resampler(44_100, 16_000)
    for _ in range(300):
        resampler.push(np.zeros(441, dtype=np.float32))
    assert resampler._kept.size < 44_100 * 0.03


def test_the_same_rate_is_a_copy():
    clip = np.array([0.1, -0.2], dtype=np.float32)
    got = Resampler(16_000, 16_000).push(clip)
    np.testing.assert_array_equal(got, clip)
    got[0] = 9
    assert clip[0] == np.float32(0.1)


@pytest.mark.parametrize("pair", [*PAIRS[:7], *ODD_PAIRS, (16_000, 999_983), (999_983, 16_000)])
def test_filter_memory_is_bounded(pair):
    if math.gcd(*pair) == 16_000:
        return
    plan = Polyphase(*pair)
    tables = plan.matrices if plan.is_tabled else [plan.table]
    assert sum(table.nbytes for table in tables) < 8 << 20


@pytest.mark.parametrize(
    ("samples", "src", "dst", "message"),
    [
        (np.zeros((4, 2)), 48_000, 16_000, r"shape \(4, 2\), one dimension \(mono\)"),
        (np.zeros(4, dtype=np.int16), 48_000, 16_000, "dtype int16, floating-point"),
        (np.zeros(4), 0, 16_000, "src is 0, a whole number of at least 1 Hz"),
        (np.zeros(4), 48_000, -1, "dst is -1"),
        (np.zeros(4), 44_100.5, 16_000, "src is 44100.5"),
        (np.zeros(4), True, 16_000, "src is True"),
        (np.zeros(4), 1, 16_000, "factor of 64"),
        (np.zeros(4), 249, 16_000, "factor of 64"),
        (np.zeros(4), 1_024_001, 16_000, "factor of 64"),
        (np.zeros(4), 63, 16_000, "factor of 64"),
    ],
)
def test_what_is_refused(samples, src, dst, message):
    with pytest.raises(ParameterError, match=message):
        resample(samples, src, dst)


def test_numpy_integers_are_whole_numbers():
    assert resample(np.zeros(3), np.int64(48_000), np.uint32(16_000)).size == 1
