"""The time of day: right after every kind of set clock, and never the reason a segment moves."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator

import pytest
from runtime_fakes import fake_classifier, voice

from edge.pipeline import WallClock, run_pipeline
from edge.pipeline.wall_clock import since_boot_s
from edge.sinks import SinkBase
from edge.sources import Block, Stop
from edge.stream.decision import Decision
from edge.stream.records import time_of_day


class Clocks:
    """A machine's clocks; ``wall`` alone can be set."""

    def __init__(self, wall_s: float = 1_800_000_000.0) -> None:
        self.steady_s, self.wall_s, self.arrivals_s = 1000.0, wall_s, 5.0
        self.clock = WallClock(lambda: self.steady_s, lambda: self.wall_s, lambda: self.arrivals_s)

    def go(self, elapsed_s: float) -> None:
        self.steady_s += elapsed_s
        self.wall_s += elapsed_s
        self.arrivals_s += elapsed_s

    def sleep(self, elapsed_s: float) -> None:
        """A suspended machine: arrivals are told in a clock that stands still."""
        self.steady_s += elapsed_s
        self.wall_s += elapsed_s


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_time_goes_on_between_readings(clocks: Clocks) -> None:
    before_s = clocks.clock.now_s()
    clocks.go(12.25)
    assert clocks.clock.now_s() - before_s == pytest.approx(12.25)


@pytest.mark.parametrize("step_s", [-7200.0, -0.5, 0.5, 86_400.0 * 365])
def test_a_clock_that_is_set_arrives_within_a_minute_and_not_in_between(
    clocks: Clocks, step_s: float
) -> None:
    clocks.go(10)
    clocks.wall_s += step_s
    assert clocks.clock.now_s() == pytest.approx(1_800_000_010.0)
    clocks.go(49.9)
    assert clocks.clock.now_s() == pytest.approx(1_800_000_059.9)
    clocks.go(0.2)
    assert clocks.clock.now_s() == pytest.approx(1_800_000_060.1 + step_s)


def test_a_suspended_machine_wakes_up_at_the_right_time(clocks: Clocks) -> None:
    clocks.go(30)
    clocks.sleep(20)
    assert clocks.clock.now_s() == clocks.wall_s
    clocks.sleep(8 * 3600)
    assert clocks.clock.now_s() == clocks.wall_s


def test_a_steady_clock_that_went_back_all_the_same_is_read_anew(clocks: Clocks) -> None:
    clocks.steady_s = 3.0
    assert clocks.clock.now_s() == clocks.wall_s


def test_an_arrival_is_dated_back(clocks: Clocks) -> None:
    arrived_s = clocks.arrivals_s
    clocks.go(0.75)
    assert clocks.clock.at(arrived_s) == pytest.approx(1_800_000_000.0)
    assert clocks.clock.at(None) == clocks.clock.now_s()


def test_the_clock_of_this_machine() -> None:
    clock = WallClock()
    assert clock.now_s() == pytest.approx(time.time(), abs=0.05)
    assert clock.at(time.perf_counter() - 1.0) == pytest.approx(time.time() - 1.0, abs=0.05)


def test_seconds_since_boot_go_on_where_the_system_has_no_such_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before_s = since_boot_s()
    assert since_boot_s() >= before_s
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert since_boot_s() == pytest.approx(time.monotonic(), abs=0.05)


@pytest.mark.parametrize(
    ("name", "time_s", "wanted"),
    [
        ("UTC", 0.0, "1970-01-01T00:00:00.000+00:00"),
        ("UTC", 59.9996, "1970-01-01T00:01:00.000+00:00"),
        ("UTC", -0.25, "1969-12-31T23:59:59.750+00:00"),
        ("Asia/Kolkata", 1_800_000_000.0126, "2027-01-15T13:30:00.013+05:30"),
        ("America/St_Johns", 1_800_000_000.0, "2027-01-15T04:30:00.000-03:30"),
        # The hour that comes twice, and the one that never comes.
        ("Europe/Berlin", 1_792_889_999.5, "2026-10-25T02:59:59.500+02:00"),
        ("Europe/Berlin", 1_792_890_000.0, "2026-10-25T02:00:00.000+01:00"),
        ("Europe/Berlin", 1_774_745_999.75, "2026-03-29T01:59:59.750+01:00"),
        ("Europe/Berlin", 1_774_746_000.0, "2026-03-29T03:00:00.000+02:00"),
    ],
)
def test_time_of_day_is_rfc_3339_with_the_offset_of_that_moment(
    zone: pytest.MonkeyPatch, name: str, time_s: float, wanted: str
) -> None:
    zone.setenv("TZ", name)
    time.tzset()
    assert time_of_day(time_s) == wanted
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", wanted)


def test_a_time_zone_that_is_set_later_arrives_within_a_minute(
    zone: pytest.MonkeyPatch, clocks: Clocks
) -> None:
    zone.setenv("TZ", "UTC")
    clocks.go(61)
    assert time_of_day(clocks.clock.now_s()).endswith("+00:00")
    zone.setenv("TZ", "Asia/Kolkata")
    clocks.go(61)
    assert time_of_day(clocks.clock.now_s()).endswith("+05:30")


def test_a_clock_that_is_set_moves_no_segment() -> None:
    clip = voice(64_000)

    class Told(SinkBase):
        def __init__(self) -> None:
            self.decisions: list[Decision] = []

        def emit(self, decision: Decision) -> None:
            self.decisions.append(decision)

    class Set:
        """Sets the clock back an hour in the middle of every second minute."""

        name, waited_s = "a clock that is set", 0.0

        def __init__(self, clocks: Clocks, step_s: float) -> None:
            self._clocks, self._step_s = clocks, step_s

        def blocks(self, stop: Stop) -> Generator[Block, None, None]:
            for n, start in enumerate(range(0, clip.size, 512)):
                self._clocks.go(10.0)
                if n % 12 == 3:
                    self._clocks.wall_s += self._step_s
                yield Block(clip[start : start + 512])

    told = []
    for step_s in (0.0, -3600.0, 3600.0):
        clocks, sink = Clocks(), Told()
        run_pipeline(Set(clocks, step_s), fake_classifier().stream(), [sink], clock=clocks.clock)
        told.append(sink.decisions)
    plain, back, forward = told
    for other in (back, forward):
        assert [(d.start_s, d.end_s) for d in other] == [(d.start_s, d.end_s) for d in plain]
    assert [d.time_s for d in plain] == sorted(d.time_s for d in plain)
    assert back[-1].time_s < plain[-1].time_s < forward[-1].time_s
