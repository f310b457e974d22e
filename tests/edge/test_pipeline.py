from __future__ import annotations

import json
import time
from collections.abc import Container, Generator
from typing import Any

import numpy as np
import pytest
from runtime_fakes import LinearModel, fake_classifier, voice

from edge.benchmark.peak_memory import peak_rss_mb
from edge.errors import AudioFileError, BackendError, ParameterError
from edge.pipeline import Summary, listen, run_pipeline
from edge.sinks import SinkBase
from edge.sinks.group import SinkGroup
from edge.sources import Block, Gap, Stop
from edge.stream.decision import Decision

CLIP = voice(70_000)


class ListSource:
    """Yields what it was given and notes whether it was closed."""

    name = "the list"

    def __init__(self, blocks: list[Block | Gap]) -> None:
        self._blocks = blocks
        self.waited_s = 0.0
        self.closed = False

    def blocks(self, stop: Stop) -> Generator[Block | Gap, None, None]:
        try:
            for block in self._blocks:
                if stop.requested:
                    return
                yield block
        finally:
            self.closed = True


class ListSink(SinkBase):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def emit(self, decision: Decision) -> None:
        self.decisions.append(decision)


def blocks_of(n_samples: int, samples: np.ndarray = CLIP) -> list[Block | Gap]:
    return [Block(samples[i : i + n_samples]) for i in range(0, samples.size, n_samples)]


def test_every_sink_gets_what_the_stream_decides_flush_included() -> None:
    classifier = fake_classifier()
    sinks = [ListSink(), ListSink()]
    summary = run_pipeline(ListSource(blocks_of(512)), classifier.stream(smooth=False), sinks)
    wanted = [d.posterior for d in classifier.classify(CLIP, 16_000, hop_s=0.512)]
    for sink in sinks:
        assert [d.posterior for d in sink.decisions] == wanted
    assert summary.decisions == len(wanted)
    assert summary.audio_s == 70_000 / 16_000


def test_percentiles_are_those_of_the_latencies() -> None:
    sink = ListSink()
    summary = run_pipeline(ListSource(blocks_of(512)), fake_classifier().stream(), [sink])
    latencies = [d.timing.latency_ms for d in sink.decisions]
    wanted = np.percentile(latencies, (50, 95, 99))
    assert [summary.p50_ms, summary.p95_ms, summary.p99_ms] == pytest.approx(wanted)


def test_waiting_is_not_work() -> None:
    patient, hasty = ListSource(blocks_of(8192)), ListSource(blocks_of(8192))
    patient.waited_s = -1000.0
    summaries = [run_pipeline(s, fake_classifier().stream(), []) for s in (patient, hasty)]
    first, second = (summary.rtf * summary.audio_s for summary in summaries)
    assert first > 1000 > second > 0


def test_duration_ends_to_the_sample_and_closes_the_source() -> None:
    source, sink = ListSource(blocks_of(1000)), ListSink()
    summary = run_pipeline(source, fake_classifier().stream(), [sink], duration_s=2.5)
    assert summary.audio_s == 2.5
    assert sink.decisions[-1].end_s == 2.496
    assert source.closed


def test_longer_duration_than_the_source_is_no_error() -> None:
    assert run_pipeline(
        ListSource(blocks_of(512)), fake_classifier().stream(), [], duration_s=99
    ).audio_s == pytest.approx(4.375)


def test_lost_samples_are_summed() -> None:
    blocks = [Block(CLIP[:40_000]), Gap(100, "lost"), Gap(23, "lost"), Block(CLIP[40_000:])]
    sink = ListSink()
    summary = run_pipeline(ListSource(blocks), fake_classifier().stream(), [sink])
    assert summary.dropped_samples == 123
    assert sum(d.dropped_samples for d in sink.decisions) == 123


