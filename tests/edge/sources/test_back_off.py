"""When a microphone is tried again."""

from __future__ import annotations

import itertools

import pytest

from edge.sources.back_off import BackOff


def tries(back_off: BackOff, from_s: float, to_s: float) -> list[float]:
    """When it is due, looking ten times a second, each try failing at once."""
    due = []
    for tenth in range(round(10 * from_s), round(10 * to_s)):
        if back_off.is_due(tenth / 10):
            due.append(tenth / 10)
            back_off.failed(tenth / 10)
    return due


def test_tries_come_less_and_less_often() -> None:
    back_off = BackOff(0.0, lambda: None, first_s=0.5)
    assert tries(back_off, 0, 60) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 26.0, 36.0, 46.0, 56.0]


def test_the_first_may_be_at_once() -> None:
    assert tries(BackOff(0.0, lambda: None), 0, 2) == [0.0, 0.5, 1.5]


def test_something_new_is_tried_at_once_and_eagerly_for_a_while() -> None:
    seen = [0]
    back_off = BackOff(0.0, lambda: seen[0], first_s=0.5)
    tries(back_off, 0, 100)
    seen[0] = 1
    due = tries(back_off, 101, 117)
    assert due[:3] == [101.0, 101.5, 102.5]
    assert max(later - due for due, later in itertools.pairwise(due)) == pytest.approx(1.0)
    # And then no more than before.
    assert len(tries(back_off, 117, 177)) <= 7
