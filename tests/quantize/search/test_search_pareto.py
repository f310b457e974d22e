"""The front, the constraints and the choice."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_fakes import candidate

from edge.errors import ParameterError
from quantize.search.candidates import Latency, candidates_of
from quantize.search.pareto import SAME_TIME, Constraints, choose, pareto_front
from quantize.search.picture import size_front


def names(candidates):
    return [each.name for each in candidates]


def test_the_front_is_what_no_other_beats():
    small = candidate("small", 50, 0.70, 1.0)
    middle = candidate("middle", 100, 0.75, 2.0)
    large = candidate("large", 400, 0.80, 3.0)
    worse = candidate("worse", 120, 0.74, 2.5)
    # Neither small nor accurate, but faster than all.
    fast = candidate("fast", 450, 0.60, 0.5)
    found = pareto_front([worse, large, fast, small, middle])
    assert names(found) == ["large", "fast", "small", "middle"]
    assert names(size_front([worse, large, fast, small, middle])) == ["small", "middle", "large"]


def test_equals_are_all_on_the_front_and_a_tie_in_two_is_decided_by_the_third():
    one, other = candidate("one", 50, 0.7, 1.0), candidate("other", 50, 0.7, 1.0)
    assert names(pareto_front([one, other])) == ["one", "other"]
    slower = dataclasses.replace(other, ms=1.1)
    assert names(pareto_front([one, slower])) == ["one"]
    # Two measurements of one artifact differ by as much.
    assert names(pareto_front([one, dataclasses.replace(other, ms=1.04)])) == ["one", "other"]
    smaller = dataclasses.replace(other, model_bytes=49_000, ms=1.04)
    assert names(pareto_front([one, smaller])) == ["other"]
    # What was not timed is slower than all that were.
    assert names(pareto_front([dataclasses.replace(one, ms=None), slower])) == ["other"]


def test_a_front_of_one_and_of_none():
    assert names(pareto_front([candidate("one", 50, 0.7, 1.0)])) == ["one"]
    assert pareto_front([]) == ()


def test_a_chain_of_small_steps_does_not_leave_only_the_slowest():
    chain = [candidate(f"step-{i}", 100 - i, 0.7, 1.04**i) for i in range(11)]
    front = names(pareto_front(chain))
    # Each step is 4 % slower, and two of them are no longer the same time.
    assert front == [f"step-{i}" for i in range(0, 11, 2)]
    # Who is left out is no more than 5 % faster than somebody smaller who stays.
    assert names(pareto_front(chain[::-1])) == front[::-1]


@st.composite
def any_candidates(draw):
    """Few values of each, so that ties, chains and beaten ones are common."""
    figures = st.tuples(
        st.integers(40, 46),
        st.sampled_from([0.6, 0.7, 0.8]),
        st.none() | st.integers(0, 12).map(lambda step: 1.03**step),
    )
    drawn = draw(st.lists(figures, min_size=1, max_size=14))
    return [candidate(f"c{i}", kb, accuracy, ms) for i, (kb, accuracy, ms) in enumerate(drawn)]


def is_as_good(one, other):
    time, other_time = (float("inf") if each.ms is None else each.ms for each in (one, other))
    return one.kb <= other.kb and one.accuracy >= other.accuracy and time <= SAME_TIME * other_time


@given(any_candidates(), st.randoms())
def test_a_front_is_never_empty_and_who_is_left_out_is_no_better_than_one_on_it(given_ones, random):
    front = pareto_front(given_ones)
    assert front
    on_it = set(names(front))
    for each in given_ones:
        if each.name not in on_it:
            assert any(is_as_good(other, each) for other in front)
    # Nobody on it is beaten by another on it: smaller or more accurate, and as good besides.
    for one, other in itertools.permutations(front, 2):
        if one.kb < other.kb or one.accuracy > other.accuracy:
            assert not is_as_good(one, other)
    # The order in which they come is no matter.
    mixed = list(given_ones)
    random.shuffle(mixed)
    assert set(names(pareto_front(mixed))) == on_it
    # Adding one that is left out, or taking it away, changes nothing.
    assert set(names(pareto_front(front))) == on_it


def test_the_most_accurate_that_meets_every_constraint_is_chosen():
    candidates = [
        candidate("best", 400, 0.80, 3.0),
        candidate("large", 101, 0.799, 1.0),
        candidate("slow", 80, 0.798, 2.1),
        candidate("bad", 60, 0.78, 1.0),
        candidate("good", 99, 0.795, 1.9),
        candidate("lesser", 40, 0.791, 1.0),
    ]
    choice = choose(candidates, Constraints(100, 1.0, 2))
    assert choice.chosen.name == "good"
    assert choice.nearest is None
    assert "the most accurate of the 2 of 6 that meet" in choice.sentence
    assert "99.0 kB, accuracy 79.5 %, 0.5 points below the reference, 1.90 ms" in choice.sentence
    assert choice.missed["best"] == pytest.approx({"--max-kb": 300, "--max-ms": 1})
    assert choice.missed["bad"] == pytest.approx({"--max-drop": 1})
    assert choice.missed["good"] == {}
    assert choose(candidates, Constraints(max_ms=9)).chosen.name == "large"


def test_limits_themselves_are_met():
    candidates = [candidate("one", 100, 0.79, 2.0)]
    assert choose(candidates, Constraints(100, 1.0, 2)).chosen is candidates[0]


@pytest.mark.parametrize(
    ("accuracy", "chosen"), [(0.7995, "small"), (0.799, "small"), (0.798, "large")]
)
def test_a_tenth_of_a_point_is_no_reason_to_take_a_larger_file(accuracy, chosen):
    candidates = [candidate("large", 400, 0.80, 1.0), candidate("small", 90, accuracy, 2.0)]
    assert choose(candidates, Constraints()).chosen.name == chosen


def test_of_equal_files_the_faster_is_chosen():
    candidates = [candidate("slow", 90, 0.80, 2.0), candidate("fast", 90, 0.80, 1.0)]
    assert choose(candidates, Constraints()).chosen.name == "fast"


def test_when_none_meets_them_the_nearest_says_by_how_much():
    candidates = [candidate("near", 112.4, 0.788, 1.0), candidate("far", 400, 0.80, 3.0)]
    choice = choose(candidates, Constraints(100, 1.0, 2))
    assert choice.chosen is None
    assert choice.nearest.name == "near"
    assert "No artifact meets the constraints; the nearest, near as numpy-int8" in choice.sentence
    assert choice.sentence.endswith(
        "is 12.40 kB over --max-kb 100 and 0.20 points over --max-drop 1."
    )
    assert choose([], Constraints(100)).sentence == "No artifact could be measured."


def test_what_was_not_timed_meets_no_time():
    assert choose([candidate("one", 50, 0.8, None)], Constraints(max_ms=100)).chosen is None


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"max_kb": 0}, "--max-kb is 0, a finite number above 0 is wanted"),
        ({"max_ms": float("nan")}, "--max-ms is nan, a finite number above 0"),
        ({"max_drop": -1.0}, "--max-drop is -1.0, a finite number of 0 or more"),
        ({"max_drop": float("inf")}, "--max-drop is inf, a finite number of 0 or more"),
    ],
)
def test_limits_that_are_none_are_refused(limits, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Constraints(**limits)
    assert Constraints(max_drop=0).items() == [("--max-drop", 0, "points")]


def result(run, kind, accuracy, answers, **more):
    return {
        "run": run,
        "kind": kind,
        "name": f"{run}--{kind}",
        "status": "measured",
        "hidden": 8,
        "model_bytes": None if kind == "torch" else 1000,
        "folder_bytes": None if kind == "torch" else 1100,
        "n": 4,
        "accuracy": accuracy,
        "uar": accuracy,
        "by_corpus": {},
        "answers": answers,
        **more,
    }


def test_answers_of_more_than_ten_labels_are_told_apart():
    results = [
        result("many", "torch", 0.5, "1 11 0 2"),
        result("many", "numpy-int8", 0.5, "11 1 0 2"),
        result("many", "onnx-int8", 0.5, "1 11 0 12"),
    ]
    agreement = [each.agreement for each in candidates_of(results, {})]
    assert agreement == [1.0, 0.5, 0.75]


def test_rows_are_held_against_the_first_run_and_their_own():
    results = [
        result("full", "torch", 0.75, "0 1 2 3"),
        result("tiny", "torch", 0.5, "0 1 1 1"),
        result("full", "numpy-int8", 0.75, "0 1 2 0"),
        {"run": "full", "kind": "onnx-int8", "name": "full--onnx-int8", "status": "failed"},
        result("tiny", "numpy-int8", 0.5, "0 1 1 1"),
        result("tiny", "onnx-int8", 1.0, "1 1 1 1"),
    ]
    latencies = {
        "full--torch": Latency(6.0, 7.0, 8.0),
        "full--numpy-int8": Latency(3.0, 4.0, 5.0),
        "tiny--numpy-int8": Latency(1.0, 2.0, 3.0),
    }
    candidates = {each.name: each for each in candidates_of(results, latencies)}
    assert "full--onnx-int8" not in candidates
    tiny = candidates["tiny--numpy-int8"]
    assert (tiny.drop, tiny.uar_drop) == (25.0, 25.0)
    assert (tiny.agreement, candidates["full--numpy-int8"].agreement) == (1.0, 0.75)
    assert (tiny.ms, tiny.ms_p90, tiny.ms_wall) == (1.0, 2.0, 3.0)
    assert (tiny.times_faster, tiny.times_faster_same_kind) == (6.0, 3.0)
    # Above the reference, and never timed.
    other = candidates["tiny--onnx-int8"]
    assert (other.drop, other.ms, other.times_faster) == (-25.0, None, None)
    assert other.agreement == 0.75
