"""Ratios of medians, their intervals, and methods that take turns."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shared.interleaved import (
    Bar,
    Times,
    bar_row,
    barred,
    in_turn,
    installed,
    ratio,
    ratio_lines,
    time_lines,
)


def test_a_ratio_is_of_medians_and_lies_in_its_interval() -> None:
    rng = np.random.default_rng(1)
    # What disturbs a round disturbs both: three times as long, whatever the machine does.
    disturbed = rng.lognormal(0.0, 0.5, 101)
    found, low, high = ratio(3 * disturbed, disturbed)
    assert (found, low, high) == pytest.approx((3.0, 3.0, 3.0))
    noisy = 3 * disturbed * rng.lognormal(0.0, 0.1, 101)
    found, low, high = ratio(noisy, disturbed)
    assert low < found < high
    assert high - low < 1.5
    # Drawn each for itself, the disturbance does not cancel.
    _, apart_low, apart_high = ratio(noisy, disturbed, paired=False)
    assert apart_high - apart_low > high - low


def test_sides_of_several_lengths_are_drawn_apart() -> None:
    found, low, high = ratio([10.0, 11.0, 12.0], [1.0, 1.0, 1.0, 1.0, 1.0], paired=False)
    assert (found, low, high) == (11.0, 10.0, 12.0)


def test_bars_are_held_on_their_side() -> None:
    more, less = Bar("a", "x", "y", 5.0), Bar("b", "x", "y", 3.0, at_least=False)
    said = Bar("c", "x", "y")
    assert [bar_row(bar, [4.0], [1.0])["met"] for bar in (more, less, said)] == [
        *(False, False, None),
    ]
    assert [bar_row(bar, [6.0], [1.2])["met"] for bar in (more, less)] == [True, False]
    assert bar_row(less, [3.0], [1.0])["met"] is True
    lines = ratio_lines([bar_row(more, [4.0], [1.0]), bar_row(less, [1.0], [1.0])])
    assert lines[1].endswith(">= 5  NOT MET")
    assert lines[2].endswith("<= 3  met")


def test_only_rounds_of_both_are_divided() -> None:
    often = Times("often", {0: 1.0, 1: 9.0, 2: 1.0}, {0: 1.0, 1: 1.0, 2: 1.0})
    seldom = Times("seldom", {0: 8.0, 2: 8.0}, {0: 6.0, 2: 6.0})
    bars = [Bar("a", "seldom", "often"), Bar("b", "missing", "often", 2.0)]
    (row,) = barred(bars, {"often": often, "seldom": seldom}, [0, 1, 2])
    assert row["ratio"] == 8.0
    assert row["ratio_of_cpu"] == 6.0
    assert not barred(bars, {"often": often, "seldom": seldom}, [1])


def test_methods_take_turns() -> None:
    calls: list[tuple[str, int]] = []
    methods = {
        name: (name, lambda at, name=name: calls.append((name, at))) for name in ("a", "b", "slow")
    }
    times = in_turn(methods, 4, seed=0, seldom={"slow": 2}, n_warm_up=1)
    assert calls.count(("a", -1)) == calls.count(("a", 3)) == calls.count(("b", 0)) == 2
    assert [at for name, at in calls if name == "slow"] == [0, 2]
    assert list(times["a"].ms) == list(times["a"].cold_ms) == [0, 1, 2, 3]
    assert not times["slow"].cold_ms
    orders = {tuple(name for name, at in calls[::2] if at == n and name != "slow") for n in (1, 3)}
    assert orders <= {("a", "b"), ("b", "a")}
    summed = {name: each.of([0, 2]) for name, each in times.items()}
    assert summed["a"]["n"] == summed["slow"]["n"] == 2
    assert "cold_p50" in summed["a"]
    assert "cold_p50" not in summed["slow"]
    assert len(time_lines(summed)) == 4


def test_what_is_not_installed_has_no_version() -> None:
    found = installed(["numpy", "no-such-package-anywhere"])
    assert found == {"numpy": np.__version__, "no-such-package-anywhere": None}
