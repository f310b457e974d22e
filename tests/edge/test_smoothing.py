from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ParameterError
from edge.stream.smoothing import Smoother, SmootherSettings

LABELS = ("calm", "happy", "sad")
CALM, HAPPY, SAD = np.eye(3)


def smoother(**changes: float) -> Smoother:
    return Smoother(LABELS, hop_s=0.5, settings=SmootherSettings(**changes))


def test_first_posterior_is_taken_as_it_is() -> None:
    label, posterior = smoother().update([0.2, 0.5, 0.3])
    assert label == "happy"
    np.testing.assert_allclose(posterior, [0.2, 0.5, 0.3])


def test_average_forgets_with_the_time_constant() -> None:
    held = smoother(time_constant_s=1.0)
    held.update(CALM)
    for _ in range(2):
        _, posterior = held.update(HAPPY)
    # Two hops of 0.5 s are one time constant.
    assert posterior[0] == pytest.approx(math.exp(-1))


def test_time_constant_means_seconds_whatever_the_hop() -> None:
    often = Smoother(LABELS, 0.1, SmootherSettings(time_constant_s=1.0))
    seldom = Smoother(LABELS, 0.5, SmootherSettings(time_constant_s=1.0))
    often.update(CALM)
    seldom.update(CALM)
    for _ in range(5):
        _, fine = often.update(SAD)
    _, coarse = seldom.update(SAD)
    np.testing.assert_allclose(fine, coarse)


def test_zero_time_constant_does_not_average() -> None:
    plain = smoother(time_constant_s=0.0)
    plain.update(CALM)
    np.testing.assert_allclose(plain.update(SAD)[1], SAD)


def test_small_lead_is_held_back_until_it_lasts() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.1, persist=3)
    steady.update([0.5, 0.45, 0.05])
    close = [0.45, 0.5, 0.05]
    assert [steady.update(close)[0] for _ in range(3)] == ["calm", "calm", "happy"]


def test_interrupted_lead_starts_to_count_anew() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.2, persist=2)
    steady.update([0.5, 0.45, 0.05])
    close, back = [0.45, 0.5, 0.05], [0.5, 0.45, 0.05]
    labels = [steady.update(p)[0] for p in (close, back, close, close)]
    assert labels == ["calm", "calm", "calm", "happy"]


def test_another_leader_starts_to_count_anew() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.2, persist=2)
    steady.update([0.4, 0.3, 0.3])
    labels = [steady.update(p)[0] for p in ([0.3, 0.4, 0.3], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4])]
    assert labels == ["calm", "calm", "sad"]


def test_clear_lead_takes_over_at_once() -> None:
    steady = smoother(time_constant_s=0.0)
    steady.update(CALM)
    assert steady.update(SAD)[0] == "sad"


def test_quiet_segment_moves_nothing() -> None:
    steady = smoother()
    _, before = steady.update([0.2, 0.6, 0.2])
    label, during = steady.update(SAD, speech=False)
    assert label == "happy"
    np.testing.assert_array_equal(during, before)
    plain = smoother()
    plain.update([0.2, 0.6, 0.2])
    np.testing.assert_array_equal(steady.update(CALM)[1], plain.update(CALM)[1])


def test_quiet_before_any_speech_is_not_remembered() -> None:
    steady = smoother()
    assert steady.update(SAD, speech=False)[0] == "sad"
    assert steady.update(CALM)[0] == "calm"


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_reset_equals_a_fresh_object(history: list[tuple[int, bool]]) -> None:
    used, fresh = smoother(), smoother()
    for label, speech in history:
        used.update(np.eye(3)[label], speech)
    used.reset()
    for label, speech in history:
        ours, theirs = (s.update(np.eye(3)[label], speech) for s in (used, fresh))
        assert ours[0] == theirs[0]
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_caller_cannot_reach_the_state() -> None:
    steady = smoother()
    row = np.array([0.2, 0.6, 0.2])
    _, out = steady.update(row)
    row[:] = out[:] = 0
    np.testing.assert_allclose(steady.update([0.2, 0.6, 0.2])[1], [0.2, 0.6, 0.2])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"time_constant_s": -1.0}, "time_constant_s is -1.0"),
        ({"time_constant_s": math.nan}, "time_constant_s is nan"),
        ({"lead": 1.1}, "lead is 1.1"),
        ({"persist": 0}, "persist is 0"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, float], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        SmootherSettings(**changes)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ParameterError, match="labels are empty"):
        Smoother((), 0.5)
    with pytest.raises(ParameterError, match="hop_s is 0"):
        Smoother(LABELS, 0)
    with pytest.raises(ParameterError, match=r"shape \(2,\), \(3,\) is wanted"):
        smoother().update([0.5, 0.5])
