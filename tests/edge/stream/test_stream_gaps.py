"""Samples that were lost: what a stream says about them, and that nothing straddles them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import fake_classifier, voice

from edge.errors import ParameterError
from edge.stream.decision import Decision, Timing

CLIP = voice(70_000)
SEGMENT, HOP = 31_744, 8192


def timeless(decisions: list[Decision]) -> list[Decision]:
    return [dataclasses.replace(d, timing=Timing()) for d in decisions]


def shifted(decisions: list[Decision], n_samples: int) -> list[Decision]:
    """The same decisions, later; the clock is divided once, as in a stream."""

    def later(time_s: float) -> float:
        return (round(time_s * 16_000) + n_samples) / 16_000

    return [
        dataclasses.replace(d, start_s=later(d.start_s), end_s=later(d.end_s)) for d in decisions
    ]


def test_gap_is_told_to_the_sample_behind_what_was_left_undecided() -> None:
    stream = fake_classifier().stream()
    assert len(stream.push(CLIP[: SEGMENT + 3001])) == 1
    rest, gap = stream.skip(160_001, "the microphone was too fast")
    assert (rest.state, gap.state) == ("speech", "gap")
    # Five more frames were whole before the sound broke off.
    assert rest.end_s == (SEGMENT + 5 * 512) / 16_000
    assert gap.start_s == (SEGMENT + 3001) / 16_000
    assert gap.end_s == (SEGMENT + 3001 + 160_001) / 16_000
    assert gap.dropped_samples == 160_001
    assert gap.label is gap.posterior is gap.raw_label is gap.level_db is None
    assert gap.warning == "10.000 s of sound are missing: the microphone was too fast"
    (after,) = stream.push(CLIP[:SEGMENT])
    assert after.start_s == gap.end_s
    assert after.dropped_samples == 0
    assert after.warning is None


def test_behind_a_gap_everything_is_as_in_a_fresh_stream() -> None:
    classifier = fake_classifier()
    broken, fresh = classifier.stream(), classifier.stream()
    broken.push(voice(50_000, f0_hz=220, seed=5))
    broken.skip(1234)
    wanted = fresh.push(CLIP) + fresh.flush()
    ours = broken.push(CLIP) + broken.flush()
    assert timeless(ours) == timeless(shifted(wanted, 51_234))


def test_seconds_around_a_hole_make_two_segments() -> None:
    stream = fake_classifier().stream()
    decisions = stream.push(CLIP[:16_000]) + stream.skip(160_000) + stream.push(CLIP[:16_000])
    decisions += stream.flush()
    assert [d.state for d in decisions] == ["speech", "gap", "speech"]
    assert [d.end_s - d.start_s for d in decisions] == pytest.approx([0.992, 10.0, 0.992])


def test_gap_behind_less_than_a_frame_is_all_there_is_to_say() -> None:
    stream = fake_classifier().stream()
    stream.push(CLIP[:1023])
    assert [d.state for d in stream.skip(5)] == ["gap"]
    assert stream.position_s == 1028 / 16_000
    assert stream.flush() == []


def test_gap_at_the_very_start_moves_the_clock() -> None:
    stream = fake_classifier().stream()
    (gap,) = stream.skip(np.int64(4800))
    assert (gap.start_s, gap.end_s) == (0.0, 0.3)
    assert stream.push(CLIP[:SEGMENT])[0].start_s == 0.3


def test_no_gap_leaves_the_stream_as_it_is() -> None:
    classifier = fake_classifier()
    whole, parted = classifier.stream(), classifier.stream()
    ours = parted.push(CLIP[:40_000]) + parted.skip(0) + parted.push(CLIP[40_000:])
    assert timeless(ours) == timeless(whole.push(CLIP))


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "7", None, 10**400])
def test_gap_that_cannot_be_is_refused(wrong: object) -> None:
    stream = fake_classifier().stream()
    with pytest.raises(ParameterError, match="n_samples is"):
        stream.skip(wrong)  # type: ignore[arg-type]
    assert stream.position_s == 0


def test_gap_after_the_end_is_refused() -> None:
    stream = fake_classifier().stream()
    stream.flush()
    with pytest.raises(ParameterError, match=r"call reset\(\)"):
        stream.skip(1)


Piece = tuple[int, int]
"""Samples heard, then samples lost."""


def run(pieces: list[Piece], cuts: list[int], window: tuple[int, int]) -> list[Decision]:
    """Push every piece in blocks that end at the cuts."""
    stream = fake_classifier(*window).stream()
    decisions: list[Decision] = []
    start = 0
    for n_heard, n_lost in pieces:
        heard = np.resize(CLIP, start + n_heard)[start:]
        for block in np.split(heard, sorted(c for c in cuts if c < n_heard)):
            decisions += stream.push(block)
        decisions += stream.skip(n_lost)
        start += n_heard
    return timeless(decisions + stream.flush())


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 45_000), st.sampled_from([0, 1, 511, 16_000, 10**9])), max_size=4
    ),
    cuts=st.lists(st.integers(0, 45_000), max_size=6),
    window=st.sampled_from([(61, 16), (61, 61), (5, 1)]),
)
@settings(deadline=None, max_examples=15)
def test_any_split_gives_the_same_decisions_and_none_straddles_a_gap(
    pieces: list[Piece], cuts: list[int], window: tuple[int, int]
) -> None:
    decisions = run(pieces, [], window)
    assert run(pieces, cuts, window) == decisions
    position, holes = 0, []
    for n_heard, n_lost in pieces:
        position += n_heard + n_lost
        if n_lost:
            holes.append(((position - n_lost) / 16_000, position / 16_000))
    assert [(d.start_s, d.end_s) for d in decisions if d.state == "gap"] == holes
    for decision in decisions:
        for start_s, end_s in holes:
            inside = decision.state == "gap"
            assert inside or decision.end_s <= start_s or decision.start_s >= end_s
    assert all(a.end_s <= b.end_s for a, b in itertools.pairwise(decisions))
    assert sum(d.dropped_samples for d in decisions) == sum(n for _, n in pieces)


@given(parts=st.lists(st.integers(0, 9000), min_size=1, max_size=4))
@settings(deadline=None, max_examples=10)
def test_a_gap_in_parts_is_one_gap_to_what_lies_around(parts: list[int]) -> None:
    classifier = fake_classifier()
    parted, whole = classifier.stream(), classifier.stream()
    ours, theirs = parted.push(CLIP[:40_000]), whole.push(CLIP[:40_000])
    for part in parts:
        ours += parted.skip(part)
    theirs += whole.skip(sum(parts))
    ours += parted.push(CLIP) + parted.flush()
    theirs += whole.push(CLIP) + whole.flush()
    assert timeless([d for d in ours if d.state != "gap"]) == timeless(
        [d for d in theirs if d.state != "gap"]
    )
    assert sum(d.dropped_samples for d in ours) == sum(parts)
