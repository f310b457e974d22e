"""Validation at the boundary and the view of frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import FeatureSpec, ParameterError
from edge.arrays import MAX_ABS_SAMPLE, as_samples, frame_view

REJECTED = {
    "scalar": (0.5, r"has shape \(\), one dimension"),
    "none": (None, r"has shape \(\), one dimension"),
    "stereo": (np.zeros((2, 2000)), r"has shape \(2, 2000\), one dimension \(mono\).*mix"),
    "16-bit": (np.zeros(2000, np.int16), r"has dtype int16.*divide 16-bit samples by 32768"),
    "bool": (np.zeros(2000, bool), "has dtype bool"),
    "complex": (np.zeros(2000, complex), "has dtype complex128"),
    "text": (np.array(["a", "b"]), "has dtype <U1"),
    "object": (np.array([0.0, None]), "has dtype object"),
    "bytes": (b"\0" * 64, r"has shape \(\)"),
    "ragged": ([[0.0], [0.0, 0.0]], "is no array of numbers"),
    "nan": (np.array([0.0, np.nan, np.inf]), "holds nan at position 1, finite samples"),
    "inf": (np.array([0.0, 0.0, -np.inf]), "holds -inf at position 2, finite samples"),
    "beyond float32": (np.array([1e39]), "holds inf at position 0, finite samples"),
    "unscaled": (np.array([0.0, -32768.0]), r"holds -32768 at position 1, samples in \[-1, 1\]"),
    "absurd": (np.array([1e30]), "holds 1e\\+30 at position 0.*divide 16-bit samples by 32768"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_unusable_samples_are_refused(name: str) -> None:
    samples, message = REJECTED[name]
    with pytest.raises(ParameterError, match=f"^samples {message}"):
        as_samples(samples)


def test_the_error_calls_the_parameter_by_its_name() -> None:
    with pytest.raises(ParameterError, match=r"^block holds nan"):
        as_samples([np.nan], "block")


@pytest.mark.parametrize(
    "samples",
    [
        [0.5, -0.25, 0.0],
        (0.5, -0.25, 0.0),
        np.array([0.5, -0.25, 0.0], np.float16),
        np.array([0.5, -0.25, 0.0], np.float64),
        np.array([0.5, -0.25, 0.0], ">f4"),
        np.array([0.5, 9, -0.25, 9, 0.0, 9], np.float32)[::2],
    ],
    ids=["list", "tuple", "float16", "float64", "big-endian", "strided"],
)
def test_any_float_becomes_contiguous_float32(samples: object) -> None:
    checked = as_samples(samples)
    assert checked.dtype == np.float32
    assert checked.dtype.isnative
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, [0.5, -0.25, 0.0])


def test_an_array_that_fits_is_not_copied() -> None:
    samples = np.zeros(10, np.float32)
    assert as_samples(samples) is samples


def test_empty_is_allowed_and_the_limit_itself() -> None:
    assert as_samples([]).shape == (0,)
    assert as_samples([MAX_ABS_SAMPLE, -MAX_ABS_SAMPLE]).shape == (2,)
    with pytest.raises(ParameterError, match="position 0"):
        as_samples(np.nextafter(np.float32([MAX_ABS_SAMPLE]), np.float32(np.inf)))


@settings(deadline=None, max_examples=60)
@given(n_samples=st.integers(0, 300), win_length=st.integers(1, 64), hop_share=st.floats(0.02, 1.0))
def test_frames_are_slices_of_the_samples(
    n_samples: int, win_length: int, hop_share: float
) -> None:
    hop_length = max(1, round(win_length * hop_share))
    samples = np.arange(n_samples, dtype=np.float32)
    frames = frame_view(samples, win_length, hop_length)
    starts = range(0, n_samples - win_length + 1, hop_length)
    assert frames.shape == (len(starts), win_length)
    for frame, start in zip(frames, starts, strict=True):
        np.testing.assert_array_equal(frame, samples[start : start + win_length])


@settings(deadline=None, max_examples=60)
@given(n_samples=st.integers(0, 100_000))
def test_the_spec_counts_the_same_frames(n_samples: int) -> None:
    spec = FeatureSpec()
    frames = frame_view(np.zeros(n_samples, np.float32), spec.win_length, spec.hop_length)
    assert frames.shape[0] == spec.n_frames(n_samples)


def test_frames_are_a_read_only_view() -> None:
    samples = np.zeros(4096, np.float32)
    frames = frame_view(samples, 1024, 512)
    assert np.shares_memory(frames, samples)
    assert not frames.flags.writeable
