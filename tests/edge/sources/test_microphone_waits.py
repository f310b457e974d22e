"""A microphone that is away or does not answer: how long it is waited for, and what ends that."""

from __future__ import annotations

import threading
import time

import pytest
from fake_microphone import CLIP, GONE, RATE, FakeMicrophone, collect, kinds

import edge.sources.microphone as source_module
import edge.sources.outage as outage_module
from edge.audio.portaudio import AwayError
from edge.errors import AudioDeviceError, MissingDependencyError, ParameterError
from edge.sources import Stop
from edge.sources.microphone import MicrophoneSource


def test_one_that_is_not_there_yet_is_waited_for(fake: type[FakeMicrophone]) -> None:
    fake.openings = [AwayError("there is no input device 'USB'"), None]
    fake.script = [(CLIP[:512], 0)]
    opened: list[str] = []
    blocks = collect(MicrophoneSource("USB", RATE, opened=opened.append), fake.stop)
    # No gap: the stream begins with the first sound.
    assert kinds(blocks) == ["waiting", "back", "block"]
    assert blocks[0].sentence == (
        "there is no input device 'USB'; listening goes on when it is there"
    )
    assert 0.4 < blocks[1].away_s < 2.0
    assert opened == [], "said with the word that it is back"


@pytest.mark.parametrize(
    "error", [AudioDeviceError("'mic' fits several input devices"), MissingDependencyError("pip")]
)
def test_what_no_waiting_mends_is_an_error_at_once(
    fake: type[FakeMicrophone], error: Exception
) -> None:
    fake.openings = [error]
    with pytest.raises(type(error), match=str(error)):
        collect(MicrophoneSource(None, RATE), Stop())


def test_what_worked_once_is_waited_for_whatever_it_says(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_module, "_FIRST_S", 0.0)
    monkeypatch.setattr("edge.sources.back_off._FIRST_S", 0.05)
    fake.script = [(CLIP[:512], 0), GONE, (CLIP[:512], 0)]
    fake.openings = [None, AudioDeviceError("it has no channel 2"), None]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert kinds(blocks) == ["block", "lost", "back", "gap", "block"]


@pytest.mark.parametrize("limit_s", [0, 0.2])
def test_it_can_be_given_up(fake: type[FakeMicrophone], limit_s: float) -> None:
    fake.openings = [AwayError("there is no input device")] * 9
    began_s = time.monotonic()
    with pytest.raises(
        AudioDeviceError, match=rf"^there is no input device: given up after {limit_s} s$"
    ):
        collect(MicrophoneSource(None, RATE, give_up_after_s=limit_s), Stop())
    assert limit_s <= time.monotonic() - began_s < limit_s + 0.5


def test_one_that_goes_can_be_given_up(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP[:512], 0), GONE, GONE]
    with pytest.raises(AudioDeviceError, match=r"went away: .* stopped: given up after 0 s"):
        collect(MicrophoneSource(None, RATE, give_up_after_s=0), fake.stop)


@pytest.mark.parametrize("limit_s", [-1.0, float("nan")])
def test_a_patience_that_is_none(fake: type[FakeMicrophone], limit_s: float) -> None:
    with pytest.raises(ParameterError, match="give_up_after_s is"):
        MicrophoneSource(None, RATE, give_up_after_s=limit_s)


def test_a_call_that_hangs_is_told_and_does_not_hold_up_a_stop(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_module, "_SLOW_S", 0.05)
    monkeypatch.setattr("edge.sources.opening._END_S", 0.05)
    frozen = threading.Event()
    fake.openings = [frozen]
    stop = Stop()
    blocks = MicrophoneSource(None, RATE).blocks(stop)
    assert next(blocks).sentence.startswith("the sound server does not answer")
    began_s = time.monotonic()
    stop.request()
    assert list(blocks) == []
    assert time.monotonic() - began_s < 1.0
    # What opens after all is closed: nobody listens to it any more.
    frozen.set()
    deadline_s = time.monotonic() + 2
    while fake.last.is_open or not fake.last.opened_at_s:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_waiting_shows_signs_of_life_but_not_for_a_call_that_never_ends(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_module, "_SIGN_S", 0.05)
    monkeypatch.setattr(outage_module, "_HOPELESS_S", 0.3)
    monkeypatch.setattr("edge.sources.opening._END_S", 0.05)
    frozen = threading.Event()
    fake.openings = [frozen]
    stop, began_s, signs_s = Stop(), time.monotonic(), []
    source = MicrophoneSource(
        None, RATE, attempted=lambda: signs_s.append(time.monotonic() - began_s)
    )
    threading.Timer(0.75, stop.request).start()
    collect(source, stop)
    frozen.set()
    assert len(signs_s) >= 2
    assert max(signs_s) < 0.55


def test_something_that_changed_is_tried_at_once(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's new socket, or a card, long before the next try would be due."""
    seen = [()]
    monkeypatch.setattr(outage_module, "sound_signature", lambda: seen[0])
    monkeypatch.setattr("edge.sources.back_off._FIRST_S", 30.0)
    fake.openings = [AwayError("there is no input device"), None]
    fake.script = [(CLIP[:512], 0)]
    threading.Timer(0.2, lambda: seen.insert(0, ("socket",))).start()
    began_s = time.monotonic()
    assert kinds(collect(MicrophoneSource(None, RATE), fake.stop)) == ["waiting", "back", "block"]
    assert time.monotonic() - began_s < 1.0


def test_a_machine_that_slept_lost_the_microphone(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = [0.0, 0.0, 3600.0]
    monkeypatch.setattr(source_module, "_slept_s", lambda: slept.pop(0) if slept else 3600.0)
    fake.script = [(CLIP[:512], 0), (CLIP[:512], 0), (CLIP[:512], 0), (CLIP[:512], 0)]
    fake.resumed = [CLIP[:512]]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert kinds(blocks)[:5] == ["block", "block", "lost", "back", "gap"]
    assert "asleep" in blocks[2].sentence
