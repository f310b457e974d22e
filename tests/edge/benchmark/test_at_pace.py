"""A machine that is not as fast at one time as at another is no change of the program."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from edge.benchmark.at_pace import Paced, PacedChange, change_at_pace

#: What 33 figures of one report ask of each.
N_FIGURES = 33
N_RUNS, ROUND = 1600, 150

Pace = Callable[[np.ndarray, float], np.ndarray]

#: How much longer the machine takes, over a run from 0 to 1 that begins at ``phase``.
PACES: dict[str, Pace] = {
    "steady": lambda t, phase: np.ones_like(t),
    "swings within a run": lambda t, phase: 1.25 + 0.25 * np.sin(2 * np.pi * (3 * t + phase)),
    "swings once in three runs": lambda t, phase: 1.25 + 0.25 * np.sin(2 * np.pi * (t / 3 + phase)),
    "drifts": lambda t, phase: 1 + 0.4 * phase + 0.3 * t,
    "jumps in the middle": lambda t, phase: np.where(t < phase, 1.0, 1.5),
}


def run(pace: Pace, seed: int, factor: float = 1.0, follows: float = 1.0) -> Paced:
    """A run of a program that takes ``factor`` as long, on a machine of that pace."""
    rng = np.random.default_rng(seed)
    slower = pace(np.linspace(0, 1, N_RUNS), rng.uniform(0.2, 0.8))
    values = 3 * factor * slower**follows * rng.lognormal(0, 0.05, N_RUNS)
    work = 0.2 * slower * rng.lognormal(0, 0.03, N_RUNS)
    # Now and then something else runs.
    values[rng.integers(N_RUNS, size=40)] *= 3
    work[rng.integers(N_RUNS, size=40)] *= 5
    return Paced(list(values), list(work))


def is_beyond_noise(change: PacedChange) -> bool:
    return change.low > 0 or change.high < 0


@pytest.mark.parametrize("follows", [0.5, 1.0, 1.6])
@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_the_pace_of_the_machine_is_no_change(pace: Pace, follows: float) -> None:
    runs = [run(pace, seed, follows=follows) for seed in range(8)]
    found = [change_at_pace(a, b, N_FIGURES) for a, b in itertools.combinations(runs, 2)]
    assert not any(map(is_beyond_noise, found))
    # Nor is that because nothing could be seen.
    assert np.median([change.high - change.low for change in found]) < 0.2


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_a_slower_program_is_found_whatever_the_pace(pace: Pace) -> None:
    old = [run(pace, seed) for seed in range(6)]
    new = [run(pace, 100 + seed, factor=1.2) for seed in range(6)]
    found = [change_at_pace(a, b, N_FIGURES) for a in old for b in new]
    assert [round(change.share, 1) for change in found] == [0.2] * len(found)
    assert all(change.low > 0.05 for change in found)


def test_a_slower_clock_that_stands_still_is_divided_out_in_proportion() -> None:
    def slow(t: np.ndarray, phase: float) -> np.ndarray:
        return np.full_like(t, 1.5)

    change = change_at_pace(run(PACES["steady"], 1), run(slow, 2), N_FIGURES)
    assert change.follows == pytest.approx(1.0, abs=0.1)
    assert change.share == pytest.approx(0.0, abs=0.03)
    assert not is_beyond_noise(change)
    # Nothing was learned of how much it follows, and the interval says so.
    same = change_at_pace(run(slow, 1), run(slow, 2), N_FIGURES)
    assert change.high - change.low > 2 * (same.high - same.low)


def test_how_much_a_figure_follows_is_learned_within_the_runs() -> None:
    pace = PACES["swings within a run"]
    for follows in (0.5, 1.0, 1.6):
        change = change_at_pace(run(pace, 1, follows=follows), run(pace, 2, follows=follows))
        assert change.follows == pytest.approx(follows, abs=0.1)


def test_a_handful_of_values_has_an_interval_that_says_so() -> None:
    old, new = Paced([300.0, 310, 305, 320, 300], [0.1] * 5), Paced([330.0] * 5, [0.1] * 5)
    few = change_at_pace(old, new, N_FIGURES)
    many = change_at_pace(Paced(old.values * 40, [0.1] * 200), Paced([330.0] * 200, [0.1] * 200))
    assert few.low < 0 < few.high
    assert few.high - few.low > 2 * (many.high - many.low)


def test_there_need_not_be_as_many_of_the_pace() -> None:
    pace = PACES["jumps in the middle"]
    old, new = run(pace, 1), run(pace, 2)
    fewer = [Paced(each.values, each.pace_ms[::4]) for each in (old, new)]
    assert change_at_pace(*fewer).share == pytest.approx(change_at_pace(old, new).share, abs=0.02)
