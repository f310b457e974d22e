"""The bundled clip is what its note says, and fit to be a first picture."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "edge" / "bundled" / "demo"


@pytest.fixture(scope="module")
def clip():
    with wave.open(str(FOLDER / "dialogue.wav")) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (
            1,
            2,
            16000,
        )
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2") / 32768


@pytest.fixture(scope="module")
def spoken():
    note = (FOLDER / "dialogue.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^ *([\d.]+) - +([\d.]+) s  (\w+), (\w+): (.+)$", note, re.MULTILINE)
    return [(float(start), float(end), speaker, manner) for start, end, speaker, manner, _ in lines]


def test_clip_is_short_and_small(clip):
    assert 12 <= len(clip) / 16000 <= 16
    assert (FOLDER / "dialogue.wav").stat().st_size <= 500_000


def test_clip_is_not_clipped_and_has_a_level(clip):
    assert 0.5 < np.abs(clip).max() < 0.95
    assert -24 < 20 * np.log10(np.sqrt(np.mean(clip**2))) < -16


def test_two_voices_and_several_manners(spoken):
    assert len({speaker for _, _, speaker, _ in spoken}) == 2
    assert len({manner for *_, manner in spoken}) >= 4


def test_the_note_says_where_speech_is(clip, spoken):
    quiet = np.ones(len(clip), bool)
    for start_s, end_s, _, _ in spoken:
        part = slice(round(start_s * 16000) - 200, round(end_s * 16000) + 200)
        quiet[part] = False
        assert np.sqrt(np.mean(clip[part] ** 2)) > 0.01
    rest = clip[quiet]
    assert 1.0 < len(rest) / 16000 < 4.0
    assert 0 < np.sqrt(np.mean(rest**2)) < 0.001
