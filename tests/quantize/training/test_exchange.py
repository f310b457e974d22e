"""Exchanged means: another speaker's level and pitch, the same movement."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.training.batch_settings import BatchSettings
from quantize.training.crops import CropSampler, Example
from quantize.training.mean_exchange import MeanExchange

SPEC = FeatureSpec()
NAMES = SPEC.feature_names
RMS, PITCH = NAMES.index("rms"), NAMES.index("pitch_hz")
CHROMA = [i for i, name in enumerate(NAMES) if name.startswith("chroma")]
SHIFTED = [i for i, name in enumerate(NAMES) if name.startswith(("mfcc", "contrast"))]


def speakers_and_rows(n_clips: int = 5) -> tuple[list[str], list[np.ndarray]]:
    """Two speakers 20 dB and an octave apart; a fifth of the frames is unvoiced."""
    rng = np.random.default_rng(0)
    speakers, rows = [], []
    for name, gain, pitch_hz, shift in (("a", 0.1, 100.0, 0.0), ("b", 0.01, 200.0, 5.0)):
        for _ in range(n_clips):
            each = rng.standard_normal((60, len(NAMES))).astype(np.float32) + shift
            each[:, RMS] = gain * rng.uniform(0.5, 1.0, 60)
            each[:, PITCH] = pitch_hz * rng.uniform(0.9, 1.1, 60)
            each[::5, PITCH] = 0.0
            speakers.append(name)
            rows.append(each)
    return speakers, rows


def test_means_are_by_speaker_and_of_speech_alone():
    speakers, rows = speakers_and_rows()
    silence = np.full((40, len(NAMES)), 1e-5, dtype=np.float32)
    padded = [np.concatenate([silence, each]) for each in rows]
    for some in (rows, padded):
        means = MeanExchange(SPEC, speakers, some).means
        assert means.shape == (2, len(NAMES))
        assert np.exp(means[:, PITCH]) == pytest.approx([100.0, 200.0], rel=0.02)
        assert means[0, RMS] - means[1, RMS] == pytest.approx(20.0, abs=0.5)
        assert means[1, SHIFTED] - means[0, SHIFTED] == pytest.approx(5.0, abs=0.5)
        assert not means[:, CHROMA].any()


def test_a_whole_exchange_makes_one_speaker_of_the_other():
    speakers, rows = speakers_and_rows()
    exchange = MeanExchange(SPEC, speakers, rows)

    class Chance:
        """Always the other speaker, all of the way."""

        def __init__(self) -> None:
            self.draws = iter([np.ones(1), np.ones((1, 1)), np.zeros((1, 1))])

        def integers(self, n, size):
            return np.ones(size, dtype=int)

        def random(self, shape):
            return next(self.draws)

    chance = Chance()
    changed = exchange.exchanged(rows[0][None], [0], 0.5, chance)[0]
    voiced = rows[0][:, PITCH] > 0
    assert np.array_equal(changed[:, PITCH] > 0, voiced)
    assert np.median(changed[voiced, PITCH]) == pytest.approx(200.0, rel=0.05)
    assert changed[:, RMS].mean() == pytest.approx(0.0075, rel=0.1)
    assert np.array_equal(changed[:, CHROMA], rows[0][:, CHROMA])
    # What moves within the utterance stays.
    for column in SHIFTED:
        moved = np.diff(changed[:, column]), np.diff(rows[0][:, column])
        assert moved[0] == pytest.approx(moved[1], abs=1e-4)


def test_share_says_how_often_and_the_input_is_left_alone():
    speakers, rows = speakers_and_rows()
    exchange = MeanExchange(SPEC, speakers, rows)
    crops = np.stack([rows[i % len(rows)] for i in range(400)])
    before = crops.copy()
    clips = [i % len(rows) for i in range(400)]
    rng = np.random.default_rng(0)
    changed = exchange.exchanged(crops, clips, 0.6, rng)
    assert np.array_equal(crops, before)
    share = np.mean([not np.array_equal(a, b) for a, b in zip(changed, crops, strict=True)])
    # A quarter of the draws meet the speaker itself.
    assert share == pytest.approx(0.45, abs=0.07)
    assert np.array_equal(exchange.exchanged(crops, clips, 0.0, rng), crops)


def test_batches_change_hands_reproducibly():
    speakers, rows = speakers_and_rows(12)
    names = [f"savee/{i}" for i in range(len(rows))]
    examples = [
        Example(name, "savee", speaker, 0, 1) for name, speaker in zip(names, speakers, strict=True)
    ]
    plain = {"level_db": 0.0, "noise": 0.0, "n_time_masks": 0, "group_mask_share": 0.0}
    middle = []
    for share in (0.0, 1.0):
        settings = BatchSettings(
            batch_size=24, corpus_share={}, exchange_share=share, **plain, min_crop_s=1.0
        )
        mean, std = np.zeros(34, np.float32), np.ones(34, np.float32)
        cached = [dict(zip(names, rows, strict=True))]
        sampler = CropSampler(examples, cached, mean, std, SPEC, 4, settings)
        first, again = (next(sampler.epoch(np.random.default_rng(3))) for _ in range(2))
        assert np.array_equal(first.rows, again.rows)
        pitch_hz = np.array([np.median(r[r[:, PITCH] > 0, PITCH]) for r in first.rows])
        middle.append(((pitch_hz > 115) & (pitch_hz < 175)).mean())
    assert middle[0] == 0.0
    assert middle[1] > 0.2


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ParameterError, match="exchange_share is"):
        BatchSettings(exchange_share=share)
