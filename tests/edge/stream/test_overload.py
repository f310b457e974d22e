"""A model that is too slow leaves hops out, and is never later than a hop and its own time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import LinearModel, fake_classifier, voice

import edge.stream.judge
import edge.stream.stream
import edge.stream.verdict
from edge.audio.file import write_wav
from edge.pipeline import run_pipeline
from edge.sinks import SinkBase
from edge.sources.base import Block, Gap, Stop
from edge.sources.file import FileSource
from edge.sources.stdin import StdinSource
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.stream import Stream

RATE, BLOCK = 16_000, 512
SEGMENT, HOP = 31_744, 8192
HOP_S = HOP / RATE
CLIP = voice(30 * RATE)


class Clock:
    """Time passes where somebody works or waits, and nowhere else."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def perf_counter(self) -> float:
        return self.now_s


class SlowModel(LinearModel):
    def __init__(self, clock: Clock, costs_s: list[float]) -> None:
        super().__init__()
        self.clock, self.costs_s = clock, costs_s

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        self.clock.now_s += self.costs_s[len(self.seen) % len(self.costs_s)]
        return super().infer(features, corpus)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(edge.stream.stream, "time", found)
    monkeypatch.setattr(edge.stream.judge, "time", found)
    monkeypatch.setattr(edge.stream.verdict, "time", found)
    return found


def slow_classifier(clock: Clock, *costs_s: float) -> Classifier:
    classifier = fake_classifier()
    classifier.model = SlowModel(clock, list(costs_s))
    return classifier


