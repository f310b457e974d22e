from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ParameterError
from edge.stream.smoothing import Smoother, SmootherSettings

LABELS = ("calm", "happy", "sad")
CALM, HAPPY, SAD = np.eye(3)
HOP_S = 0.5


def smoother(**changes: float) -> Smoother:
    return Smoother(LABELS, settings=SmootherSettings(**changes))


def test_first_posterior_is_taken_as_it_is() -> None:
    label, posterior = smoother().update([0.2, 0.5, 0.3], HOP_S)
    assert label == "happy"
    np.testing.assert_allclose(posterior, [0.2, 0.5, 0.3])


def test_average_forgets_with_the_time_constant() -> None:
    held = smoother(time_constant_s=1.0)
    held.update(CALM, HOP_S)
    for _ in range(2):
        _, posterior = held.update(HAPPY, HOP_S)
    # Two hops of 0.5 s are one time constant.
    assert posterior[0] == pytest.approx(math.exp(-1))


def test_time_constant_means_seconds_whatever_the_hop() -> None:
    often = Smoother(LABELS, SmootherSettings(time_constant_s=1.0))
    seldom = Smoother(LABELS, SmootherSettings(time_constant_s=1.0))
    often.update(CALM, HOP_S)
    seldom.update(CALM, HOP_S)
    for _ in range(5):
        _, fine = often.update(SAD, 0.1)
    _, coarse = seldom.update(SAD, HOP_S)
    np.testing.assert_allclose(fine, coarse)


def test_zero_time_constant_does_not_average() -> None:
    plain = smoother(time_constant_s=0.0)
    plain.update(CALM, HOP_S)
    np.testing.assert_allclose(plain.update(SAD, HOP_S)[1], SAD)


def test_a_segment_weighs_as_much_as_it_holds_speech() -> None:
    held = smoother(time_constant_s=1.0)
    held.update(CALM, HOP_S, 0.25)
    _, posterior = held.update(HAPPY, HOP_S, 1.0)
    old = 0.25 * math.exp(-HOP_S)
    new = 1.0 - math.exp(-HOP_S)
    np.testing.assert_allclose(posterior, [old / (old + new), new / (old + new), 0.0])
    # Half-empty again: what was full holds on.
    _, after = held.update(CALM, HOP_S, 0.25)
    old, new = (old + new) * math.exp(-HOP_S), 0.25 * new
    assert after[1] == pytest.approx(posterior[1] * old / (old + new))


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_where_all_hold_alike_the_share_is_of_no_matter(share: float) -> None:
    plain, weighed = smoother(), smoother()
    rng = np.random.default_rng(0)
    for row in rng.dirichlet(np.ones(3), 20):
        label, posterior = plain.update(row, HOP_S)
        same, weighed_posterior = weighed.update(row, HOP_S, share)
        assert same == label
        np.testing.assert_allclose(weighed_posterior, posterior, rtol=1e-12)


def test_what_was_forgotten_weighs_nothing() -> None:
    held = smoother(time_constant_s=1.0, forget_s=1.0)
    held.update(CALM, HOP_S, 1.0)
    held.rest(2.0)
    held.update(SAD, HOP_S, 0.1)
    _, posterior = held.update(HAPPY, HOP_S, 0.1)
    gain = 1.0 - math.exp(-HOP_S)
    np.testing.assert_allclose(posterior, [0.0, gain, 1.0 - gain])


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan])
def test_a_share_of_speech_is_above_0_and_up_to_1(share: float) -> None:
    with pytest.raises(ParameterError, match=r"speech_share is .*, a share above 0 and up to 1"):
        smoother().update(CALM, HOP_S, share)


def test_small_lead_is_held_back_until_it_lasts() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.1, persist_s=1.5)
    steady.update([0.5, 0.45, 0.05], HOP_S)
    close = [0.45, 0.5, 0.05]
    assert [steady.update(close, HOP_S)[0] for _ in range(3)] == ["calm", "calm", "happy"]


def test_interrupted_lead_starts_to_count_anew() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.2, persist_s=1.0)
    steady.update([0.5, 0.45, 0.05], HOP_S)
    close, back = [0.45, 0.5, 0.05], [0.5, 0.45, 0.05]
    labels = [steady.update(p, HOP_S)[0] for p in (close, back, close, close)]
    assert labels == ["calm", "calm", "calm", "happy"]


def test_another_leader_starts_to_count_anew() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.2, persist_s=1.0)
    steady.update([0.4, 0.3, 0.3], HOP_S)
    labels = [
        steady.update(p, HOP_S)[0] for p in ([0.3, 0.4, 0.3], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4])
    ]
    assert labels == ["calm", "calm", "sad"]


def test_clear_lead_takes_over_at_once() -> None:
    steady = smoother(time_constant_s=0.0)
    steady.update(CALM, HOP_S)
    assert steady.update(SAD, HOP_S)[0] == "sad"


def test_quiet_time_ages_the_average_and_counts_for_no_label() -> None:
    steady = smoother(time_constant_s=1.0, persist_s=1.0)
    steady.update([0.5, 0.45, 0.05], HOP_S)
    steady.rest(1.5)
    label, posterior = steady.update([0.45, 0.5, 0.05], HOP_S)
    assert label == "calm"
    weight = math.exp(-2.0)
    assert posterior[0] == pytest.approx(0.5 * weight + 0.45 * (1 - weight))
    # Half a second of leading before, half now.
    assert steady.update([0.45, 0.5, 0.05], HOP_S)[0] == "happy"


