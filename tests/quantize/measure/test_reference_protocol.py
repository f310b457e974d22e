"""The protocol ``reference``: clips of the same voice, heard before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from quantize.data.corpora import Clip
from quantize.data.features.voices import N_CLIPS
from quantize.measure.evaluate import Runner
from quantize.measure.protocols.reference import KINDS, reference_trials

SPEC = FeatureSpec()
N = SPEC.n_features
RMS, PITCH = SPEC.feature_names.index("rms"), SPEC.feature_names.index("pitch_hz")
LABELS = ("neutral", "calm", "happy", "sad")


def _clips(n_speakers: int = 2, n_each: int = 8) -> list[Clip]:
    return [
        Clip(
            clip_id=f"own/{s}-{n}",
            corpus="own",
            path=Path(f"{s}-{n}.wav"),
            speaker=str(s),
            gender="unknown",
            label=LABELS[n % 4],
            native_label=LABELS[n % 4],
            language="en",
            sentence="unknown",
        )
        for s in range(n_speakers)
        for n in range(n_each)
    ]


def _rows(clips: list[Clip]) -> dict[str, np.ndarray]:
    """Voices 10 apart in every coefficient, clips of a voice alike."""
    rows = {}
    for number, clip in enumerate(clips):
        rng = np.random.default_rng(number)
        each = rng.normal(10.0 * int(clip.speaker), 0.1, (80, N)).astype(np.float32)
        each[:, RMS], each[:, PITCH] = 0.1, 150.0
        rows[clip.clip_id] = each
    return rows


def _runner(seen: list[np.ndarray], reference: VoiceReference | None) -> Runner:
    def infer(rows: np.ndarray, language: int) -> np.ndarray:
        seen.append(rows)
        return np.zeros((len(rows), len(LABELS)), np.float32)

    return Runner(
        "own",
        infer,
        SPEC,
        np.zeros(N, np.float32),
        np.ones(N, np.float32),
        1.0,
        60,
        30,
        None,
        LABELS,
        ("own",),
        reference,
    )


def test_every_kind_and_number_is_a_condition_after_none() -> None:
    clips = _clips()
    trials = reference_trials(_runner([], VoiceReference((0.0,) * N, 3.0)), clips, _rows(clips))
    assert next(iter(trials)) == "0 clips"
    assert "1 clip, random" in trials
    assert "16 clips, three in four calm" in trials
    assert len(trials) == 1 + len(KINDS) * len(N_CLIPS)


def test_a_reference_moves_the_voices_together() -> None:
    seen: list[np.ndarray] = []
    clips = _clips()
    reference = VoiceReference((5.0,) * N, 1e-6)
    reference_trials(_runner(seen, reference), clips, _rows(clips))
    without = np.concatenate([rows.reshape(-1, N) for rows in seen if rows.shape[2] == N])
    with_one = np.concatenate([rows.reshape(-1, N + 1) for rows in seen if rows.shape[2] > N])
    assert set(np.round(without[:, 0], -1)) == {0.0, 10.0}
    assert np.allclose(with_one[:, 0], 5.0, atol=0.6)
    assert np.allclose(with_one[:, -1], 1.0, atol=1e-3)


def test_a_clip_is_never_its_own_reference() -> None:
    # The only clip of its voice has none, whatever is asked.
    seen: list[np.ndarray] = []
    clips = _clips(n_speakers=1, n_each=1)
    reference_trials(_runner(seen, VoiceReference((0.0,) * N, 1e-6)), clips, _rows(clips))
    assert all(not rows[..., -1].any() for rows in seen if rows.shape[2] > N)


def test_calm_references_are_of_calm_clips_alone() -> None:
    clips = [dataclasses.replace(clip, label="happy") for clip in _clips()]
    seen: list[np.ndarray] = []
    trials = reference_trials(_runner(seen, VoiceReference((0.0,) * N, 3.0)), clips, _rows(clips))
    assert "4 clips, calm" in trials
    # Nobody speaks calmly: those are scored without a reference.
    parts = [float(rows[..., -1].max()) for rows in seen if rows.shape[2] > N]
    assert min(parts) == 0.0
    assert max(parts) > 0.5


def test_a_model_without_references_is_refused() -> None:
    clips = _clips()
    with pytest.raises(ParameterError, match="knows no references"):
        reference_trials(_runner([], None), clips, _rows(clips))


def test_voices_that_nobody_names_are_refused() -> None:
    strangers = [dataclasses.replace(clip, speaker_known=False) for clip in _clips()]
    reference = VoiceReference((0.0,) * N, 3.0)
    with pytest.raises(ParameterError, match="nobody says who speaks"):
        reference_trials(_runner([], reference), strangers, {})
