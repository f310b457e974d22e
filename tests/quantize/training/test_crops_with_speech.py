"""Crops that hold speech: ``least_speech`` of the batches."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.training.batch_settings import BatchSettings
from quantize.training.crop_starts import starts_with_speech, stretched
from quantize.training.crops import CropSampler, Example

SPEC = FeatureSpec()
RMS = SPEC.feature_names.index("rms")
STILL = {"level_db": 0.0, "noise": 0.0, "n_time_masks": 0, "group_mask_share": 0.0}
MEAN, STD = np.zeros(34, "f4"), np.ones(34, "f4")
ITEMS = [Example(f"savee/{i}", "savee", "savee/a", i % 8, 1) for i in range(24)]


def paused(seed: int, n_frames: int = 120, floor: float = 1e-3) -> dict[str, np.ndarray]:
    """Clips of speech with a pause in the second quarter; the first column numbers the frames."""
    rows = {}
    for item in ITEMS:
        rng = np.random.default_rng(seed)
        each = rng.random((n_frames, 34), dtype=np.float32) + 0.5
        each[:, 0] = np.arange(n_frames)
        each[:, RMS] = 0.1
        each[n_frames // 4 : n_frames // 2, RMS] = 0.1 * floor
        rows[item.clip_id] = each
    return rows


def drawn(variants: list[dict[str, np.ndarray]], **settings: float) -> list[np.ndarray]:
    asked = BatchSettings(batch_size=8, min_crop_s=1.0, max_crop_s=1.0, **STILL, **settings)
    draw = CropSampler(ITEMS, variants, MEAN, STD, SPEC, 4, asked)
    rng = np.random.default_rng(0)
    return [crop for _ in range(6) for batch in draw.epoch(rng) for crop in batch.rows]


def share_of_speech(crop: np.ndarray, n_frames: int = 120) -> float:
    at = crop[:, 0]
    return float(((at < n_frames // 4) | (at >= n_frames // 2)).mean())


def test_crops_hold_the_speech_that_is_asked_for():
    # Of any crops of 1 s, some are the pause alone.
    assert min(map(share_of_speech, drawn([paused(0)]))) < 0.3
    held = drawn([paused(0)], least_speech=0.8)
    assert min(map(share_of_speech, held)) >= 0.8
    # And they still begin at many places.
    assert len({int(crop[0, 0]) for crop in held}) > 20


def test_pauses_full_of_noise_are_pauses():
    """The clip itself tells where they are, also where the variant is spoken slower."""
    held = drawn([paused(0), paused(1, 150, floor=0.9)], least_speech=0.8, clean_share=0.0)
    assert min(share_of_speech(crop, 150) for crop in held) >= 0.75


def test_without_it_crops_are_those_of_before():
    """To the last bit: the draws are the plain ones."""
    rng, crops = np.random.default_rng(0), drawn([paused(0)], least_speech=0.0)
    plain = drawn([paused(0)])
    assert all(np.array_equal(one, other) for one, other in zip(crops, plain, strict=True))
    # The very calls: an epoch's order, its variants, and then for every batch length and starts.
    rng.permutation(len(ITEMS))
    for _ in ITEMS:
        rng.random()
    rng.uniform(0.8, 1.25, len(ITEMS))
    rng.permutation(3)
    rng.uniform(1.0, 1.0)
    starts = [int(rng.integers(120 - 30 + 1)) for _ in range(8)]
    assert [int(crop[0, 0]) for crop in crops[:8]] == starts


def test_a_clip_without_such_a_crop_gives_one_that_holds_the_most():
    speech = np.array([0, 1, 0, 1, 1, 0, 0, 0], dtype=bool)
    assert starts_with_speech(speech, 4, 1.0).tolist() == [1]
    assert starts_with_speech(speech, 4, 0.5).tolist() == [0, 1, 2, 3]
    assert starts_with_speech(speech, 4, 0.0).tolist() == [0, 1, 2, 3, 4]
    assert starts_with_speech(np.zeros(5, dtype=bool), 5, 0.9).tolist() == [0]
    assert starts_with_speech(np.ones(10, dtype=bool), 10, 0.7).tolist() == [0]


def test_a_variant_is_the_clip_stretched():
    speech = np.array([1, 0, 0, 1], dtype=bool)
    assert stretched(speech, 4) is speech
    assert stretched(speech, 8).tolist() == [True] * 2 + [False] * 4 + [True] * 2
    assert stretched(speech, 2).tolist() == [False, True]
    assert stretched(speech, 0).size == 0


@pytest.mark.parametrize("share", [-0.1, 1.1, "much"])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ParameterError, match="least_speech"):
        BatchSettings(least_speech=share)
