from __future__ import annotations

import math

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.stream.speech_gate import SILENCE_DB, GateSettings, SpeechGate, segment_level_db


def test_level_of_a_full_scale_sine_is_minus_three_db() -> None:
    assert segment_level_db(np.full(61, math.sqrt(0.5))) == pytest.approx(-3.01, abs=0.01)


def test_level_is_the_mean_power_and_not_the_mean_level() -> None:
    # Half the frames at full scale, half silent: 3 dB less than full scale.
    assert segment_level_db([1.0, 0.0]) == pytest.approx(-3.01, abs=0.01)


def test_digital_silence_has_a_finite_level() -> None:
    assert segment_level_db(np.zeros(61)) == SILENCE_DB
    assert segment_level_db([1e-30]) == SILENCE_DB


@pytest.mark.parametrize(
    ("n_loud", "speech"),
    [(0, False), (6, False), (7, True), (61, True)],
)
def test_gate_opens_when_a_tenth_of_the_frames_reach_the_floor(n_loud: int, speech: bool) -> None:
    frame_rms = np.full(61, 1e-5)
    frame_rms[:n_loud] = 1e-3  # -60 dBFS, the floor itself
    assert SpeechGate().is_speech(frame_rms) is speech


def test_gate_takes_the_whole_of_a_single_frame() -> None:
    assert SpeechGate().is_speech([0.1])
    assert not SpeechGate().is_speech([1e-4])


def test_floor_is_a_setting() -> None:
    frame_rms = np.full(61, 10 ** (-50 / 20))
    assert SpeechGate().is_speech(frame_rms)
    assert not SpeechGate(GateSettings(floor_db=-40)).is_speech(frame_rms)


@pytest.mark.parametrize("bad", [np.zeros(0), np.zeros((2, 3)), 0.5])
def test_other_shapes_are_refused(bad: object) -> None:
    with pytest.raises(ParameterError, match="frame_rms has shape"):
        segment_level_db(bad)
    with pytest.raises(ParameterError, match="frame_rms has shape"):
        SpeechGate().is_speech(bad)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"floor_db": 3.0}, "floor_db is 3.0"),
        ({"floor_db": math.nan}, "floor_db is nan"),
        ({"loudest_share": 0.0}, "loudest_share is 0.0"),
        ({"loudest_share": 1.5}, "loudest_share is 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        GateSettings(**settings)