def test_stop_leaves_the_rest_undecided() -> None:
    stop = Stop()

    class StoppingSink(ListSink):
        def emit(self, decision: Decision) -> None:
            super().emit(decision)
            stop.request()

    sink = StoppingSink()
    summary = run_pipeline(
        ListSource(blocks_of(512)), fake_classifier().stream(), [sink], stop=stop
    )
    assert summary.decisions == len(sink.decisions) == 1
    assert summary.audio_s == pytest.approx(1.984, abs=0.03)


def test_stop_before_any_audio_is_no_error() -> None:
    stop = Stop()
    stop.request()
    summary = run_pipeline(ListSource(blocks_of(512)), fake_classifier().stream(), [], stop=stop)
    assert summary.decisions == 0
    assert summary.rtf is None
    assert summary.to_dict()["p50_ms"] is None
    assert summary.sentence().startswith("0 decisions in 0.0 s of audio, 0 samples dropped")


@pytest.mark.parametrize("n_samples", [0, 1023])
def test_source_without_a_whole_frame_is_an_error(n_samples: int) -> None:
    source = ListSource([Block(CLIP[:n_samples])])
    with pytest.raises(AudioFileError, match=f"the list ended after {n_samples} samples"):
        run_pipeline(source, fake_classifier().stream(), [])


def test_source_is_closed_when_a_sink_fails() -> None:
    class BrokenSink(SinkBase):
        def emit(self, decision: Decision) -> None:
            raise BrokenPipeError

    source = ListSource(blocks_of(512))
    with pytest.raises(BrokenPipeError):
        run_pipeline(source, fake_classifier().stream(), [BrokenSink()])
    assert source.closed


def test_summary_has_exactly_the_documented_keys_in_order() -> None:
    states = {"speech": 2, "uncertain": 0, "no-speech": 1, "quiet": 0}
    summary = Summary(
        3, 1.23456, 0.0123456, 1.0, 2.0, 3.0, 7, 41.26, states, 1, 5, activation=0.71239
    )
    assert list(summary.to_dict().items()) == [
        ("version", 1), ("type", "summary"), ("time", None), ("decisions", 3), ("states", states),
        ("gaps", 1), ("events", None), ("activation", 0.7124), ("audio_s", 1.235), ("rtf", 0.01235),
        ("p50_ms", 1.0), ("p95_ms", 2.0), ("p99_ms", 3.0), ("dropped_samples", 7),
        ("skipped_hops", 5), ("peak_rss_mb", 41.3),
    ]  # fmt: skip
    assert "\n" not in summary.sentence()
    assert ", activation 0.71 on average, " in summary.sentence()


def test_activation_of_a_run_is_the_mean_of_its_decisions() -> None:
    kept = ListSink()
    quiet = np.zeros(32_000, np.float32)
    source = ListSource([Block(voice(48_000)), Block(quiet), Block(voice(48_000, f0_hz=220))])
    summary = run_pipeline(source, fake_classifier().stream(), [kept])
    heard = [each.activation for each in kept.decisions if each.activation is not None]
    assert summary.activation == pytest.approx(np.mean(heard))
    silent = run_pipeline(ListSource([Block(quiet)]), fake_classifier().stream(), [ListSink()])
    assert silent.activation is None


def test_peak_memory_is_at_least_what_an_array_took() -> None:
    before = peak_rss_mb()
    ballast = np.ones(8_000_000)
    assert peak_rss_mb() >= min(before, 60) + 40
    del ballast
    assert peak_rss_mb() >= 60


class FailingModel(LinearModel):
    """Fails on the calls whose numbers it is given."""

    def __init__(self, fails_on: Container[int]) -> None:
        super().__init__()
        self._fails_on, self._n_calls = fails_on, 0

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        self._n_calls += 1
        if self._n_calls - 1 in self._fails_on:
            raise BackendError("the model fell over")
        return super().infer(features, corpus)


class Told(ListSink):
    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def run_failing(
    fails_on: Container[int], n_samples: int = 512, clip: np.ndarray = CLIP
) -> tuple[Told, Summary]:
    classifier = fake_classifier()
    classifier.model = FailingModel(fails_on)
    sink = Told()
    source = ListSource(blocks_of(n_samples, clip))
    return sink, run_pipeline(source, classifier.stream(smooth=False), [sink])


