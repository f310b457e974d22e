"""The feature cache: same rows as the device's, whatever the order, never half-written."""

from __future__ import annotations

import numpy as np
import pytest

from edge.audio.file import read_audio
from edge.errors import AudioFileError
from edge.features import FeatureExtractor
from quantize.data.corpora import load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.data.features.normalisation import normalisation
from quantize.data.sound.augment import AugmentSettings


@pytest.fixture(scope="module")
def clips(synthetic_root):
    return load_corpora(synthetic_root)[0][::9]


def test_variant_0_is_what_the_device_computes(clips, tmp_path):
    rows = FeatureCache(tmp_path).load(clips)
    samples, sample_rate = read_audio(clips[0].path)
    assert sample_rate == 16_000
    assert rows[clips[0].clip_id].dtype == np.float32
    assert np.array_equal(rows[clips[0].clip_id], FeatureExtractor().extract(samples))


def test_cached_rows_are_those_computed(clips, tmp_path, monkeypatch):
    first = FeatureCache(tmp_path).load(clips, 1)
    monkeypatch.setattr("quantize.data.features.cache.compute_rows", None)
    again = FeatureCache(tmp_path).load(clips, 1)
    assert first.keys() == again.keys() == {c.clip_id for c in clips}
    assert all(np.array_equal(first[k], again[k]) for k in first)


def test_variants_do_not_depend_on_order_or_on_other_clips(clips, tmp_path):
    some = FeatureCache(tmp_path / "a").load(clips, 1)
    few = FeatureCache(tmp_path / "b").load(clips[::-2], 1, n_workers=2)
    assert all(np.array_equal(rows, some[k]) for k, rows in few.items())


def test_variants_seeds_and_settings_differ(clips, tmp_path):
    clip = clips[0].clip_id
    base = FeatureCache(tmp_path).load(clips, 1)[clip]
    other_variant = FeatureCache(tmp_path).load(clips, 2)[clip]
    other_seed = FeatureCache(tmp_path, seed=7).load(clips, 1)[clip]
    stronger = FeatureCache(tmp_path, settings=AugmentSettings(tempo=0.05)).load(clips, 1)[clip]
    for other in (other_variant, other_seed, stronger):
        assert other.shape != base.shape or not np.array_equal(other, base)
    assert base.dtype == np.float16


def test_the_clips_themselves_are_computed_once_for_all_augmentations(clips, tmp_path, monkeypatch):
    first = FeatureCache(tmp_path).load(clips)
    monkeypatch.setattr("quantize.data.features.cache.compute_rows", None)
    other = FeatureCache(tmp_path, settings=AugmentSettings(tempo=0.05), seed=3)
    again = other.load(clips)
    assert all(np.array_equal(first[k], again[k]) for k in first)
    with pytest.raises(TypeError):  # a variant is its own
        other.load(clips, 1)


def test_a_failed_computation_leaves_nothing_behind(clips, tmp_path):
    import dataclasses

    missing = dataclasses.replace(clips[0], path=tmp_path / "gone.wav")
    with pytest.raises(AudioFileError, match=r"gone\.wav"):
        FeatureCache(tmp_path / "cache").load([missing])
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_normalisation_is_mean_and_deviation_over_frames():
    rng = np.random.default_rng(0)
    blocks = [rng.normal(5, 2, (n, 3)).astype("f4") for n in (10, 50, 7)]
    for block in blocks:
        block[:, 2] = 4.0
    mean, std = normalisation(blocks)
    every = np.concatenate(blocks)
    assert mean == pytest.approx(every.mean(axis=0), rel=1e-5)
    assert std == pytest.approx([every[:, 0].std(), every[:, 1].std(), 1.0], rel=1e-5)
    with pytest.raises(AudioFileError, match="no clip"):
        normalisation([])
