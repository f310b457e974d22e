"""Which channel of a WAV file is taken, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from wav_files import HEARD, RATE, VOICE, read, stereo

from edge.audio.file import open_audio


def test_a_channel_turned_upside_down_is_named_and_does_not_cancel(tmp_path: Path) -> None:
    samples, said = read(tmp_path, stereo(VOICE, -VOICE))
    np.testing.assert_allclose(samples, HEARD, atol=2 / 32768)
    (sentence,) = said
    assert sentence.startswith("channel 2 is channel 1 turned upside down")


@pytest.mark.parametrize(
    ("columns", "picked"),
    [
        ((VOICE, VOICE), 0),
        ((VOICE, 0 * VOICE), 0),
        ((0 * VOICE, VOICE), 1),
        ((0.01 * VOICE, VOICE), 1),
        ((VOICE, np.roll(VOICE, 16)), 0),
        # An offset is no sound, however large.
        ((0 * VOICE + 0.9, VOICE), 1),
        ((0 * VOICE, 0 * VOICE, VOICE, VOICE, 0 * VOICE, 0 * VOICE), 2),
        ((0 * VOICE, 0 * VOICE), 0),
    ],
)
def test_the_loudest_channel_is_taken(
    tmp_path: Path, columns: tuple[np.ndarray, ...], picked: int
) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(*columns))
    with open_audio(path) as reader:
        assert reader.channel == picked
        assert reader.warnings == []
        samples = np.concatenate(list(reader.pieces()))
    assert np.array_equal(samples, np.round(columns[picked] * 32767).astype(np.float32) / 32768)


SECOND = np.arange(RATE) / RATE
SPOKEN = np.concatenate([gain * 0.3 * np.sin(900 * SECOND) for gain in (0, 1, 0, 1, 0.1)])
ANSWER = np.concatenate([gain * 0.2 * np.sin(700 * SECOND) for gain in (1, 0, 1, 0, 0)])
HUM = 0.5 * np.sin(2 * np.pi * 50 * np.arange(SPOKEN.size) / RATE)
NOISE = np.random.default_rng(3).normal(0, 0.01, (2, SPOKEN.size))


@pytest.mark.parametrize(
    ("taken", "other"),
    [
        pytest.param(SPOKEN, ANSWER, id="two people of a call"),
        pytest.param(HUM, SPOKEN, id="an input that hums"),
        pytest.param(20 * NOISE[0], SPOKEN, id="noise"),
        pytest.param(SPOKEN + 0.03 * ANSWER, ANSWER + 0.03 * SPOKEN, id="crosstalk"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_channel_that_holds_another_sound_is_named(
    tmp_path: Path, taken: np.ndarray, other: np.ndarray, is_first: bool
) -> None:
    _, said = read(tmp_path, stereo(taken, other) if is_first else stereo(other, taken))
    (sentence,) = said
    numbers = (2, 1) if is_first else (1, 2)
    assert sentence.startswith("channel {} holds another sound than channel {}".format(*numbers))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.roll(SPOKEN, 16), id="another microphone"),
        pytest.param(0.05 * SPOKEN + 0.1 * NOISE[1], id="a far one"),
        pytest.param(NOISE[1], id="noise"),
        pytest.param(0.001 * ANSWER, id="nothing that can be heard"),
        pytest.param(0.002 * HUM, id="faint hum"),
    ],
)
def test_a_channel_of_the_same_voice_or_of_noise_needs_no_word(
    tmp_path: Path, other: np.ndarray
) -> None:
    assert read(tmp_path, stereo(SPOKEN + 0.01 * NOISE[0], other))[1] == []


def test_a_channel_that_speaks_after_a_silence_is_found(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(20 * RATE), VOICE])
    early_noise = np.concatenate([1e-4 * np.sin(np.arange(20 * RATE)), 0 * VOICE])
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(early_noise, late))
    with open_audio(path) as reader:
        assert reader.channel == 1


def test_a_channel_that_speaks_after_minutes_of_silence_is_heard(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(130 * RATE), VOICE])
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(0 * late, late, -late))
    with open_audio(path) as reader:
        samples = np.concatenate(list(reader.pieces()))
        assert reader.channel == 1
        (sentence,) = reader.warnings
    assert np.array_equal(samples[-RATE:], HEARD)
    assert sentence.startswith("channel 3 is channel 2 turned upside down")
