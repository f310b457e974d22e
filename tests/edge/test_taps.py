"""Taps hear everything first and spoil nothing; losses are said once a minute."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.errors import AudioDeviceError, AudioFileError
from edge.pipeline import run_pipeline
from edge.pipeline.losses import Losses
from edge.sinks import SinkBase
from edge.sinks.group import SinkGroup
from edge.sources import Block, Gap, Status, Stop
from edge.stream.decision import Decision
from edge.stream.events import Event, EventSettings

CLIP = voice(40_000)
ITEMS = [
    Block(CLIP[:32_000]), Status("lost", "it went away"), Gap(500, "away"), Block(CLIP[32_000:]),
]  # fmt: skip


class Source:
    name, waited_s = "items", 0.0

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
        yield from ITEMS


class Told(SinkBase):
    def __init__(self, told: list[object]) -> None:
        self.told = told
        self.warnings: list[str] = []

    def emit(self, decision: Decision) -> None:
        self.told.append(decision)

    def status(self, status: Status) -> None:
        self.told.append(status)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def test_taps_hear_all_in_order_before_it_is_decided_on() -> None:
    told: list[object] = []
    run_pipeline(
        Source(),
        fake_classifier().stream(),
        [Told(told)],
        taps=[lambda item: told.append(("first", item)), lambda item: told.append(("then", item))],
    )
    heard = [one for one in told if isinstance(one, tuple)]
    assert heard == [(name, item) for item in ITEMS for name in ("first", "then")]
    assert told[:2] == [("first", ITEMS[0]), ("then", ITEMS[0])]
    assert isinstance(told[2], Decision)
    status = next(one for one in told if isinstance(one, Status))
    assert (status.kind, status.sentence) == ("lost", "it went away")
    assert status.time_s is not None
    assert told.index(status) == told.index(("then", ITEMS[1])) + 1


@pytest.mark.parametrize("seconds", [1.0, 2.01])
def test_taps_hear_no_more_than_the_run_does(seconds: float) -> None:
    heard: list[object] = []
    summary = run_pipeline(
        Source(), fake_classifier().stream(), [], duration_s=seconds, taps=[heard.append]
    )
    samples = sum(one.samples.size for one in heard if isinstance(one, Block))
    lost = sum(one.n_samples for one in heard if isinstance(one, Gap))
    assert samples + lost == round(16_000 * seconds)
    assert (samples / 16_000, lost) == (summary.audio_s, summary.dropped_samples)


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError(28, "No space left"), "No space left"), (ValueError("x" * 999), "ValueError: x"),
     (AudioFileError("it is full"), "(it is full)")],
)  # fmt: skip
def test_a_tap_that_fails_is_named_once_and_ends_nothing(error: Exception, words: str) -> None:
    class Spoiled:
        n = 0

        def __call__(self, item: object) -> None:
            self.n += 1
            raise error

    heard: list[object] = []
    spoiled, sink = Spoiled(), Told([])
    notices: list[str] = []
    summary = run_pipeline(
        Source(),
        fake_classifier().stream(),
        SinkGroup([sink], notices.append),
        taps=[spoiled, heard.append],
    )
    assert spoiled.n == 1
    assert heard == ITEMS
    assert summary.audio_s == 2.5
    (said,) = sink.warnings
    assert said in notices
    assert said.startswith("the tap Spoiled failed and hears no more (")
    assert words in said
    assert len(said) < 400


def test_a_microphone_that_is_given_up_ends_the_event_that_goes_on() -> None:
    class GivenUp(Source):
        def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
            yield Block(voice(80_000))
            raise AudioDeviceError("nobody brought it back")

    class Events(SinkBase):
        def __init__(self, error: Exception | None = None) -> None:
            self.told: list[str] = []
            self._error = error

        def event(self, event: Event) -> None:
            self.told.append(event.event)
            if event.event == "end" and self._error is not None:
                raise self._error

    for sink in (Events(), Events(OSError(32, "Broken pipe"))):
        with pytest.raises(AudioDeviceError, match="nobody brought it back"):
            run_pipeline(
                GivenUp(), fake_classifier().stream(), [sink], events=EventSettings(0.5, 1e6)
            )
        assert sink.told[-1] == "end"
        assert sink.told.count("start") == sink.told.count("end")


def test_a_microphone_that_was_away_all_along_is_a_gap_and_no_error() -> None:
    class Away(Source):
        def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
            yield Status("waiting", "it is not there yet")
            yield Gap(160_000, "it was away")

    told: list[object] = []
    summary = run_pipeline(Away(), fake_classifier().stream(), [Told(told)], duration_s=5.0)
    assert (summary.dropped_samples, summary.audio_s, summary.decisions) == (80_000, 0.0, 0)
    assert [d.state for d in told if isinstance(d, Decision)] == ["gap"]


def test_what_a_source_says_is_said_once_to_a_person() -> None:
    notices, said = [], []
    group = SinkGroup([Told([]), Told([])], notices.append, said.append)
    run_pipeline(Source(), fake_classifier().stream(), group)
    assert said == ["it went away"]
    assert not any("it went away" in sentence for sentence in notices)


class TestLosses:
    def setup_method(self) -> None:
        self.now_s = 0.0
        self.said: list[tuple[float, str]] = []
        self.losses = Losses(
            lambda sentence: self.said.append((self.now_s, sentence)), lambda: self.now_s
        )

    def test_nothing_lost_is_nothing_said(self) -> None:
        for self.now_s in np.arange(0.0, 1000.0, 7.0):
            self.losses.look()
        assert self.said == []

    def test_once_a_minute_with_totals_while_there_is_something_new(self) -> None:
        for self.now_s in np.arange(0.0, 400.0, 0.5):
            if 100 <= self.now_s < 200:
                self.losses.skipped_hops += 1
            if self.now_s == 250:
                self.losses.dropped_samples += 1
            self.losses.look()
        assert self.said == [
            (120.0, "41 hops skipped and 0 samples dropped in the last 60 s, 41 and 0 in all"),
            (180.0, "120 hops skipped and 0 samples dropped in the last 60 s, 161 and 0 in all"),
            (240.0, "39 hops skipped and 0 samples dropped in the last 60 s, 200 and 0 in all"),
            (300.0, "0 hops skipped and 1 sample dropped in the last 60 s, 200 and 1 in all"),
        ]

    def test_long_silence_of_the_source_is_told_as_long(self) -> None:
        self.now_s = 3600.0
        self.losses.dropped_samples = 16
        self.losses.look()
        assert self.said[0][1].endswith("16 samples dropped in the last 3600 s, 0 and 16 in all")
