"""Borders by the local clock, on days when it is moved and in zones that are odd."""

from __future__ import annotations

import calendar
import datetime
import os
import time
from pathlib import Path

import pytest
from history_files import a_minute, write_history, zone

from edge.history import open_history
from edge.history.periods import end_of, start_of
from edge.history.records import By

pytestmark = pytest.mark.skipif(
    not hasattr(time, "tzset") or not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"),
    reason="there are no time zones to live in",
)


def utc(*moment: int) -> int:
    return calendar.timegm((*moment, 0, 0, 0)[:6])


@pytest.mark.parametrize(
    ("name", "noon", "n_hours"),
    [
        ("Europe/Berlin", utc(2026, 3, 29, 10), 23),
        ("Europe/Berlin", utc(2026, 10, 25, 11), 25),
        ("Europe/Berlin", utc(2026, 11, 20, 11), 24),
        ("Australia/Lord_Howe", utc(2026, 4, 5, 1, 30), 24.5),
        # Two midnights, and none.
        ("America/Havana", utc(2026, 11, 1, 17), 25),
        ("America/Sao_Paulo", utc(2018, 11, 4, 14), 23),
        ("Asia/Kathmandu", utc(2026, 5, 1, 6, 15), 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(name: str, noon: int, n_hours: float) -> None:
    with zone(name):
        start_s = start_of(noon, "day")
        end_s = end_of(start_s, "day")
        assert (end_s - start_s) / 3_600 == n_hours
        assert start_of(start_s, "day") == start_of(end_s - 1, "day") == start_s
        assert start_of(end_s, "day") == end_s
        assert datetime.datetime.fromtimestamp(start_s).date() == (
            datetime.datetime.fromtimestamp(noon).date()
        )


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu", "UTC"]
)
@pytest.mark.parametrize("by", ["minute", "hour", "day", "week"])
def test_periods_follow_each_other_without_a_hole(name: str, by: By) -> None:
    step = {"minute": 37, "hour": 900, "day": 3_600, "week": 86_400}[by]
    with zone(name):
        for about in (utc(2026, 3, 29), utc(2026, 4, 5), utc(2026, 10, 25), utc(2026, 11, 1)):
            time_s = start_of(about - 12 * 3_600, by)
            while time_s < about + 12 * 3_600:
                end_s = end_of(time_s, by)
                assert end_s > time_s
                within = range(int(time_s), int(end_s), step)
                assert {start_of(each, by) for each in within} == {time_s}
                time_s = end_s


def test_the_hour_that_comes_twice_is_two_hours(tmp_path: Path) -> None:
    night = utc(2026, 10, 24, 22)  # midnight in Berlin
    path = tmp_path / "a.db"
    write_history(path, {night + 60 * n: a_minute() for n in range(25 * 60)})
    with zone("Europe/Berlin"):
        hours = open_history(path).summary(night, night + 86_400 * 2, by="hour")
        days = open_history(path).summary(night, night + 86_400 * 2, by="day")
        weeks = open_history(path).summary(night, night + 86_400 * 2, by="week")
    assert [hour.heard_s for hour in hours] == [3_600] * 25
    assert [day.heard_s for day in days] == [25 * 3_600]
    # A Sunday.
    assert [week.end_s for week in weeks] == [days[0].end_s]
