"""The microphone as a source: what it yields while it is there, away and back."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from runtime_fakes import voice

import edge.audio.microphone
import edge.sources.microphone as source_module
import edge.sources.outage as outage_module
from edge.audio.capture import Recorded
from edge.audio.portaudio import AwayError, Call
from edge.audio.recording import StalledError
from edge.errors import AudioDeviceError, MissingDependencyError, ParameterError
from edge.sources import Block, Gap, Stop
from edge.sources.base import Status
from edge.sources.microphone import MicrophoneSource

RATE = 16_000
EMPTY = np.zeros(0, np.float32)


class FakeMicrophone:
    """Opens and gives as its scripts say; asks for a stop when there is nothing left to give."""

    openings: list[Exception | threading.Event | None]
    script: list[tuple[np.ndarray, int] | Exception]
    resumed: list[np.ndarray]
    said: list[tuple[str, str]]
    stop: Stop
    device = SimpleNamespace(name="Desk microphone")
    capture_rate, n_channels = 48_000, 2

    def __init__(self, device: str | None, sample_rate: int, **settings: object) -> None:
        self.asked = (device, sample_rate, settings)
        self.waited_s = 0.0
        self.is_open = False
        self.opened_at_s: list[float] = []
        self.n_closings = 0
        FakeMicrophone.last = self

    def open(self, *, renew_devices: bool) -> None:
        self.opened_at_s.append(time.monotonic())
        result = self.openings.pop(0) if self.openings else None
        if isinstance(result, threading.Event):
            assert result.wait(10)
        elif result is not None:
            raise result
        self.is_open = True

    def take(self, timeout_s: float) -> Recorded:
        assert self.is_open
        result = self.script.pop(0)
        if not self.script:
            self.stop.request()
        if isinstance(result, Exception):
            raise result
        samples, n_lost = result
        self.waited_s += 2.0
        return Recorded(samples, time.perf_counter(), n_lost, "busy" if n_lost else "")

    def resume(self, timeout_s: float) -> Recorded:
        samples = self.resumed.pop(0) if self.resumed else EMPTY
        if not samples.size:
            time.sleep(0.01)
        return Recorded(samples, time.perf_counter())

    def news(self) -> list[tuple[str, str]]:
        said, self.said[:] = list(self.said), []
        return said

    def begin_close(self) -> Call | None:
        was_open, self.is_open = self.is_open, False
        self.n_closings += was_open
        return Call(lambda: None) if was_open else None

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeMicrophone]:
    monkeypatch.setattr(edge.audio.microphone, "Microphone", FakeMicrophone)
    for name in ("openings", "script", "resumed", "said"):
        monkeypatch.setattr(FakeMicrophone, name, [], raising=False)
    monkeypatch.setattr(FakeMicrophone, "stop", Stop(), raising=False)
    # Nothing else changes on this machine meanwhile.
    monkeypatch.setattr(outage_module, "sound_signature", lambda: ())
    return FakeMicrophone


def collect(source: MicrophoneSource, stop: Stop) -> list[Block | Gap | Status]:
    return list(source.blocks(stop))


def kinds(blocks: list[Block | Gap | Status]) -> list[str]:
    return [
        block.kind if isinstance(block, Status) else type(block).__name__.lower()
        for block in blocks
    ]


CLIP = voice(8000)
GONE = AwayError("the microphone went away: Desk microphone stopped")
SILENT = StalledError("the microphone went away: Desk microphone sent nothing for 2.0 s")


def test_what_was_lost_comes_in_its_place(fake: type[FakeMicrophone]) -> None:
    fake.script = [
        (CLIP[:512], 0), (EMPTY, 0), (CLIP[512:1024], 100), (EMPTY, 30), (CLIP[1024:1030], 0),
    ]  # fmt: skip
    opened: list[str] = []
    source = MicrophoneSource("desk", RATE, channel=1, gain_db=6.0, opened=opened.append)
    blocks = collect(source, fake.stop)
    assert [b.n_samples if isinstance(b, Gap) else b.samples.size for b in blocks] == [
        512, 100, 512, 30, 6,
    ]  # fmt: skip
    assert [b.reason for b in blocks if isinstance(b, Gap)] == ["busy", "busy"]
    heard = np.concatenate([b.samples for b in blocks if isinstance(b, Block)])
    np.testing.assert_array_equal(heard, CLIP[:1030])
    assert opened == ["Desk microphone (48000 Hz, 2 channels)"]
    assert fake.last.asked == ("desk", RATE, {"channel": 1, "capture_rate": None, "gain_db": 6.0})
    assert not fake.last.is_open
    # Of four that were waited for by the microphone; how long the first took is measured.
    assert 8.0 <= source.waited_s < 9.0


def test_a_backlog_shows_as_age(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP[:1], 0), (voice(1600), 160)]
    _, gap, *blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert gap.n_samples == 160
    assert [b.samples.size for b in blocks] == [512, 512, 512, 64]
    ages_s = [blocks[-1].arrived_s - block.arrived_s for block in blocks]
    assert ages_s == pytest.approx([1088 / RATE, 576 / RATE, 64 / RATE, 0], abs=1e-6)


def test_it_is_closed_when_the_reader_leaves(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP, 0), (CLIP, 0)]
    blocks = MicrophoneSource(None, RATE).blocks(Stop())
    next(blocks)
    assert fake.last.is_open
    blocks.close()
    assert not fake.last.is_open


def test_one_that_goes_and_comes_back_is_a_line_each_and_one_gap(
    fake: type[FakeMicrophone],
) -> None:
    fake.script = [(CLIP[:512], 0), GONE, (CLIP[512:1024], 0)]
    fake.openings = [None, AwayError("there is no input device"), None]
    source = MicrophoneSource(None, RATE)
    began_s = time.monotonic()
    blocks = collect(source, fake.stop)
    took_s = time.monotonic() - began_s
    assert kinds(blocks) == ["block", "lost", "back", "gap", "block"]
    _, lost, back, gap, _ = blocks
    assert lost.sentence == (
        "the microphone went away: Desk microphone stopped; listening goes on when it is there"
    )
    assert back.sentence.startswith(
        "listening to Desk microphone (48000 Hz, 2 channels) again after "
    )
    # Half a second to the first try, half a second more to the second.
    assert 0.95 <= back.away_s <= took_s
    assert gap.n_samples == round(back.away_s * RATE)
    assert gap.reason == "the microphone was away"
    assert source.waited_s >= 1.0


def test_stream_time_is_that_of_the_clock(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through three outages of a simulated clock, in which an hour was slept through."""
    clock = SimpleNamespace(now_s=1000.0)
    monkeypatch.setattr(source_module, "boot_s", lambda: clock.now_s)
    monkeypatch.setattr(source_module, "_slept_s", lambda: 0.0)
    monkeypatch.setattr(
        source_module, "_boot_time_s", lambda recorded: clock.now_s - recorded.arrived_s
    )

    def take(self: FakeMicrophone, timeout_s: float) -> Recorded:
        away_s, late_s, n_blocks = self.script[0]
        if away_s:
            self.script[0] = (0.0, late_s, n_blocks)
            clock.now_s += away_s
            raise GONE
        if n_blocks == 0:
            self.script.pop(0)
            if not self.script:
                self.stop.request()
            return Recorded(EMPTY, 0.0)
        self.script[0] = (0.0, 0.0, n_blocks - 1)
        clock.now_s += 0.032
        # As if it had been there when it was said, and were `late_s` on its way.
        return Recorded(np.ones(512, np.float32), -late_s)

    monkeypatch.setattr(FakeMicrophone, "take", take)
    monkeypatch.setattr(outage_module, "_FIRST_S", 0.0)
    fake.script = [(0.0, 0.0, 100), (7.0, 0.2, 100), (3600.0, 0.1, 100), (5.0, 0.0, 100)]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    gaps_s = [block.n_samples / RATE for block in blocks if isinstance(block, Gap)]
    assert gaps_s == pytest.approx([7.2, 3599.9, 4.9], abs=1e-3)
    n_samples = sum(b.n_samples if isinstance(b, Gap) else b.samples.size
                    for b in blocks if not isinstance(b, Status))  # fmt: skip
    assert n_samples / RATE == pytest.approx(clock.now_s - 1000.0, abs=1e-3)


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


