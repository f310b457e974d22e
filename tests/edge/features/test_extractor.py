"""The extractor: offline equals streaming, nothing is kept that should not be."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from extractor_rows import SPEC, assert_same_rows, cut, speech_like
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge import FeatureExtractor, FeatureSpec, ParameterError
from edge.arrays import frame_view
from edge.features.spectrum import TILE


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    """One for tests that use `extract` alone."""
    return FeatureExtractor()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 99),
    n_samples=st.integers(1024, 9000),
    lengths=st.lists(
        st.one_of(
            st.integers(0, 3000), st.sampled_from([0, 1, 160, 511, 512, 513, 1023, 1024, 1025])
        ),
        min_size=1,
        max_size=8,
    ).filter(lambda lengths: sum(lengths) >= 20 * len(lengths)),
)
@example(seed=0, n_samples=9000, lengths=[512])
@example(seed=1, n_samples=9000, lengths=[1024])
@example(seed=2, n_samples=9000, lengths=[0, 9000])
@example(seed=3, n_samples=1024, lengths=[1023, 0, 1])
@example(seed=3, n_samples=5000, lengths=[0, 0, 7])
def test_any_split_into_blocks_gives_the_offline_rows(
    seed: int, n_samples: int, lengths: list[int]
) -> None:
    samples = speech_like(seed, n_samples)
    streaming = FeatureExtractor()
    rows = [streaming.push(block) for block in cut(samples, lengths)]
    assert_same_rows(np.concatenate(rows), FeatureExtractor().extract(samples))


def test_one_sample_at_a_time() -> None:
    samples = speech_like(4, 4000)
    streaming = FeatureExtractor()
    rows = [streaming.push(samples[i : i + 1]) for i in range(samples.size)]
    assert [i for i, some in enumerate(rows) if some.size] == list(range(1023, 4000, 512))
    assert_same_rows(np.concatenate(rows), FeatureExtractor().extract(samples))


@pytest.mark.parametrize("n_frames", [1, 15, 16, 17, TILE - 1, TILE, TILE + 1, 3 * TILE + 5])
def test_rows_do_not_depend_on_how_many_are_computed_at_once(n_frames: int) -> None:
    samples = speech_like(5, SPEC.n_samples(n_frames))
    alone, streaming = FeatureExtractor(), FeatureExtractor()
    frames = frame_view(samples, SPEC.win_length, SPEC.hop_length)
    wanted = np.concatenate([alone.extract(frame) for frame in frames])
    assert_same_rows(FeatureExtractor().extract(samples), wanted)
    assert_same_rows(streaming.push(samples), wanted)


def test_a_recording_of_minutes_takes_little_memory(extractor: FeatureExtractor) -> None:
    import tracemalloc

    samples = np.tile(speech_like(6, 16_000), 180)
    tracemalloc.start()
    rows = extractor.extract(samples)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.shape == (SPEC.n_frames(samples.size), 34)
    assert peak_bytes < 100e6


def test_empty_blocks_give_no_rows() -> None:
    streaming = FeatureExtractor()
    for _ in range(3):
        rows = streaming.push([])
        assert rows.shape == (0, 34)
        assert rows.dtype == np.float32


def test_reset_equals_a_fresh_extractor() -> None:
    samples, used = speech_like(7, 5000), FeatureExtractor()
    used.push(speech_like(8, 1700))
    used.reset()
    fresh = FeatureExtractor()
    for block in cut(samples, [700, 1, 1300]):
        np.testing.assert_array_equal(used.push(block), fresh.push(block))


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda extractor: pickle.loads(pickle.dumps(extractor))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_goes_on_by_itself(copied: Callable[[FeatureExtractor], FeatureExtractor]) -> None:
    samples, original = speech_like(16, 9000), FeatureExtractor()
    first = original.push(samples[:4096])
    other = copied(original)
    # As many frames as before: what was cut for them must be the copy's own.
    np.testing.assert_array_equal(other.extract(samples[:4096]), first)
    original.push(speech_like(17, 3000))
    wanted = FeatureExtractor().extract(samples)[len(first) :]
    np.testing.assert_array_equal(other.push(samples[4096:]), wanted)


def test_the_caller_may_reuse_its_block() -> None:
    samples, streaming = speech_like(9, 6000), FeatureExtractor()
    block, rows = np.empty(600, np.float32), []
    for part in cut(samples, [600]):
        block[:] = part
        rows.append(streaming.push(block))
        block[:] = np.nan
    assert_same_rows(np.concatenate(rows), FeatureExtractor().extract(samples))


def test_rows_are_the_callers_own() -> None:
    streaming = FeatureExtractor()
    first = streaming.push(speech_like(0, 2048))
    kept = first.copy()
    streaming.push(speech_like(1, 2048))
    np.testing.assert_array_equal(first, kept)


def test_extract_leaves_the_stream_alone() -> None:
    samples, streaming, plain = speech_like(10, 5000), FeatureExtractor(), FeatureExtractor()
    for block in cut(samples, [900]):
        streaming.extract(speech_like(11, 3000))
        np.testing.assert_array_equal(streaming.push(block), plain.push(block))


def test_a_refused_block_leaves_the_stream_alone() -> None:
    samples, streaming, plain = speech_like(12, 5000), FeatureExtractor(), FeatureExtractor()
    for block in cut(samples, [900]):
        for bad in ([np.nan], np.full(2000, np.inf), np.zeros((2, 900)), np.full(900, 1e4)):
            with pytest.raises(ParameterError, match=r"^block (holds|has)"):
                streaming.push(bad)
        np.testing.assert_array_equal(streaming.push(block), plain.push(block))


@pytest.mark.parametrize("n_samples", [0, 1, 1023])
def test_less_than_a_frame_is_refused(extractor: FeatureExtractor, n_samples: int) -> None:
    has = "1 sample" if n_samples == 1 else f"{n_samples} samples"
    message = rf"samples has {has}, one frame needs at least 1024 \(64 ms at 16000 Hz"
    with pytest.raises(ParameterError, match=message):
        extractor.extract(np.zeros(n_samples, np.float32))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((1, 4000)), r"samples has shape \(1, 4000\)"),
        (np.zeros(4000, np.int16), "samples has dtype int16"),
        (np.full(4000, np.nan), "samples holds nan at position 0"),
        (np.full(4000, 20_000.0), "samples holds 20000 at position 0"),
    ],
)
def test_unusable_samples_are_refused(
    extractor: FeatureExtractor, samples: np.ndarray, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        extractor.extract(samples)


def test_the_input_is_never_written_to(extractor: FeatureExtractor) -> None:
    samples = speech_like(13, 4000)
    samples.flags.writeable = False
    kept = samples.copy()
    extractor.extract(samples)
    FeatureExtractor().push(samples)
    np.testing.assert_array_equal(samples, kept)


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(hop_length=1024),
        FeatureSpec().with_settings(hop_length=160, n_mfcc=20, n_mels=64),
        FeatureSpec().with_settings(
            sample_rate=8000,
            n_fft=512,
            win_length=512,
            hop_length=200,
            fmax_hz=4000.0,
            n_contrast_bands=5,
        ),
        FeatureSpec().with_settings(
            n_fft=2048, win_length=2048, n_chroma=24, contrast_quantile=0.5
        ),
        FeatureSpec().with_settings(
            contrast_fmin_hz=15.625, n_contrast_bands=8, contrast_quantile=0.5
        ),
        FeatureSpec().with_settings(pitch_fmin_hz=31.5, pitch_fmax_hz=8000.0),
        FeatureSpec().with_settings(n_mels=1, n_mfcc=1, n_chroma=1, n_contrast_bands=1),
    ],
    ids=["no overlap", "dense", "8 kHz", "long", "all bins", "any pitch", "smallest"],
)
def test_other_specs_stream_as_they_extract(spec: FeatureSpec) -> None:
    samples, streaming = speech_like(15, 8000), FeatureExtractor(spec)
    rows = np.concatenate([streaming.push(block) for block in cut(samples, [0, 333, 1500])])
    offline = streaming.extract(samples)
    assert offline.shape == (spec.n_frames(8000), spec.n_features)
    assert np.isfinite(offline).all()
    np.testing.assert_allclose(rows, offline, rtol=1e-5, atol=1e-4)


def test_silence_streams_as_it_extracts_to_the_bit() -> None:
    """Its cepstrum is rounding and nothing else: a matrix product of one row rounds otherwise."""
    silence, streaming = np.zeros(9000, np.float32), FeatureExtractor()
    rows = [streaming.push(block) for block in cut(silence, [1024, 1536, 4000])]
    assert np.concatenate(rows).tobytes() == streaming.extract(silence).tobytes()


def test_an_absent_family_changes_no_other_column(extractor: FeatureExtractor) -> None:
    samples = speech_like(3, 20_000)
    rows = extractor.extract(samples)
    for order in (["rms"], ["chroma", "pitch"], ["spectral_contrast", "mfcc"]):
        spec = SPEC.with_settings(order=order)
        columns = [SPEC.feature_names.index(name) for name in spec.feature_names]
        np.testing.assert_allclose(
            FeatureExtractor(spec).extract(samples), rows[:, columns], rtol=1e-5, atol=1e-5
        )