class Device:
    """A live source: sound comes at its own pace into a buffer that holds so much."""

    name = "the device"
    waited_s = 0.0

    def __init__(
        self,
        clock: Clock,
        samples: np.ndarray,
        buffer_s: float = 1e9,
        waits: bool = False,
        block_s: float = 0.0,
    ) -> None:
        self.clock, self.samples, self.buffer_s, self.waits = clock, samples, buffer_s, waits
        #: What a block's features cost.
        self.block_s = block_s

    def blocks(self, stop: Stop) -> Iterator[Block | Gap]:
        started_s, first = self.clock.now_s, 0
        while first < self.samples.size:
            n_there = min(round((self.clock.now_s - started_s) * RATE), self.samples.size)
            n_lost = max(0, n_there - first - round(self.buffer_s * RATE)) // BLOCK * BLOCK
            if n_lost:
                yield Gap(n_lost, "too slow")
                first += n_lost
            # All that is there is taken at once, as from the ring buffer.
            end = max(first + BLOCK, n_there // BLOCK * BLOCK)
            for start in range(first, min(end, self.samples.size), BLOCK):
                block = self.samples[start : start + BLOCK]
                arrived_s = started_s + (start + block.size) / RATE
                self.clock.now_s = max(self.clock.now_s, arrived_s) + self.block_s
                yield Block(block, arrived_s, self.waits)
            first = end


class Kept(SinkBase):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def emit(self, decision: Decision) -> None:
        self.decisions.append(decision)


def listened(source: Device, stream: Stream) -> list[Decision]:
    kept = Kept()
    run_pipeline(source, stream, [kept])
    return kept.decisions


def n_due(n_samples: int) -> int:
    """Decisions of a stretch without a gap: those that are due, and one on the rest."""
    n_frames = max(0, 1 + (n_samples - 1024) // 512) if n_samples >= 1024 else 0
    n_over = n_frames - 61
    return (n_frames > 0) if n_over < 0 else 1 + n_over // 16 + (n_over % 16 > 0)


def stretches(decisions: list[Decision], n_samples: int) -> list[int]:
    """Samples between the gaps, which hold all that was captured."""
    edges = [0]
    for gap in (each for each in decisions if each.state == "gap"):
        assert round((gap.end_s - gap.start_s) * RATE) == gap.dropped_samples
        edges += [round(gap.start_s * RATE), round(gap.end_s * RATE)]
    edges.append(n_samples)
    return [end - start for start, end in zip(edges[::2], edges[1::2], strict=True)]


def assert_counted(decisions: list[Decision], stream: Stream, n_samples: int) -> None:
    """Every sample was heard or dropped, every decision that was due made or skipped."""
    heard = stretches(decisions, n_samples)
    assert sum(heard) + sum(each.dropped_samples for each in decisions) == n_samples
    n_skipped = sum(each.skipped_hops for each in decisions)
    n_made = sum(each.state != "gap" for each in decisions)
    assert stream.skipped_hops == n_skipped
    assert n_made + n_skipped == sum(map(n_due, heard))


def test_a_model_at_a_tenth_of_real_time_is_never_later_than_a_hop_and_its_own_time(
    clock: Clock,
) -> None:
    cost_s = 10 * HOP_S
    stream = slow_classifier(clock, cost_s).stream()
    decisions = listened(Device(clock, CLIP), stream)
    latencies_s = [each.timing.latency_ms / 1000 for each in decisions]
    assert len(decisions) >= 5
    assert max(latencies_s) <= HOP_S + cost_s
    assert [each.skipped_hops for each in decisions[1:-1]] == [9] * (len(decisions) - 2)
    assert_counted(decisions, stream, CLIP.size)


def test_so_does_one_whose_buffer_overflows_meanwhile(clock: Clock) -> None:
    cost_s = 10 * HOP_S
    stream = slow_classifier(clock, cost_s).stream()
    decisions = listened(Device(clock, np.tile(CLIP, 3), buffer_s=3.0), stream)
    assert [each.state for each in decisions[:6]] == ["speech", "gap"] * 3
    for each in decisions[:-1]:
        assert each.timing.latency_ms / 1000 <= HOP_S + cost_s
    assert sum(each.skipped_hops for each in decisions) > 10
    assert_counted(decisions, stream, 3 * CLIP.size)


def test_what_keeps_up_leaves_nothing_out_and_decides_as_ever(clock: Clock) -> None:
    classifier = slow_classifier(clock, 0.9 * HOP_S)
    stream = classifier.stream()
    decisions = listened(Device(clock, CLIP), stream)
    assert stream.skipped_hops == sum(each.skipped_hops for each in decisions) == 0
    assert len(decisions) == n_due(CLIP.size)
    plain = classifier.stream()
    wanted = plain.push(CLIP) + plain.flush()
    assert [each.posterior for each in decisions] == [each.posterior for each in wanted]


def test_one_hiccup_costs_the_hops_it_took_and_no_more(clock: Clock) -> None:
    # The third decision takes 4 hops and a half.
    costs = [0.01, 0.01, 4.5 * HOP_S, *[0.01] * 60]
    stream = slow_classifier(clock, *costs).stream()
    decisions = listened(Device(clock, CLIP), stream)
    assert [each.skipped_hops for each in decisions[:6]] == [0, 0, 0, 3, 0, 0]
    assert decisions[3].start_s - decisions[2].start_s == pytest.approx(4 * HOP_S)
    assert sum(each.skipped_hops for each in decisions) == 3
    assert_counted(decisions, stream, CLIP.size)


def test_the_rows_of_a_skipped_hop_are_heard_by_the_next(clock: Clock) -> None:
    costs = [4.5 * HOP_S, *[0.01] * 60]
    slow = slow_classifier(clock, *costs)
    late = listened(Device(clock, CLIP), slow.stream(smooth=False))
    prompt = fake_classifier().stream(smooth=False)
    by_start = {each.start_s: each for each in prompt.push(CLIP) + prompt.flush()}
    assert len(late) == len(by_start) - 3
    for each in late:
        assert each.posterior == by_start[each.start_s].posterior


def test_time_skipped_is_time_to_the_smoother(clock: Clock) -> None:
    slow = slow_classifier(clock, 4.5 * HOP_S, *[0.01] * 60)
    steady = listened(Device(clock, CLIP), slow.stream())
    alone = slow_classifier(clock, 4.5 * HOP_S, *[0.01] * 60)
    raw = listened(Device(clock, CLIP), alone.stream(smooth=False))
    first, second = (np.array(list(each.posterior.values())) for each in raw[:2])
    gain = -np.expm1(-4 * HOP_S / 0.7)
    wanted = first + gain * (second - first)
    np.testing.assert_allclose(list(steady[1].posterior.values()), wanted, rtol=1e-9)


def test_what_is_not_live_is_decided_on_to_the_last_segment(clock: Clock) -> None:
    source = Device(clock, CLIP, waits=True)
    stream = slow_classifier(clock, 10 * HOP_S).stream()
    decisions = listened(source, stream)
    assert len(decisions) == n_due(CLIP.size)
    assert stream.skipped_hops == 0
    # And falls behind without end, as a live one would.
    assert decisions[-2].timing.latency_ms > 200 * 1000


def test_what_a_file_or_a_pipe_holds_waits(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, CLIP[:RATE], RATE)
    file = FileSource(str(path), RATE, fast=True)
    with path.open("rb") as stream:
        pipe = StdinSource(stream, RATE)
        blocks = [*file.blocks(Stop()), *pipe.blocks(Stop())]
    assert {type(block) for block in blocks} == {Block}
    assert all(block.waits for block in blocks)


@pytest.mark.parametrize("slower", [1.05, 1.3, 3.0])
@pytest.mark.parametrize("buffer_s", [1.0, 3.0])
def test_a_device_too_slow_for_the_features_still_decides(
    clock: Clock, slower: float, buffer_s: float
) -> None:
    source = Device(clock, np.tile(CLIP, 4), buffer_s, block_s=slower * BLOCK / RATE)
    stream = slow_classifier(clock, 0.01).stream()
    decisions = listened(source, stream)
    made = [each for each in decisions if each.state != "gap"]
    # Left out for ever it would be silent from some point on.
    assert made[-2].end_s > 90
    times_s = [each.end_s for each in made]
    assert max(np.diff(times_s)) < 30
    # What waits is what the buffer held, and the work on that.
    assert max(each.timing.latency_ms for each in made) < 1000 * (buffer_s * (1 + slower) + 0.5)
    assert_counted(decisions, stream, 4 * CLIP.size)


def test_a_block_of_many_hops_is_newer_sound_too(clock: Clock) -> None:
    stream = slow_classifier(clock, 0.01).stream()
    decisions = stream.push(CLIP[: SEGMENT + 3 * HOP], clock.now_s, live=True)
    assert [each.skipped_hops for each in decisions] == [3]
    assert decisions[-1].end_s == (SEGMENT + 3 * HOP) / RATE


def test_a_segment_left_out_last_is_decided_on_at_the_end(clock: Clock) -> None:
    stream = slow_classifier(clock, 0.01).stream()
    assert stream.push(CLIP[:SEGMENT], clock.now_s - 1.0, live=True) == []
    assert stream.skipped_hops == 1
    (decision,) = stream.flush()
    assert (decision.state, decision.skipped_hops, stream.skipped_hops) == ("speech", 0, 0)
    assert decision.end_s == SEGMENT / RATE


def test_a_gap_while_behind_asks_the_model_nothing_and_carries_the_count(clock: Clock) -> None:
    classifier = slow_classifier(clock, 0.01)
    stream = classifier.stream()
    assert stream.push(CLIP[: SEGMENT + 2048], clock.now_s - 1.0, live=True) == []
    (gap,) = stream.skip(RATE)
    assert (gap.state, gap.skipped_hops, gap.dropped_samples) == ("gap", 2, RATE)
    assert classifier.model.seen == []


def test_a_gap_after_a_silence_of_the_source_is_as_ever(clock: Clock) -> None:
    stream = slow_classifier(clock, 0.01).stream()
    stream.push(CLIP[: SEGMENT + 2048], clock.now_s, live=True)
    # The microphone was away: nothing newer waits.
    clock.now_s += 60
    rest, gap = stream.skip(RATE)
    assert (rest.state, rest.skipped_hops) == ("speech", 0)
    assert (gap.state, gap.skipped_hops) == ("gap", 0)


def test_reset_forgets_what_was_left_out(clock: Clock) -> None:
    stream = slow_classifier(clock, 0.01).stream()
    stream.push(CLIP[:SEGMENT], clock.now_s - 1.0, live=True)
    stream.reset()
    assert stream.skipped_hops == 0
    assert stream.push(CLIP[:SEGMENT], clock.now_s, live=True)[0].skipped_hops == 0


@settings(max_examples=25, deadline=None)
@given(
    costs=st.lists(st.floats(0.0, 12 * HOP_S), min_size=1, max_size=5),
    buffer_s=st.floats(0.3, 6.0),
    n_samples=st.integers(1024, CLIP.size),
)
def test_counters_add_up_to_what_was_captured(
    costs: list[float], buffer_s: float, n_samples: int
) -> None:
    found = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge.stream.stream, "time", found)
        patch.setattr(edge.stream.judge, "time", found)
        patch.setattr(edge.stream.verdict, "time", found)
        stream = slow_classifier(found, *costs).stream()
        decisions = listened(Device(found, CLIP[:n_samples], buffer_s), stream)
    assert_counted(decisions, stream, n_samples)
    for each in decisions[:-1]:
        latency_s = each.timing.latency_ms / 1000
        assert latency_s <= HOP_S + max(costs)