def test_a_stream_that_stalls_is_kept_and_goes_on(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP[:512], 0), SILENT, (CLIP[:512], 0)]
    fake.resumed = [EMPTY, EMPTY, CLIP[:2400]]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert kinds(blocks) == ["block", "lost", "back", "gap", *["block"] * 6]
    assert len(fake.last.opened_at_s) == 1, "it was not opened again"


def test_one_that_stays_silent_is_opened_again(
    fake: type[FakeMicrophone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage_module, "_KEPT_S", 0.05)
    monkeypatch.setattr(outage_module, "_FIRST_S", 0.0)
    fake.script = [(CLIP[:512], 0), SILENT, (CLIP[:512], 0)]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert kinds(blocks) == ["block", "lost", "back", "gap", "block"]
    assert len(fake.last.opened_at_s) == 2
    assert fake.last.n_closings == 1


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


def test_what_is_to_be_said_of_the_sound(fake: type[FakeMicrophone]) -> None:
    fake.said = [("channel", "channel 2 of 2 is listened to"), ("muted", "is it muted?")]
    fake.script = [(CLIP[:512], 0)]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    assert kinds(blocks) == ["block", "channel", "muted"]
    assert blocks[2] == Status("muted", "is it muted?")


@pytest.mark.parametrize(
    ("away_s", "spoken"),
    [(0.04, "0.0 s"), (99.9, "99.9 s"), (100, "1 min 40 s"), (7261, "2 h 1 min")],
)
def test_a_length_of_time_is_spoken(away_s: float, spoken: str) -> None:
    assert source_module._spoken(away_s) == spoken
