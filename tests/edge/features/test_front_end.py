"""DC blocker and high-pass: what they take away, what they leave, and that no split shows."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import FeatureExtractor, FeatureSpec, ParameterError
from edge.features.front_end import DcBlocker, FrontEnd, HighPass

RATE = 16_000


def noise(n: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def one_pole(samples: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """Sample by sample: the mean of all while they are few, then one pole."""
    share, mean, out = 1 - np.exp(-2 * np.pi * cutoff_hz / RATE), 0.0, []
    for n, sample in enumerate(samples.tolist(), 1):
        mean += max(share, 1 / n) * (sample - mean)
        out.append(sample - mean)
    return np.array(out)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(0, 1500), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_no_split_into_blocks_shows(lengths: list[int], seed: int) -> None:
    samples, split = noise(sum(lengths), seed) + np.float32(0.03), DcBlocker(RATE)
    ends = np.cumsum(lengths)
    parts = [split.process(samples[end - n : end]) for n, end in zip(lengths, ends, strict=True)]
    assert [part.size for part in parts] == lengths
    assert np.concatenate(parts).tobytes() == DcBlocker(RATE).process(samples).tobytes()


def test_sample_by_sample_is_all_at_once() -> None:
    samples, split = noise(3000), DcBlocker(RATE)
    parts = [split.process(samples[i : i + 1]) for i in range(samples.size)]
    assert np.concatenate(parts).tobytes() == DcBlocker(RATE).process(samples).tobytes()


@pytest.mark.parametrize("offset", [0.0, 0.001, -0.02, 0.5])
def test_an_offset_is_gone_from_the_first_sample_on(offset: float) -> None:
    constant = np.full(20_000, offset, np.float32)
    assert np.abs(DcBlocker(RATE).process(constant)).max() < 1e-7
    without = DcBlocker(RATE).process(noise(20_000))
    with_offset = DcBlocker(RATE).process(noise(20_000) + np.float32(offset))
    np.testing.assert_allclose(with_offset, without, atol=2e-7)


def test_it_is_one_pole_in_all_but_small_steps() -> None:
    """What it takes away, not what it leaves: they differ by the delay of a block and a half."""
    samples = noise(40_000) + np.linspace(0, 0.2, 40_000, dtype=np.float32)
    taken = samples - DcBlocker(RATE).process(samples)
    exact = samples - one_pole(samples, 2.0)
    assert np.abs(taken - exact).max() < 0.006
    assert np.abs(taken - exact)[:1280].max() < 1e-6


@pytest.mark.parametrize(
    ("hz", "least", "most"), [(0.2, 0.09, 0.12), (2, 0.7, 0.8), (20, 0.99, 1.08), (100, 0.99, 1.01)]
)
def test_only_what_moves_slowly_is_taken(hz: float, least: float, most: float) -> None:
    wave = (0.5 * np.sin(2 * np.pi * hz * np.arange(10 * RATE) / RATE)).astype(np.float32)
    left = DcBlocker(RATE).process(wave)[5 * RATE :]
    assert least < np.sqrt((left.astype(np.float64) ** 2).mean() / 0.125) < most


def test_reset_is_a_fresh_one() -> None:
    used = DcBlocker(RATE)
    used.process(noise(5000) + np.float32(0.3))
    used.reset()
    assert used.process(noise(3000)).tobytes() == DcBlocker(RATE).process(noise(3000)).tobytes()


@pytest.mark.parametrize("n_before", [0, 100, 1280, 1300])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_what_is_no_sample_is_refused_and_leaves_no_trace(n_before: int, bad: float) -> None:
    blocker, calm = DcBlocker(RATE), DcBlocker(RATE)
    for each in (blocker, calm):
        each.process(noise(n_before))
    spoilt = noise(700)
    spoilt[333] = bad
    with pytest.raises(ParameterError, match="at position 333"):
        blocker.process(spoilt)
    assert blocker.process(noise(2000)).tobytes() == calm.process(noise(2000)).tobytes()


def test_the_samples_given_are_the_callers_own() -> None:
    samples, blocker = noise(4000), DcBlocker(RATE)
    blocker.process(samples)
    assert samples.tobytes() == noise(4000).tobytes()
    # Kept for the next block is a copy: audio callbacks reuse their memory.
    samples[:] = 9.0
    whole = np.concatenate((noise(4000), noise(500, 1)))
    assert (
        blocker.process(noise(500, 1)).tobytes() == DcBlocker(RATE).process(whole)[4000:].tobytes()
    )


@pytest.mark.parametrize(
    ("rate", "cutoff_hz"), [(0, 2.0), (16_000, 0.0), (16_000, 17.0), (16_000, np.nan)]
)
def test_settings_out_of_range_are_refused(rate: int, cutoff_hz: float) -> None:
    with pytest.raises(ParameterError, match=r"^cutoff_hz is .* at \d+ Hz, a frequency above 0"):
        DcBlocker(rate, cutoff_hz)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_high_pass_is_butterworths(order: int) -> None:
    impulse = np.zeros(16_000, np.float32)
    impulse[1] = 1.0
    response = np.abs(np.fft.rfft(HighPass(RATE, 60.0, order).process(impulse)[1:], RATE))
    # The bilinear transform's frequencies; one bin a hertz.
    hz = np.array([10, 30, 60, 100, 1000])
    ratio = np.tan(np.pi * 60 / RATE) / np.tan(np.pi * hz / RATE)
    np.testing.assert_allclose(response[hz], 1 / np.sqrt(1 + ratio ** (2 * order)), atol=2e-4)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 700), min_size=1, max_size=10))
def test_no_split_shows_in_the_high_pass(order: int, lengths: list[int]) -> None:
    samples, split = noise(sum(lengths)) + np.float32(0.2), HighPass(RATE, 60.0, order)
    ends = np.cumsum(lengths)
    parts = [split.process(samples[end - n : end]) for n, end in zip(lengths, ends, strict=True)]
    whole = HighPass(RATE, 60.0, order)
    assert np.concatenate(parts).tobytes() == whole.process(samples).tobytes()
    whole.reset()
    assert whole.process(samples).tobytes() == np.concatenate(parts).tobytes()


def recursion(samples: np.ndarray, hz: float) -> np.ndarray:
    """Sample by sample, of second order, in double precision."""
    warped = math.tan(math.pi * hz / RATE)
    scale = 1 + math.sqrt(2) * warped + warped**2
    first, second = 2 * (warped**2 - 1) / scale, (1 - math.sqrt(2) * warped + warped**2) / scale
    x1 = x2 = float(samples[0])
    y1 = y2 = 0.0
    out = []
    for x in samples.tolist():
        y = (x - 2 * x1 + x2) / scale - first * y1 - second * y2
        x1, x2, y1, y2 = x, x1, y, y1
        out.append(y)
    return np.array(out)


@pytest.mark.parametrize("hz", [60.0, 2000.0])
def test_the_high_pass_is_its_recursion_for_as_long_as_it_hears(hz: float) -> None:
    samples = noise(40_000)
    np.testing.assert_allclose(
        HighPass(RATE, hz, 2).process(samples), recursion(samples, hz), atol=1e-6
    )


def test_what_is_faint_beside_an_offset_is_not_rounded() -> None:
    samples = np.float32(0.75) + np.float32(1e-3) * noise(20_000)
    out = HighPass(RATE, 60.0, 2).process(samples)
    np.testing.assert_allclose(out, recursion(samples, 60.0), atol=1e-9)


def test_a_click_at_the_beginning_costs_what_follows_no_precision() -> None:
    samples = noise(40_000)
    samples[0] = 900.0
    out = HighPass(RATE, 60.0, 2).process(samples)
    np.testing.assert_allclose(out[20_000:], recursion(samples, 60.0)[20_000:], atol=2e-7)


@pytest.mark.parametrize("order", [1, 3])
def test_a_split_into_long_blocks_does_not_show_either(order: int) -> None:
    samples, split = noise(130_000) + np.float32(0.1), HighPass(RATE, 60.0, order)
    whole = HighPass(RATE, 60.0, order).process(samples)
    blocks = np.split(samples, [1024, 41_024, 41_724, 111_724, 119_916])
    assert np.concatenate([split.process(block) for block in blocks]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_high_pass_begins_without_a_jump_and_refuses_without_a_trace(order: int) -> None:
    high_pass = HighPass(RATE, 60.0, order)
    assert np.abs(high_pass.process(np.full(3000, 0.5, np.float32))).max() < 1e-7
    with pytest.raises(ParameterError, match="at position 1"):
        high_pass.process(np.array([0.5, np.nan], np.float32))
    assert np.abs(high_pass.process(np.full(3000, 0.5, np.float32))).max() < 1e-7


@pytest.mark.parametrize("split", [[100, 5000, 5001], [1], [1024, 1536, 9000]])
def test_an_extractor_applies_it_in_extract_and_push_alike(split: list[int]) -> None:
    spec = FeatureSpec(front_end=FrontEnd())
    samples, extractor = noise(12_000) + np.float32(0.1), FeatureExtractor(spec)
    rows = extractor.extract(samples)
    after = HighPass(RATE, 60.0, 2).process(samples)
    assert rows.tobytes() == FeatureExtractor().extract(after).tobytes()
    pushed = []
    for block in np.split(samples, split):
        pushed.append(extractor.push(block))
        extractor.extract(noise(2000))
        # A copy goes on where the original was.
        extractor = pickle.loads(pickle.dumps(copy.deepcopy(copy.copy(extractor))))
    assert np.concatenate(pushed).tobytes() == rows.tobytes()
    extractor.reset()
    assert extractor.push(samples).tobytes() == rows.tobytes()


def test_a_copied_extractor_shares_no_state() -> None:
    extractor = FeatureExtractor(FeatureSpec(front_end=FrontEnd()))
    extractor.push(noise(2000))
    other = copy.copy(extractor)
    wanted = copy.copy(extractor).push(noise(4000, 1))
    other.push(noise(777, 2))
    assert extractor.push(noise(4000, 1)).tobytes() == wanted.tobytes()


def test_only_a_spec_with_a_front_end_names_it() -> None:
    plain, spec = FeatureSpec(), FeatureSpec(front_end=FrontEnd(50, 1))
    assert spec.to_dict() == {**plain.to_dict(), "high_pass_hz": 50.0, "high_pass_order": 1}
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    assert spec.fingerprint != plain.fingerprint
    assert plain.with_settings(high_pass_hz=50) == FeatureSpec(front_end=FrontEnd(50.0))
    assert "front_end" not in plain.canonical_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"high_pass_hz": 0}, "^high_pass_hz is 0.0, a frequency above 0 and up to an eighth"),
        ({"high_pass_hz": 2001}, "an eighth of the sample rate, 2000.0 Hz, is wanted$"),
        ({"high_pass_hz": "60"}, "^high_pass_hz is '60', a number is wanted$"),
        ({"high_pass_order": 5}, "^high_pass_order is 5, a whole number from 1 to 4 is wanted$"),
        ({"high_pass_order": 1.5}, "^high_pass_order is 1.5, a whole number"),
    ],
)
def test_a_front_end_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FeatureSpec().with_settings(**change)


def test_anything_else_is_no_front_end() -> None:
    with pytest.raises(ParameterError, match=r"^front_end is 60, a FrontEnd is wanted$"):
        FeatureSpec(front_end=60)  # type: ignore[arg-type]
