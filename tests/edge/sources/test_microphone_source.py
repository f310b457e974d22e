"""The microphone as a source: what it yields while it is there, away and back."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from fake_microphone import CLIP, EMPTY, GONE, RATE, SILENT, FakeMicrophone, collect, kinds
from runtime_fakes import voice

import edge.sources.microphone as source_module
import edge.sources.outage as outage_module
from edge.audio.capture import Recorded
from edge.audio.portaudio import AwayError
from edge.sources import Block, Gap, Stop
from edge.sources.base import Status
from edge.sources.microphone import MicrophoneSource


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


def test_what_is_wanted_is_waited_for_and_handed_out_as_one(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP[:1], 0), (CLIP[:4000], 0), (CLIP[:4000], 0)]
    source = MicrophoneSource(None, RATE)
    source.want(4000)
    sizes = []
    for block in source.blocks(fake.stop):
        sizes.append(block.samples.size)
        source.want(3000)
    assert sizes == [1, 3000, 1000, 3000, 1000]
    # The first sound is not waited for: it says that there is any.
    assert fake.wanted == [1, 3000, 3000]


def test_a_stop_hands_out_what_is_there_already(fake: type[FakeMicrophone]) -> None:
    fake.script = [(CLIP[:512], 0), (CLIP[512:1024], 0)]
    fake.rest = [CLIP[1024:1100]]
    blocks = collect(MicrophoneSource(None, RATE), fake.stop)
    np.testing.assert_array_equal(np.concatenate([b.samples for b in blocks]), CLIP[:1100])


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

    def take(self: FakeMicrophone, timeout_s: float, n_wanted: int = 1) -> Recorded:
        if not timeout_s:
            return Recorded(EMPTY, 0.0)
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
