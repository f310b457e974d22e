"""What is a loss and what is only late."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge.audio.capture_clock import CaptureClock

RATE, BLOCK = 16_000, 512
BLOCK_S = BLOCK / RATE


@dataclasses.dataclass
class Device:
    """Plays blocks into a clock and adds up what it calls lost."""

    clock: CaptureClock = dataclasses.field(default_factory=lambda: CaptureClock(RATE))
    now_s: float = 100.0
    adc_s: float = 7000.0
    has_adc: bool = True
    lost: list[int] = dataclasses.field(default_factory=list)
    n_blocks: int = 0

    def play(self, n_blocks: int = 1, pace: float = 1.0, *, overflow: bool = False) -> Device:
        for _ in range(n_blocks):
            self.lost += filter(None, [self.clock.settle(self.now_s)])
            adc_s = self.adc_s if self.has_adc else None
            self.lost += filter(
                None, [self.clock.note(BLOCK, adc_s, self.now_s, overflow=overflow)]
            )
            self.now_s += pace * BLOCK_S
            self.adc_s += BLOCK_S
            self.n_blocks += 1
            overflow = False
        return self

    def lose(self, seconds: float) -> Device:
        self.now_s += seconds
        self.adc_s += seconds
        return self

    def stall(self, seconds: float) -> Device:
        """Held up; what waited comes in a burst."""
        self.now_s += seconds
        n_waiting = round(seconds / BLOCK_S)
        self.play(n_waiting, pace=0.001)
        self.now_s = self.now_s - n_waiting * 0.001 * BLOCK_S
        return self


def test_a_steady_device_loses_nothing() -> None:
    assert Device().play(1000).lost == []


@pytest.mark.parametrize("seconds", [10.0, 0.2, 0.033, 1e-4])
def test_a_reported_loss_is_as_long_as_the_device_says(seconds: float) -> None:
    device = Device().play(50).lose(seconds).play(1, overflow=True)
    assert device.lost == [max(1, round(seconds * RATE))]
    assert device.play(200).lost == [round(seconds * RATE)]


@pytest.mark.parametrize("has_adc", [True, False])
def test_a_loss_nobody_reports_is_found_within_a_third_of_a_second(has_adc: bool) -> None:
    device = Device(has_adc=has_adc).play(50).lose(10.0).play(1)
    assert device.clock.is_in_doubt
    assert device.lost == []
    device.play(10)
    assert device.lost == [160_000]
    assert not device.clock.is_in_doubt
    assert device.play(200).lost == [160_000]


def test_without_a_device_s_clock_a_report_is_measured_by_ours() -> None:
    device = Device(has_adc=False).play(50).lose(0.1).play(12, overflow=True)
    assert device.lost == [1600]
    device = Device(has_adc=False).play(50).play(12, overflow=True)
    assert device.lost == [1]


@pytest.mark.parametrize("has_adc", [True, False])
@pytest.mark.parametrize("seconds", [0.1, 0.5, 3.0, 10.0])
def test_a_program_that_was_held_up_loses_nothing(has_adc: bool, seconds: float) -> None:
    device = Device(has_adc=has_adc).play(50).stall(seconds).play(100)
    assert device.lost == []
    assert not device.clock.is_in_doubt
    # And its clock is right: the next loss is measured as well as any.
    assert device.lose(2.0).play(50).lost == [32_000]


def test_a_server_that_is_held_up_and_loses_a_part_loses_that_part() -> None:
    device = Device(has_adc=False).play(50).lose(2.0).stall(0.96).play(50)
    assert device.lost == [pytest.approx(32_000, abs=10)]


def test_a_clock_that_steps_alone_is_not_believed() -> None:
    # PulseAudio's, half a second and more within the first two.
    device = Device().play(30)
    device.adc_s += 0.53
    assert device.play(200).lost == []
    assert device.lose(1.5).play(20).lost == [24_000]


@pytest.mark.parametrize("adc_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clock_that_says_nothing_is_none(adc_s: float) -> None:
    clock = CaptureClock(RATE)
    now_s, lost = 5.0, 0
    for index in range(100):
        lost += clock.settle(now_s) or 0
        lost += clock.note(BLOCK, adc_s, now_s)
        now_s += BLOCK_S + (2.0 if index == 50 else 0.0)
    assert lost == 32_000


def test_a_time_that_goes_back_once_is_passed_over() -> None:
    device = Device().play(50)
    device.adc_s -= 300.0
    device.play(1)
    device.adc_s += 300.0
    assert device.play(100).lost == []
    assert device.lose(1.0).play(1, overflow=True).lost == [16_000]


def test_a_clock_that_was_set_anew_is_believed_again() -> None:
    device = Device().play(50)
    device.adc_s -= 5000.0
    device.play(60)
    assert device.lose(1.0).play(1, overflow=True).lost == [16_000]


@pytest.mark.parametrize("parts_per_million", [-500, 500])
def test_crystals_that_differ_are_no_loss_in_an_hour(parts_per_million: int) -> None:
    device = Device()
    for _ in range(3600):
        device.play(31, pace=1 + parts_per_million / 1e6)
    assert device.lost == []


def test_jitter_of_a_busy_device_is_no_loss() -> None:
    rng = np.random.default_rng(5)
    clock, lost = CaptureClock(RATE), 0
    for index in range(20_000):
        now_s = 10 + index * BLOCK_S + float(rng.exponential(0.02))
        adc_s = 10 + index * BLOCK_S + float(rng.normal(0, 0.01))
        lost += clock.settle(now_s) or 0
        lost += clock.note(BLOCK, adc_s, now_s)
    assert lost == 0


def test_the_first_block_may_say_what_it_likes() -> None:
    assert Device().play(1, overflow=True).lost == []
    # A server that begins late and sends what waited in a burst.
    assert Device().stall(1.8).play(100).lost == []


def test_a_doubt_does_not_last_longer_than_it_may() -> None:
    clock = CaptureClock(RATE, limit_s=0.1)
    device = Device(clock=clock).play(50).lose(5.0).play(5)
    assert device.lost == [80_000]


def test_what_waited_may_come_slowly() -> None:
    device = Device(has_adc=False).play(50)
    device.now_s += 0.8
    # Twice as fast as it was spoken, for as long as it takes.
    device.play(round(1.6 / BLOCK_S), pace=0.5)
    device.play(50)
    assert device.lost == []


def test_the_device_s_clock_that_was_late_for_a_moment_only_clears_it() -> None:
    device = Device().play(50)
    device.lose(0.3).play(1)
    assert device.clock.is_in_doubt
    # It comes back to what it was; what is late for us is so for another reason.
    for _ in range(9):
        device.adc_s -= BLOCK_S
        device.play(1)
    device.play(50)
    assert device.lost == []


def test_a_stall_that_the_device_s_clock_knows_nothing_of_is_no_doubt() -> None:
    device = Device().play(50)
    device.now_s += 1.0
    device.play(1)
    assert not device.clock.is_in_doubt


def test_a_loss_is_measured_from_the_earliest_block() -> None:
    device = Device(has_adc=False).play(1)
    # That block was late itself.
    device.now_s -= 0.14
    device.play(20).lose(0.2).play(20)
    assert device.lost == [3200]


def test_where_the_clocks_disagree_ours_is_taken() -> None:
    device = Device().play(50).lose(2.0)
    device.adc_s += 0.53
    device.play(20)
    assert device.lost == [32_000]