@pytest.mark.parametrize("n_samples", [512, 8192, 70_000])
@pytest.mark.parametrize("bad", [0, 2, 5])
def test_a_model_that_fails_once_loses_its_segment_and_no_more(bad: int, n_samples: int) -> None:
    every, _ = run_failing((), n_samples)
    sink, summary = run_failing([bad], n_samples)
    wanted = [(d.start_s, d.end_s, d.posterior) for d in every.decisions]
    del wanted[bad]
    assert [(d.start_s, d.end_s, d.posterior) for d in sink.decisions] == wanted
    assert sink.warnings == [
        "a segment was left undecided, as the model failed: the model fell over"
    ]
    assert summary.decisions == len(wanted)
    assert summary.audio_s == 4.375


def test_a_model_that_fails_every_other_time_goes_on() -> None:
    sink, _ = run_failing(range(0, 1000, 2), clip=voice(400_000))
    assert len(sink.decisions) > 20


def test_a_model_that_fails_at_the_very_end_still_ends_well() -> None:
    every, _ = run_failing(())
    last = len(every.decisions) - 1
    sink, summary = run_failing([last])
    assert summary.decisions == last
    assert len(sink.warnings) == 1


def test_a_model_that_never_works_ends_the_run_with_its_error() -> None:
    classifier = fake_classifier()
    classifier.model = FailingModel(range(10**9))
    sink = Told()
    with pytest.raises(BackendError, match="fell over"):
        run_pipeline(ListSource(blocks_of(512, voice(400_000))), classifier.stream(), [sink])
    # Bounded: not the whole of a long file.
    assert len(sink.warnings) == 9
    # Nor is a short one a success.
    with pytest.raises(BackendError, match="fell over"):
        run_failing(range(10**9))


def test_duration_counts_what_was_lost() -> None:
    source = ListSource([Block(CLIP[:32_000]), Gap(160_000, "lost"), Block(CLIP[32_000:])])
    sink = ListSink()
    summary = run_pipeline(source, fake_classifier().stream(), [sink], duration_s=11)
    assert summary.audio_s == 2.0
    assert summary.dropped_samples == 144_000
    assert sink.decisions[-1].end_s == 11.0
    assert source.closed


def test_a_gap_of_ten_seconds_parts_the_decisions_and_moves_the_clock() -> None:
    source = ListSource([Block(CLIP[:40_000]), Gap(160_000, "lost"), *blocks_of(512)])
    sink = ListSink()
    summary = run_pipeline(source, fake_classifier().stream(), [sink])
    assert summary.dropped_samples == 160_000
    assert summary.audio_s == 110_000 / 16_000
    (gap,) = [d for d in sink.decisions if d.state == "gap"]
    assert (gap.start_s, gap.end_s) == (2.5, 12.5)
    assert all(d.end_s <= 2.5 or d.start_s >= 12.5 for d in sink.decisions if d is not gap)
    assert summary.decisions == len(sink.decisions) - 1


def test_a_slow_sink_is_work_and_shows_as_latency() -> None:
    class Slow(ListSink):
        def emit(self, decision: Decision) -> None:
            super().emit(decision)
            if len(self.decisions) == 1:
                time.sleep(0.3)

    class Live(ListSource):
        """All of it was there when the run began."""

        def blocks(self, stop: Stop) -> Generator[Block | Gap, None, None]:
            now_s = time.perf_counter()
            for block in super().blocks(stop):
                yield Block(block.samples, now_s)

    sink = Slow()
    summary = run_pipeline(Live(blocks_of(512)), fake_classifier().stream(), [sink])
    latencies_ms = [d.timing.latency_ms for d in sink.decisions]
    assert min(latencies_ms[1:-1]) >= 300
    assert summary.rtf * summary.audio_s >= 0.3


