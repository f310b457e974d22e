"""References for the voices of training crops."""

from __future__ import annotations

import numpy as np
import pytest

from edge.artifact.budgets import MIN_VOICE_S
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns, VoiceMean, VoiceReference, as_wide
from quantize.data.features.voices import voice_totals
from quantize.training.batch_settings import BatchSettings
from quantize.training.crops import CropSampler, Example
from quantize.training.reference_draws import ReferenceDraws

SPEC = FeatureSpec()
NAMES = SPEC.feature_names
RMS, PITCH = NAMES.index("rms"), NAMES.index("pitch_hz")
N = len(NAMES)
FRAME_S = SPEC.hop_length / SPEC.sample_rate


def _voice(offset: float, seed: int, n_frames: int = 60, pitch_hz: float = 120.0) -> np.ndarray:
    """Rows of a voice that is some way from the others, half of them voiced."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_frames, N)).astype(np.float32) + np.float32(offset)
    rows[:, RMS] = 0.05 * 10 ** (offset / 20)
    rows[:, PITCH] = np.where(np.arange(n_frames) % 2, pitch_hz, 0.0)
    return rows


def test_a_voice_that_was_heard_for_long_is_moved_to_the_centre() -> None:
    columns = VoiceColumns(SPEC)
    rows = _voice(3.0, 1, 2000, 200.0)
    reference = VoiceReference(tuple(np.where(np.arange(N) == PITCH, np.log(100.0), 0.0)), 1e-9)
    change = reference.change(voice_totals(columns, rows), FRAME_S)
    columns.move(rows, change[:-1])
    assert np.allclose(rows[:, columns.shifted].mean(axis=0), 0.0, atol=1e-3)
    assert np.allclose(rows[1::2, PITCH], 100.0, rtol=1e-4)
    assert (rows[::2, PITCH] == 0.0).all()
    assert np.isclose(rows[0, RMS], 1.0, rtol=1e-3)  # A centre of 0 dB.
    assert change[-1] == pytest.approx(1.0)


def test_the_part_grows_with_the_speech_and_is_half_at_the_prior() -> None:
    columns = VoiceColumns(SPEC)
    rows = _voice(0.0, 1, round(3.0 / FRAME_S))
    reference = VoiceReference((0.0,) * N, 3.0)
    parts = [
        reference.change(n * voice_totals(columns, rows), FRAME_S)[-1] for n in (0, 1, 2, 1000)
    ]
    assert parts[0] == 0.0
    assert parts[1] == pytest.approx(0.5, abs=0.01)
    assert parts[1] < parts[2] < parts[3] < 1.0


def test_a_whisper_has_no_pitch_to_be_moved_by() -> None:
    columns = VoiceColumns(SPEC)
    rows = _voice(1.0, 2)
    rows[:, PITCH] = 0.0
    change = VoiceReference((1.0,) * N, 3.0).change(voice_totals(columns, rows), FRAME_S)
    assert change[PITCH] == 0.0
    assert change[RMS] != 0.0


def test_what_is_old_fades() -> None:
    mean = VoiceMean(N, 100)
    columns = VoiceColumns(SPEC)
    for _ in range(20):
        mean.add(voice_totals(columns, _voice(0.0, 1)))
    for _ in range(20):
        mean.add(voice_totals(columns, _voice(5.0, 1)))
    assert mean.totals[1].max() == pytest.approx(100.0)
    assert mean.totals[0, 0] / mean.totals[1, 0] > 4.9
    mean.reset()
    assert not mean.totals.any()


def test_features_without_a_pitch_have_no_voice() -> None:
    with pytest.raises(ParameterError, match="pitch_hz"):
        VoiceColumns(SPEC.with_settings(order=["mfcc", "rms"]))


def test_a_model_that_knows_references_is_told_that_there_is_none() -> None:
    rows = np.ones((2, 5, N), np.float32)
    assert as_wide(rows, N) is rows
    wide = as_wide(rows, N + 1)
    assert wide.shape == (2, 5, N + 1)
    assert not wide[..., -1].any()


def _draws(prior_s: float = 3.0) -> ReferenceDraws:
    rows = [[_voice(10.0 * (n % 2), n), _voice(10.0 * (n // 4), n)] for n in range(8)]
    speakers = [f"corpus/{n % 2}" for n in range(8)]
    sessions = [f"corpus/{n % 2}/{n // 4}" for n in range(8)]
    return ReferenceDraws(SPEC, speakers, sessions, [n < 4 for n in range(8)], rows, prior_s)


def test_a_crop_is_moved_by_clips_of_its_own_speaker() -> None:
    draws = _draws(prior_s=1e-9)
    rng = np.random.default_rng(0)
    changes = draws.changes([0, 1] * 20, [0] * 40, 1.0, rng)
    drawn = changes[:, -1] > 0
    assert drawn.mean() > 0.7  # Now and then the only clip drawn is the crop's own.
    # The centre lies at 5: the one speaker moves up, the other down.
    assert (changes[0::2][drawn[0::2], 0] > 4.0).all()
    assert (changes[1::2][drawn[1::2], 0] < -4.0).all()


def test_a_crop_of_a_variant_is_moved_by_clips_of_its_own_session() -> None:
    """Its voice, room and microphone are the session's, not all the speaker's."""
    changes = _draws(1e-9).changes([0, 4] * 20, [1] * 40, 1.0, np.random.default_rng(0))
    drawn = changes[:, -1] > 0
    assert drawn.mean() > 0.3
    assert (changes[0::2][drawn[0::2], 0] > 4.0).all()
    assert (changes[1::2][drawn[1::2], 0] < -4.0).all()


def test_without_a_share_nothing_is_moved() -> None:
    changes = _draws().changes([0, 1], [0, 0], 0.0, np.random.default_rng(0))
    assert not changes.any()


def _sampler(share: float, exchange: float = 0.0) -> CropSampler:
    examples = [Example(f"c{n}", "corpus", str(n % 2), n % 3, 0, n < 4) for n in range(8)]
    variants = [{f"c{n}": _voice(10.0 * (n % 2), n) for n in range(8)}]
    settings = BatchSettings(
        batch_size=8,
        reference_share=share,
        exchange_share=exchange,
        noise=0.0,
        group_mask_share=0.0,
        n_time_masks=0,
        level_db=0.0,
    )
    mean, std = np.zeros(N, np.float32), np.ones(N, np.float32)
    return CropSampler(examples, variants, mean, std, SPEC, 1, settings)


def test_batches_have_a_column_for_the_part() -> None:
    (batch,) = _sampler(1.0, exchange=1.0).epoch(np.random.default_rng(1))
    assert batch.rows.shape[2] == N + 1
    parts = batch.rows[..., -1]
    assert (parts == parts[:, :1]).all()
    assert parts.max() > 0.3


def test_a_sampler_without_references_is_as_it_was() -> None:
    sampler = _sampler(0.0)
    (batch,) = sampler.epoch(np.random.default_rng(1))
    assert batch.rows.shape[2] == N
    assert sampler.voice_reference is None


def test_a_prior_that_no_manifest_may_have_is_refused_before_the_training() -> None:
    assert BatchSettings(reference_prior_s=MIN_VOICE_S).reference_prior_s == MIN_VOICE_S
    with pytest.raises(ParameterError, match=r"from 0\.1 to 3600 s is wanted"):
        BatchSettings(reference_prior_s=MIN_VOICE_S / 2)
