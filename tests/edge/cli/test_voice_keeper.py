"""Writing down the reference for the voice: how often, on a full disk, and when it is forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.cli.voice_options import VoiceKeeper
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from edge.sources.base import Block
from edge.stream.stream import Stream
from edge.stream.voice_file import read_voice, write_voice

RATE = 16_000
SPEECH = voice(8 * RATE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "voice.json"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Told(list[str]):
    """What was said."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def keeper(clock: Clock, told: Told) -> VoiceKeeper:
    return VoiceKeeper(told.append, told.append, clock)


def listening(n_samples: int = 0) -> Stream:
    reference = VoiceReference((0.0,) * 13 + (5.0, -30.0) + (0.0,) * 19, 5.0, 2.0)
    stream = fake_classifier(voice_reference=reference).stream()
    stream.push(SPEECH[:n_samples])
    return stream


BLOCK = Block(np.zeros(512, np.float32))


def test_what_is_forgotten_is_forgotten_on_the_disk_at_once(
    keeper: VoiceKeeper, told: Told, file: Path
) -> None:
    stream = listening(6 * RATE)
    keeper.begin(stream, str(file))
    keeper.close()
    assert max(json.loads(file.read_text())["n_frames"]) > 60
    keeper.ask()
    keeper(BLOCK)
    keeper(BLOCK)
    assert told == ["the voice is forgotten, and its reference begins anew"]
    assert set(json.loads(file.read_text())["n_frames"]) == {0.0}


def test_it_is_written_at_most_once_a_minute(
    keeper: VoiceKeeper, clock: Clock, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []

    def write(path: str, state: Any) -> None:
        written.append((clock.now_s, state))
        write_voice(path, state)

    monkeypatch.setattr("edge.stream.voice_file.write_voice", write)
    stream = listening(4 * RATE)
    keeper.begin(stream, str(file))
    for second in range(200):
        clock.now_s = float(second)
        keeper(BLOCK)
        if second < 100:
            stream.push(SPEECH[: RATE // 2])
    # And not again when nothing was said.
    assert [now_s for now_s, _ in written] == [60, 120]
    keeper.close()
    keeper.close()
    assert len(written) <= 3
    assert stream.voice is not None
    assert read_voice(str(file), FeatureSpec()) == stream.voice.state()


def test_a_full_disk_is_told_and_the_listening_goes_on(
    keeper: VoiceKeeper, clock: Clock, told: Told, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    stream = listening(4 * RATE)
    keeper.begin(stream, str(file))
    with monkeypatch.context() as patch:
        patch.setattr("edge.stream.voice_file.write_voice", full)
        clock.now_s = 61
        keeper(BLOCK)
    assert told == [f"the voice cannot be kept in {file}: No space left on device"]
    assert keeper.has_failed
    clock.now_s = 122
    keeper(BLOCK)
    assert file.exists()
    assert not keeper.has_failed


def test_the_voice_goes_over_to_the_next_stream(
    keeper: VoiceKeeper, told: Told, file: Path
) -> None:
    first, second = listening(6 * RATE), listening()
    keeper.begin(first, None)
    keeper.begin(second, None)
    assert first.voice is not None
    assert second.voice is not None
    assert second.voice.state() == first.voice.state()
    # Into a file that is not there yet as well.
    third = listening()
    keeper.begin(third, str(file))
    assert third.voice is not None
    assert third.voice.heard_s == second.voice.heard_s > 2
    # Another file's own voice comes first.
    fourth = listening(4 * RATE)
    assert fourth.voice is not None
    before = fourth.voice.state()
    keeper.begin(fourth, str(file.with_name("other")))
    assert fourth.voice.state() == before
    assert file.exists()
    assert told == []


def test_who_asks_to_forget_before_new_options_is_heard(keeper: VoiceKeeper) -> None:
    first, second = listening(6 * RATE), listening()
    keeper.begin(first, None)
    keeper.ask()
    keeper.begin(second, None)
    assert second.voice is not None
    assert second.voice.heard_s == 0
