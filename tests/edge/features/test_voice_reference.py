"""A voice's mean, taken away from rows of its speech, normalised or not."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features.spec import FeatureSpec
from edge.features.voice_reference import (
    VoiceColumns,
    VoiceMean,
    VoiceReference,
    normalised,
)
from edge.features.voice_scales import VoiceScales

SPEC = FeatureSpec()
COLUMNS = VoiceColumns(SPEC)
FRAME_S = SPEC.hop_length / SPEC.sample_rate
MEAN = np.linspace(-300, 20, 34).astype(np.float32)
STD = np.linspace(0.1, 90, 34).astype(np.float32)
REFERENCE = VoiceReference(tuple(np.linspace(-1, 3, 34).tolist()), 5.0)


def speech(n_frames: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rows = generator.normal(0, 20, (n_frames, 34)).astype(np.float32)
    rows[:, COLUMNS.rms] = generator.uniform(0.01, 0.2, n_frames)
    rows[:, COLUMNS.pitch] = generator.uniform(100, 300, n_frames)
    rows[::3, COLUMNS.pitch] = 0
    return rows


def heard_of(n_frames: int) -> VoiceMean:
    heard = VoiceMean(34, 10_000)
    heard.add(COLUMNS.totals(speech(n_frames, seed=1), np.ones(n_frames, bool)))
    return heard


def scales_of(heard: VoiceMean) -> np.ndarray:
    return VoiceScales(REFERENCE, COLUMNS, MEAN, STD, FRAME_S).of(heard)


@pytest.mark.parametrize("n_frames", [0, 30, 1000])
def test_normalised_rows_move_as_raw_ones_do(n_frames: int) -> None:
    heard = heard_of(n_frames)
    change = REFERENCE.change(heard.totals, FRAME_S)
    rows = speech(61)
    factors, terms = scales_of(heard)
    found = normalised(rows, MEAN, STD, 35) * factors + terms
    moved = rows.copy()
    COLUMNS.move(moved, change[:-1])
    np.testing.assert_allclose(found[:, :-1], (moved - MEAN) / STD, rtol=2e-6, atol=2e-5)
    np.testing.assert_allclose(found[:, -1], change[-1], rtol=1e-6)
    assert factors.dtype == terms.dtype == found.dtype == np.float32


def test_totals_are_of_the_frames_that_are_speech_and_no_silence() -> None:
    rows = speech(16)
    rows[4, COLUMNS.rms] = 0.0
    told = np.arange(16) % 5 != 0
    spoken = rows[told & (np.arange(16) != 4)].astype(np.float64)
    sums, counts = COLUMNS.totals(rows, told)
    np.testing.assert_allclose(
        sums[COLUMNS.shifted], spoken[:, COLUMNS.shifted].sum(axis=0), rtol=1e-12
    )
    assert sums[COLUMNS.rms] == pytest.approx(20 * np.log10(spoken[:, COLUMNS.rms]).sum())
    voiced = spoken[spoken[:, COLUMNS.pitch] > 0, COLUMNS.pitch]
    assert sums[COLUMNS.pitch] == pytest.approx(np.log(voiced).sum())
    assert counts[COLUMNS.pitch] == len(voiced) < len(spoken)
    assert (np.delete(counts, COLUMNS.pitch) == len(spoken)).all()
    assert (COLUMNS.totals(rows, np.zeros(16, bool)) == 0).all()


def test_totals_of_several_voices_are_those_of_each() -> None:
    rows = np.stack([speech(16, seed) for seed in range(3)])
    rows[0, 4, COLUMNS.rms] = 0.0
    rows[2, :, COLUMNS.pitch] = 0.0
    told = np.arange(48).reshape(3, 16) % 5 != 0
    told[1] = False
    found = COLUMNS.totals_each(rows, told)
    wanted = [COLUMNS.totals(*each) for each in zip(rows, told, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_without_speech_nothing_moves() -> None:
    factors, terms = scales_of(heard_of(0))
    assert (factors[:-1] == 1).all()
    assert (terms == 0).all()


def test_chroma_and_what_is_unvoiced_stay() -> None:
    factors, terms = scales_of(heard_of(1000))
    chroma = [i for i, name in enumerate(SPEC.feature_names) if name.startswith("chroma")]
    assert len(chroma) == 12
    assert (factors[chroma] == 1).all()
    assert (terms[chroma] == 0).all()
    rows = speech(9)
    found = normalised(rows, MEAN, STD, 35) * factors + terms
    pitch = found[:, COLUMNS.pitch] * STD[COLUMNS.pitch] + MEAN[COLUMNS.pitch]
    np.testing.assert_allclose(pitch[::3], 0, atol=2e-4)


@pytest.mark.parametrize("shape", [(7, 34), (2, 7, 34)])
def test_a_model_that_was_given_no_reference_sees_a_part_of_0(shape: tuple[int, ...]) -> None:
    rows = speech(14)[: int(np.prod(shape[:-1]))].reshape(shape)
    plain = normalised(rows, MEAN, STD, 34)
    assert np.array_equal(plain, (rows - MEAN) / STD)
    wide = normalised(rows, MEAN, STD, 35)
    assert wide.dtype == np.float32
    assert np.array_equal(wide[..., :-1], plain)
    assert (wide[..., -1] == 0).all()