def test_listen_is_the_same_road_with_a_source_of_ones_own() -> None:
    stream, sink = fake_classifier().stream(smooth=False), ListSink()
    summary = listen(ListSource(blocks_of(512)), [sink], stream=stream)
    again = ListSink()
    run_pipeline(ListSource(blocks_of(4096)), fake_classifier().stream(smooth=False), [again])
    assert [d.posterior for d in sink.decisions] == [d.posterior for d in again.decisions]
    assert summary.decisions == len(sink.decisions) > 0


def test_listen_takes_names_of_sources_and_sinks(capsys: pytest.CaptureFixture[str]) -> None:
    summary = listen("demo", ["jsonl"], classifier=fake_classifier(), fast=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["decision"] * summary.decisions + ["summary"]


@pytest.mark.parametrize(("source", "sink"), [("", "terminal"), ("demo", "telegraph")])
def test_listen_refuses_what_it_does_not_know(source: str, sink: str) -> None:
    with pytest.raises(ParameterError, match="is wanted"):
        listen(source, [sink], classifier=fake_classifier())


def test_listen_refuses_a_device_for_a_file() -> None:
    with pytest.raises(ParameterError, match="device names a microphone"):
        listen("demo", [], classifier=fake_classifier(), device=1)


@pytest.mark.parametrize(
    ("source", "option", "what"),
    [
        ("demo", {"channel": 1}, "channel is for a microphone or a pipe, source is 'demo'"),
        ("demo", {"gain_db": 6}, "gain_db is for a microphone or a pipe"),
        ("talk.wav", {"input_rate": 8_000}, "input_rate is for standard input"),
        ("talk.wav", {"give_up_after_s": 1}, "give_up_after_s is for a microphone"),
        ("mic", {"n_channels": 2}, "n_channels is for standard input"),
        ("mic", {"fast": True}, "fast is for a file"),
        ("-", {"capture_rate": 8_000}, "capture_rate is for a microphone"),
        (None, {"channel": "mix"}, "channel is for a microphone or a pipe"),
    ],
)
def test_listen_refuses_what_its_source_has_no_use_for(
    source: str | None, option: dict[str, Any], what: str
) -> None:
    with pytest.raises(ParameterError, match=what):
        listen(source or ListSource([]), [], classifier=fake_classifier(), **option)


def test_listen_refuses_one_sink_that_is_no_list() -> None:
    with pytest.raises(ParameterError, match=r"sinks is 'jsonl', a list .*: \['jsonl'\]"):
        listen("demo", "jsonl", classifier=fake_classifier(), fast=True)


@pytest.mark.parametrize("duration_s", [0, -1.0, float("nan"), float("inf"), "2", True])
def test_a_duration_that_is_none_is_refused(duration_s: Any) -> None:
    with pytest.raises(ParameterError, match=r"duration_s is .*, a number of seconds above 0"):
        run_pipeline(ListSource([]), fake_classifier().stream(), [], duration_s=duration_s)


def test_what_was_decided_beside_a_failure_is_handed_out_at_once() -> None:
    stop = Stop()

    class OneBlock(ListSource):
        def blocks(self, stop: Stop) -> Generator[Block | Gap, None, None]:
            yield Block(CLIP)
            stop.request()

    every, sink = ListSink(), Told()
    run_pipeline(OneBlock([]), fake_classifier().stream(smooth=False), [every], stop=Stop())
    classifier = fake_classifier()
    classifier.model = FailingModel([1])
    run_pipeline(OneBlock([]), classifier.stream(smooth=False), [sink], stop=stop)
    assert len(every.decisions) > 3
    assert len(sink.decisions) == len(every.decisions) - 1


def test_what_a_decision_warns_of_is_a_notice_too() -> None:
    notices: list[str] = []
    source = ListSource([Block(CLIP[:40_000]), Gap(16_000, "dog ate it"), Block(CLIP[40_000:])])
    run_pipeline(source, fake_classifier().stream(), SinkGroup([ListSink()], notices.append))
    assert any("1.000 s of sound are missing: dog ate it" in sentence for sentence in notices)
