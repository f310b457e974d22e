"""Events: what a run of labels comes to, against a second way to say it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ParameterError
from edge.stream.decision import Decision
from edge.stream.events import Event, EventSettings, EventTracker

HOP_S, SEGMENT_S = 0.5, 2.0
#: h, s: a label; u: unsure; n, q: no speech, quiet; g: a gap of a hop.
STATES = {"h": "speech", "s": "speech", "u": "uncertain", "n": "no-speech", "q": "quiet"}
LABELS = {"h": "happy", "s": "sad"}


def decisions(letters: str, probabilities: Sequence[float] | None = None) -> list[Decision]:
    """One decision a letter, each half a second on; a gap forgets what was before it."""
    made, heard_s, since_s = [], 0.0, 0.0
    for letter, probability in zip(letters, probabilities or [0.5] * len(letters), strict=True):
        if letter == "g":
            heard_s += HOP_S
            made.append(
                Decision(heard_s - HOP_S, heard_s, "gap", None, None, None, None, 8000,
                         time_s=1e9 + heard_s)
            )  # fmt: skip
            since_s = heard_s
            continue
        # The first behind a gap is a whole segment, the others a hop further.
        heard_s += SEGMENT_S if heard_s == since_s else HOP_S
        label = LABELS.get(letter)
        posterior = {name: (probability if name == label else 0.1) for name in LABELS.values()}
        made.append(
            Decision(heard_s - SEGMENT_S, heard_s, STATES[letter], label,
                     posterior if letter in "hsu" else None, label, -20.0, time_s=1e9 + heard_s)
        )  # fmt: skip
    return made


def events_of(made: Sequence[Decision], min_s: float, merge_s: float) -> list[Event]:
    tracker = EventTracker(EventSettings(min_s, merge_s))
    told = [event for decision in made for event in tracker.push(decision)]
    return told + tracker.finish()


def ends(made: Sequence[Event]) -> list[tuple[str, float, float | None]]:
    return [(e.label, e.start_s, e.end_s) for e in made if e.event == "end"]


@pytest.mark.parametrize(
    ("letters", "wanted"),
    [
        # The first decision speaks for its whole segment, the others for a hop.
        ("h", [("happy", 0.0, 2.0)]),
        ("nh", []),
        ("nhh", [("happy", 2.0, 3.0)]),
        ("nhhnhh", [("happy", 2.0, 4.5)]),
        ("nhhnnh", [("happy", 2.0, 4.5)]),
        ("nhhnnnhh", [("happy", 2.0, 3.0), ("happy", 4.5, 5.5)]),
        ("nhhqunh", [("happy", 2.0, 3.0)]),
        ("nhhuh", [("happy", 2.0, 4.0)]),
        ("nhhshh", [("happy", 2.0, 4.5)]),
        ("nhhsshh", [("happy", 2.0, 3.0), ("sad", 3.0, 4.0), ("happy", 4.0, 5.0)]),
        # A gap is a break however short.
        ("nhhghh", [("happy", 2.0, 3.0), ("happy", 3.5, 6.0)]),
        ("nhsnhsnhs", []),
        ("", []),
        ("ggg", []),
    ],
)
def test_what_is_an_event(letters: str, wanted: list[object]) -> None:
    assert ends(events_of(decisions(letters), 1.0, 1.0)) == wanted


def test_a_start_is_told_once_the_label_held_and_an_end_once_it_is_sure() -> None:
    tracker = EventTracker(EventSettings(1.0, 1.0))
    told = [[e.event for e in tracker.push(d)] for d in decisions("nhhhnnnn")]
    assert told == [[], [], ["start"], [], [], [], ["end"], []]
    assert tracker.finish() == []


def test_numbers_and_times_of_an_event() -> None:
    made = decisions("nhhnhs", [0, 0.5, 0.75, 0, 0.25, 0.9])
    start, end = events_of(made, 1.0, 1.0)
    assert (start.start_s, start.end_s, start.time_s) == (2.0, None, 1e9 + 2.0)
    assert (start.peak, start.mean_probability) == (0.75, 0.625)
    assert (end.start_s, end.end_s, end.time_s) == (2.0, 4.0, 1e9 + 4.0)
    assert (end.peak, end.mean_probability) == (0.75, 0.5)
    assert list(start.to_dict()) == [
        "version", "type", "time", "event", "label", "start_s", "end_s", "peak",
        "mean_probability",
    ]  # fmt: skip
    assert start.to_dict()["end_s"] is None


def test_the_first_decision_of_all_began_a_segment_ago() -> None:
    start, end = events_of(decisions("h"), 1.0, 1.0)
    assert (start.start_s, start.time_s) == (0.0, 1e9)
    assert (end.end_s, end.time_s) == (2.0, 1e9 + 2.0)


def test_skipped_hops_are_no_break() -> None:
    made = decisions("nhhhhhh")
    del made[3:5]
    assert ends(events_of(made, 1.0, 0.0)) == [("happy", 2.0, 5.0)]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "1", None, True])
def test_settings_are_seconds(value: object) -> None:
    with pytest.raises(ParameterError, match=r"min_s is .* seconds from 0 is wanted"):
        EventSettings(min_s=value)
    with pytest.raises(ParameterError, match=r"merge_s is .* seconds from 0 is wanted"):
        EventSettings(merge_s=value)


def reference(
    made: Sequence[Decision], min_s: float, merge_s: float
) -> list[tuple[str, float, float]]:
    """The same from the whole: runs first, then which of them begin and which go on."""
    runs: list[tuple[str, float, float, int]] = []
    heard_s, part = 0.0, 0
    for decision in made:
        start_s = max(decision.start_s, heard_s)
        heard_s = decision.end_s
        if decision.state == "gap":
            part += 1
        elif decision.label is not None:
            if runs and runs[-1][0] == decision.label and runs[-1][2:] == (start_s, part):
                runs[-1] = (decision.label, runs[-1][1], heard_s, part)
            else:
                runs.append((decision.label, start_s, heard_s, part))
    found, first = [], 0
    while first < len(runs):
        label, start_s, end_s, part = runs[first]
        first += 1
        if end_s - start_s < min_s - 1e-6:
            continue
        for n, (other, other_start_s, other_end_s, other_part) in enumerate(runs[first:], first):
            if other_part != part or other_start_s - end_s > merge_s + 1e-6:
                break
            if other == label:
                end_s, first = other_end_s, n + 1
            elif other_end_s - other_start_s >= min_s - 1e-6:
                break
        found.append((label, start_s, end_s))
    return found


@settings(max_examples=400, deadline=None)
@given(
    st.text("hhhsssunqg", max_size=40),
    st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.0]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_events_alternate_never_overlap_and_are_the_merged_runs(
    letters: str, min_s: float, merge_s: float
) -> None:
    made = decisions(letters)
    told = events_of(made, min_s, merge_s)
    assert [event.event for event in told] == ["start", "end"] * (len(told) // 2)
    for start, end in zip(told[::2], told[1::2], strict=True):
        assert (start.label, start.start_s, start.end_s) == (end.label, end.start_s, None)
        assert end.end_s is not None
        assert end.end_s - end.start_s >= min_s
        assert 0.0 <= end.mean_probability <= end.peak <= 1.0
    bounds = [bound for event in told[1::2] for bound in (event.start_s, event.end_s or 0.0)]
    assert bounds == sorted(bounds)
    assert ends(told) == reference(made, min_s, merge_s)
    # Nobody is told of a later beginning before an earlier ending, in time of day as well.
    times = [event.time_s or 0.0 for event in told]
    assert times == sorted(times)
