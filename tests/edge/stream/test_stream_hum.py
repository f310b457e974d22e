"""Mains hum: a stream and a file hear what they would hear without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.features.hum import HumFilter
from edge.stream.loading import load

RATE = 16_000
TIMES_S = np.arange(6 * RATE) / RATE
_TONES = sum(np.sin(2 * np.pi * 100 * k * TIMES_S) / k for k in (1, 2))
HUM = (0.005 * _TONES).astype(np.float32)
ROOM = (2e-4 * np.random.default_rng(0).standard_normal(HUM.size)).astype(np.float32)
#: Somebody begins to speak after a second, and ends a second before the end.
SPEECH = ROOM.copy()
SPEECH[RATE:-RATE] += voice(HUM.size - 2 * RATE, 140.0, 0.1)


def last_rows(*pieces: np.ndarray) -> np.ndarray:
    """What the model hears last of pieces with gaps between them."""
    classifier = fake_classifier()
    stream = classifier.stream()
    for number, piece in enumerate(pieces):
        if number:
            stream.skip(1001)
        stream.push(piece)
    return classifier.model.seen[-1][0]


@pytest.mark.parametrize("n_pieces", [1, 2])
def test_a_stream_hears_speech_without_the_hum(
    n_pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a gap, too, where the phase of a hum is another."""
    clean = last_rows(*[SPEECH] * n_pieces)
    left = np.abs(last_rows(*[SPEECH + HUM] * n_pieces) - clean).mean()
    monkeypatch.setattr(HumFilter, "process_checked", lambda _, samples: samples)
    before = np.abs(last_rows(*[SPEECH + HUM] * n_pieces) - clean).mean()
    assert left < 0.3 * before


def test_the_level_that_is_told_is_that_of_the_sound_without_it() -> None:
    loud = fake_classifier().classify(ROOM + HUM, RATE)
    quiet = fake_classifier().classify(ROOM, RATE)
    assert loud[-1].level_db < quiet[-1].level_db + 1


def test_a_file_with_hum_is_answered_as_one_without(
    tiny_artifact: Artifact, tmp_path: Path
) -> None:
    classifier = load(tiny_artifact.path)
    write_wav(tmp_path / "clean.wav", SPEECH, RATE)
    write_wav(tmp_path / "hum.wav", SPEECH + HUM, RATE)
    clean, hummed = (classifier.classify_file(tmp_path / f"{n}.wav") for n in ("clean", "hum"))
    assert hummed.state == clean.state
    assert clean.posterior is not None
    assert hummed.posterior is not None
    for label, share in clean.posterior.items():
        assert abs(hummed.posterior[label] - share) < 0.02
