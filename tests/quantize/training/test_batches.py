"""Crops: lengths, balance, and variations that equal those of the samples."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.training.batch_settings import BatchSettings
from quantize.training.crops import CropSampler, Example, class_weights, speech_span

SPEC = FeatureSpec()
STILL = {"level_db": 0.0, "noise": 0.0, "n_time_masks": 0, "group_mask_share": 0.0}
MEAN, STD = np.zeros(34, "f4"), np.ones(34, "f4")


def examples(n: int, corpus: str = "savee") -> list[Example]:
    return [Example(f"{corpus}/{i}", corpus, f"{corpus}/a", i % 8, 1) for i in range(n)]


def random_rows(items: list[Example], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = {}
    for item in items:
        rows[item.clip_id] = rng.random((int(rng.integers(40, 140)), 34), dtype=np.float32) + 0.5
    return rows


def sampler(items, rows, **settings) -> CropSampler:
    return CropSampler(items, [rows], MEAN, STD, SPEC, 4, BatchSettings(**settings))


def test_every_clip_is_drawn_once_and_crops_are_within_their_clips():
    items = examples(50)
    rows = random_rows(items)
    draw = sampler(items, rows, batch_size=16, **STILL)
    labels = []
    for batch in draw.epoch(np.random.default_rng(0)):
        n_frames = batch.rows.shape[1]
        assert batch.rows.shape[2] == 34
        assert n_frames <= SPEC.n_frames(48_000)
        for crop in batch.rows:
            assert any(
                np.array_equal(crop, clip[s : s + n_frames])
                for clip in rows.values()
                for s in range(len(clip) - n_frames + 1)
                if clip[s, 0] == crop[0, 0]
            )
        labels += batch.labels.tolist()
    assert sorted(labels) == sorted(item.label for item in items)


def test_balance_makes_the_emotions_of_each_corpus_weigh_alike():
    items = [
        Example(f"{corpus}/{i}", corpus, f"{corpus}/a", label, 1)
        for corpus, n_each in (("savee", (6, 3, 3)), ("tess", (1, 3, 0)))
        for label, n in enumerate(n_each)
        for i in range(n)
    ]
    sums = dict.fromkeys(((item.corpus, item.label) for item in items), 0.0)
    for item, weight in zip(items, class_weights(items, 1.0), strict=True):
        sums[item.corpus, item.label] += float(weight)
    assert {key: round(value, 4) for key, value in sums.items()} == {
        ("savee", 0): 4.0, ("savee", 1): 4.0, ("savee", 2): 4.0,
        ("tess", 0): 2.0, ("tess", 1): 2.0,
    }  # fmt: skip
    assert class_weights(items, 0.0).tolist() == [1.0] * len(items)
    half = class_weights(items, 0.5)
    assert half[6] / half[0] == pytest.approx(2**0.5)


def test_a_crop_comes_with_the_weight_of_its_clip():
    items = [Example(f"savee/{i}", "savee", "savee/a", int(i >= 9), 1) for i in range(12)]
    draw = sampler(items, random_rows(items), batch_size=5, class_balance=1.0)
    for batch in draw.epoch(np.random.default_rng(0)):
        assert batch.weights.dtype == np.float32
        np.testing.assert_allclose(
            batch.weights, np.where(batch.labels == 1, 2.0, 2 / 3), rtol=1e-6
        )
    with pytest.raises(ParameterError, match="class_balance"):
        BatchSettings(class_balance=1.5)


def test_corpus_share_thins_one_corpus_only():
    items = examples(40, "tess") + examples(20, "savee")
    draw = sampler(items, random_rows(items), batch_size=8, corpus_share={"tess": 0.25})
    n_drawn = sum(len(b.labels) for b in draw.epoch(np.random.default_rng(1)))
    assert n_drawn == 10 + 20


def test_an_epoch_depends_on_its_generator_alone():
    items = examples(30)
    draw = sampler(items, random_rows(items), batch_size=8)
    first, again, other = (
        [b.rows for b in draw.epoch(np.random.default_rng(seed))] for seed in (5, 5, 6)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(
        a.shape == b.shape and np.array_equal(a, b) for a, b in zip(first, other, strict=False)
    )


def test_level_change_equals_that_of_the_samples():
    t = np.arange(32_000) / 16_000
    samples = 0.1 * np.sin(2 * np.pi * 150 * t) * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))
    samples = (samples + 0.002 * np.random.default_rng(0).standard_normal(t.size)).astype("f4")
    extractor = FeatureExtractor()
    quiet = extractor.extract(samples)
    rows = {"savee/0": quiet}
    draw = sampler(examples(1), rows, min_crop_s=9.0, max_crop_s=9.0, **{**STILL, "level_db": 12.0})
    batch = next(draw.epoch(np.random.default_rng(2)))
    gain = batch.rows[0, 0, 14] / quiet[0, 14]
    assert abs(20 * np.log10(gain)) > 0.5
    assert batch.rows[0] == pytest.approx(extractor.extract(samples * gain), abs=2e-2)


def test_language_is_dropped_about_as_often_as_asked():
    items = examples(400)
    draw = sampler(items, random_rows(items), unknown_share=0.7)
    languages = np.concatenate([b.languages for b in draw.epoch(np.random.default_rng(0))])
    assert set(languages) == {1, 4}
    assert (languages == 4).mean() == pytest.approx(0.7, abs=0.08)


def test_speech_span_leaves_silence_out():
    rms = np.array([1e-5] * 20 + [0.1, 0.05, 0.2] + [1e-5] * 20)
    assert speech_span(rms, margin=2) == slice(18, 25)
    assert speech_span(np.zeros(5)) == slice(0, 5)


def test_masks_set_frames_to_the_mean():
    items = examples(8)
    draw = sampler(items, random_rows(items), **{**STILL, "n_time_masks": 2})
    batch = next(draw.epoch(np.random.default_rng(0)))
    masked = (batch.rows == 0).all(axis=2)
    assert masked.any()
    assert masked.mean() < 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"min_crop_s": 3.0, "max_crop_s": 1.0}, "must be above 0 and rise"),
        ({"corpus_share": {"tess": 0.0}}, "corpus_share of tess is 0.0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        BatchSettings(**settings)


def test_no_clip_is_refused():
    with pytest.raises(ParameterError, match="no training clip"):
        CropSampler([], [{}], MEAN, STD, SPEC, 4)


def test_crops_begin_anywhere_and_reach_the_last_frame():
    items = examples(1)
    rows = {items[0].clip_id: np.ones((42, 34), dtype=np.float32)}
    crop_s = SPEC.n_samples(40) / SPEC.sample_rate
    draw = sampler(items, rows, min_crop_s=crop_s, max_crop_s=crop_s, **STILL)
    rng = np.random.default_rng(0)
    crops = [batch.crops for _ in range(60) for batch in draw.epoch(rng)]
    assert {c.n_frames for c in crops} == {40}
    assert {int(c.starts[0]) for c in crops} == {0, 1, 2}