@pytest.mark.parametrize("quiet_s", [5.0, 10.0, 3600.0])
def test_long_quiet_forgets_the_label(quiet_s: float) -> None:
    steady = smoother()
    for _ in range(20):
        steady.update([0.5, 0.45, 0.05], HOP_S)
    for _ in range(round(quiet_s / HOP_S)):
        steady.rest(HOP_S)
    label, posterior = steady.update([0.45, 0.5, 0.05], HOP_S)
    assert label == "happy"
    np.testing.assert_array_equal(posterior, [0.45, 0.5, 0.05])


def test_a_pause_does_not_forget_the_label() -> None:
    steady = smoother()
    steady.update([0.5, 0.45, 0.05], HOP_S)
    steady.rest(4.5)
    assert steady.update([0.45, 0.5, 0.05], HOP_S)[0] == "calm"


def test_quiet_time_counts_once() -> None:
    steady = smoother(time_constant_s=1.0, lead=1.0, persist_s=60.0)
    steady.update(CALM, HOP_S)
    for _ in range(3):
        steady.rest(2.0)
        label, posterior = steady.update(SAD, HOP_S)
    assert label == "calm"
    assert posterior[0] == pytest.approx(math.exp(-3 * 2.5))


def test_what_is_forgotten_leads_no_longer() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.2, persist_s=1.0)
    calm, close = [0.5, 0.45, 0.05], [0.45, 0.5, 0.05]
    steady.update(calm, HOP_S)
    steady.update(close, HOP_S)
    steady.rest(10.0)
    labels = [steady.update(p, HOP_S)[0] for p in (calm, close, close)]
    assert labels == ["calm", "calm", "happy"]


def test_a_lead_of_just_that_much_is_enough() -> None:
    steady = smoother(time_constant_s=0.0, lead=0.25)
    steady.update([0.5, 0.375, 0.125], HOP_S)
    assert steady.update([0.25, 0.5, 0.25], HOP_S)[0] == "happy"


def test_persistence_is_not_missed_by_rounding() -> None:
    # Ten times 0.1 is 0.9999999999999999.
    steady = smoother(time_constant_s=0.0, persist_s=1.0)
    steady.update([0.5, 0.45, 0.05], 0.1)
    labels = [steady.update([0.45, 0.5, 0.05], 0.1)[0] for _ in range(10)]
    assert labels == ["calm"] * 9 + ["happy"]


def test_quiet_before_any_speech_is_not_remembered() -> None:
    steady = smoother()
    steady.rest(100.0)
    assert steady.update(CALM, HOP_S)[0] == "calm"


def judged(hop_s: float, rows: np.ndarray, row_hop_s: float) -> list[str]:
    steady = Smoother(LABELS)
    step = round(hop_s / row_hop_s)
    return [steady.update(row, hop_s)[0] for row in rows[::step]]


def test_a_shorter_hop_is_not_jumpier() -> None:
    # Ten minutes of two labels that are level: what a segment of 2 s says is the mean of
    # independent noise over the segment.
    hop_s = 0.128
    noise = np.random.default_rng(3).normal(0, 1, 4688 + 15)
    share = 0.45 + 0.1 * np.convolve(noise, np.ones(16) / 4, "valid")
    rows = np.stack([share, 0.9 - share, np.full_like(share, 0.1)], axis=1).clip(0, 1)
    flickers = {}
    for each in (0.128, 0.256, 0.512):
        labels = judged(each, rows, hop_s)
        flickers[each] = sum(a != b for a, b in itertools.pairwise(labels))
    assert flickers[0.512] > 20
    assert flickers[0.128] <= 1.1 * flickers[0.512]
    assert flickers[0.256] <= 1.1 * flickers[0.512]


@pytest.mark.parametrize("hop_s", [0.128, 0.256, 0.512])
def test_a_small_lead_takes_over_after_the_same_time(hop_s: float) -> None:
    steady = Smoother(LABELS, SmootherSettings(time_constant_s=0.0))
    steady.update([0.48, 0.42, 0.1], hop_s)
    n = 1
    while steady.update([0.42, 0.48, 0.1], hop_s)[0] == "calm":
        n += 1
    assert n * hop_s == pytest.approx(1.536)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_reset_equals_a_fresh_object(history: list[tuple[int, bool]]) -> None:
    used, fresh = smoother(), smoother()
    for label, speech in history:
        if speech:
            used.update(np.eye(3)[label], HOP_S)
        else:
            used.rest(HOP_S)
    used.reset()
    for label, speech in history:
        if not speech:
            used.rest(2.0)
            fresh.rest(2.0)
            continue
        ours, theirs = (s.update(np.eye(3)[label], HOP_S) for s in (used, fresh))
        assert ours[0] == theirs[0]
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_caller_cannot_reach_the_state() -> None:
    steady = smoother()
    row = np.array([0.2, 0.6, 0.2])
    _, out = steady.update(row, HOP_S)
    row[:], out[:] = 0, [0.0] * 3
    np.testing.assert_allclose(steady.update([0.2, 0.6, 0.2], HOP_S)[1], [0.2, 0.6, 0.2])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"time_constant_s": -1.0}, "time_constant_s is -1.0"),
        ({"time_constant_s": math.nan}, "time_constant_s is nan"),
        ({"forget_s": math.inf}, "forget_s is inf"),
        ({"lead": 1.1}, "lead is 1.1"),
        ({"persist_s": -1.0}, "persist_s is -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, float], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        SmootherSettings(**changes)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ParameterError, match="labels are empty"):
        Smoother(())
    for wrong in (-0.1, math.nan, math.inf):
        with pytest.raises(ParameterError, match="elapsed_s is"):
            smoother().update(CALM, wrong)
        with pytest.raises(ParameterError, match="elapsed_s is"):
            smoother().rest(wrong)
    with pytest.raises(ParameterError, match=r"shape \(2,\), \(3,\) is wanted"):
        smoother().update([0.5, 0.5], HOP_S)
