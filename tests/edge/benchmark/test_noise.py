"""Whether medians differ beyond noise, of values whose neighbours are alike."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.benchmark.noise import change_of_median


def drifting(seed: int, n: int = 800) -> list[float]:
    """Times whose neighbours are alike."""
    rng = np.random.default_rng(seed)
    slow = np.zeros(n)
    for i in range(1, n):
        slow[i] = 0.95 * slow[i - 1] + rng.normal()
    return list(3 * np.exp(0.05 * slow / slow.std()))


def test_two_runs_of_the_same_thing_differ_by_noise_alone() -> None:
    runs = [drifting(i) for i in range(16)]
    found = [change_of_median(a, b).beyond_noise for i, a in enumerate(runs) for b in runs[:i]]
    assert sum(found) <= 0.1 * len(found)


def test_what_moves_more_slowly_than_a_run_is_noise_of_another_moment() -> None:
    slow = np.cumsum(np.random.default_rng(0).normal(0, 0.002, 16 * 800))
    runs = [list(3 * np.exp(part)) for part in np.split(slow, 16)]

    def n_wrong(another_moment: bool) -> int:
        return sum(
            change_of_median(a, b, another_moment=another_moment).beyond_noise
            for a, b in itertools.pairwise(runs)
        )

    assert n_wrong(another_moment=False) > 3
    assert n_wrong(another_moment=True) <= 1


def test_a_change_is_found_with_its_size() -> None:
    old = 3 * np.random.default_rng(0).lognormal(0, 0.02, 400)
    change = change_of_median(list(old), list(1.1 * old), n_compared=50)
    assert change.share == pytest.approx(0.1)
    assert 0.08 < change.low < 0.1 < change.high < 0.12


def test_of_many_figures_each_wants_more_proof() -> None:
    old, new = drifting(1), drifting(2)
    one, many = change_of_median(old, new), change_of_median(old, new, n_compared=60)
    assert many.low < one.low < one.high < many.high


def test_a_single_run_proves_nothing() -> None:
    assert not change_of_median([1.0], [9.0]).beyond_noise


def test_values_without_any_spread_are_no_trouble() -> None:
    assert not change_of_median([2.0] * 50, [2.0] * 50).beyond_noise
    assert change_of_median([2.0] * 50, [2.1] * 50).beyond_noise
    assert not change_of_median([0.0] * 50, [0.0] * 50).beyond_noise
