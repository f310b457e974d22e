from __future__ import annotations

import dataclasses
import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import LABELS, fake_classifier, heard_rows, voice

import edge.stream.stream
from edge.arrays import softmax
from edge.errors import ParameterError
from edge.stream.decision import Decision, Timing
from edge.stream.smoothing import Smoother, SmootherSettings
from edge.stream.stream import Stream

CLIP = voice(70_000)
TIMINGS = {"timing": Timing()}


def same(ours: list[Decision], theirs: list[Decision]) -> None:
    """Compare all but the clocks, to the last bit."""
    assert [dataclasses.replace(d, **TIMINGS) for d in ours] == [
        dataclasses.replace(d, **TIMINGS) for d in theirs
    ]


def pushed(stream: Stream, blocks: list[np.ndarray]) -> list[Decision]:
    decisions = []
    for block in blocks:
        decisions += stream.push(block)
    return decisions + stream.flush()


def test_windows_lie_where_they_should() -> None:
    decisions = fake_classifier().classify(CLIP, 16_000, hop_s=0.512)
    # 135 rows: whole windows end at row 61, 77, 93, 109, 125; flush covers the rest.
    starts = [0, 16, 32, 48, 64, 74]
    assert [d.start_s for d in decisions] == [t * 512 / 16_000 for t in starts]
    assert [d.end_s for d in decisions] == [(t * 512 + 31_744) / 16_000 for t in starts]


@pytest.mark.parametrize(("window", "hop"), [(61, 16), (20, 20), (5, 1), (3, 2), (1, 1)])
def test_backend_sees_the_normalised_rows_of_the_window(window: int, hop: int) -> None:
    classifier = fake_classifier(window, hop)
    decisions = classifier.classify(CLIP, 16_000, hop_s=hop * 0.032)
    rows = (heard_rows(classifier, CLIP) - classifier.mean) / classifier.std
    starts = list(range(0, len(rows) - window + 1, hop))
    if starts[-1] != len(rows) - window:
        starts.append(len(rows) - window)
    for start, seen, decision in zip(starts, list(classifier.model.seen), decisions, strict=True):
        assert seen.shape == (1, window, 34)
        assert seen.dtype == np.float32
        np.testing.assert_allclose(seen[0], rows[start : start + window], atol=2e-5)
        raw = softmax(classifier.model.session().infer(seen, 4)[0])
        np.testing.assert_allclose(list(decision.posterior.values()), raw, atol=1e-6)
        assert decision.label == decision.raw_label == LABELS[int(raw.argmax())]


@given(
    cuts=st.lists(st.integers(0, len(CLIP)), max_size=12),
    repeats=st.integers(0, 3),
    window=st.sampled_from([(61, 16), (61, 61), (5, 1), (200, 30)]),
)
@settings(deadline=None, max_examples=15)
def test_any_split_into_blocks_gives_what_classify_gives(
    cuts: list[int], repeats: int, window: tuple[int, int]
) -> None:
    classifier = fake_classifier(*window)
    # A cut that comes twice makes an empty block; neighbours make one-sample blocks.
    places = sorted([*cuts, *(c + 1 for c in cuts[:repeats]), *cuts[:repeats]])
    same(
        pushed(classifier.file_stream(), np.split(CLIP, places)),
        classifier.classify(CLIP, 16_000),
    )


@pytest.mark.parametrize("n_samples", [512, 480, 8192, 31_744, 32_000])
def test_regular_blocks_give_what_classify_gives(n_samples: int) -> None:
    classifier = fake_classifier()
    blocks = [CLIP[i : i + n_samples] for i in range(0, len(CLIP), n_samples)]
    same(pushed(classifier.file_stream(), blocks), classifier.classify(CLIP, 16_000))


def test_decision_comes_with_the_sample_that_completes_the_window() -> None:
    stream = fake_classifier().stream()
    assert stream.push(CLIP[:31_743]) == []
    assert len(stream.push(CLIP[31_743:31_744])) == 1
    assert stream.push(CLIP[31_744 : 31_744 + 8191]) == []
    assert len(stream.push(CLIP[31_744 + 8191 : 31_744 + 8192])) == 1


@pytest.mark.parametrize("n_samples", [1024, 1025, 31_743])
def test_clip_shorter_than_a_window_gets_one_decision(n_samples: int) -> None:
    classifier = fake_classifier()
    (decision,) = classifier.classify(CLIP[:n_samples], 16_000)
    n_frames = classifier.spec.n_frames(n_samples)
    assert classifier.model.seen[0].shape == (1, n_frames, 34)
    assert decision.start_s == 0
    assert decision.end_s == classifier.spec.n_samples(n_frames) / 16_000


def test_flush_repeats_nothing() -> None:
    stream = fake_classifier().stream()
    assert len(stream.push(CLIP[:31_744])) == 1
    assert stream.push(CLIP[31_744:32_000]) == []
    assert stream.flush() == []


def test_flush_of_less_than_a_frame_is_empty() -> None:
    stream = fake_classifier().stream()
    stream.push(CLIP[:1023])
    assert stream.flush() == []


def test_flushed_stream_asks_for_a_reset() -> None:
    stream = fake_classifier().stream()
    stream.push(CLIP[:2000])
    assert len(stream.flush()) == 1
    assert stream.flush() == []
    with pytest.raises(ParameterError, match=r"call reset\(\)"):
        stream.push(CLIP[:10])


def test_reset_equals_a_fresh_stream() -> None:
    classifier = fake_classifier()
    used, fresh = classifier.stream(), classifier.stream()
    used.push(voice(50_001, seed=4))
    used.skip(77)
    used.flush()
    used.reset()
    same(pushed(used, [CLIP]), pushed(fresh, [CLIP]))


def test_stream_smooths_what_classify_leaves_raw() -> None:
    classifier = fake_classifier()
    settings = SmootherSettings(time_constant_s=1.0)
    smooth = pushed(classifier.stream(smooth=settings), [CLIP])
    raw = classifier.classify(CLIP, 16_000, hop_s=0.512)
    smoother = Smoother(LABELS, settings)
    end_s = 0.0
    for ours, theirs in zip(smooth, raw, strict=True):
        label, posterior = smoother.update(list(theirs.posterior.values()), theirs.end_s - end_s)
        end_s = theirs.end_s
        assert ours.label == label
        assert ours.raw_label == theirs.raw_label
        np.testing.assert_allclose(list(ours.posterior.values()), posterior, atol=1e-5)


def test_quiet_has_no_label_and_the_model_is_not_asked() -> None:
    silence = np.zeros(60_000, np.float32)
    classifier = fake_classifier()
    decisions = pushed(classifier.stream(), [np.concatenate((CLIP[:31_744], silence))])
    assert decisions[0].speech
    quiet = [d for d in decisions if not d.speech]
    assert len(quiet) >= 3
    for decision in quiet:
        assert decision.state == "quiet"
        assert decision.label is decision.posterior is decision.raw_label is None
        assert decision.timing.model_ms == 0
    assert quiet[-1].level_db == -120
    assert len(classifier.model.seen) == len(decisions) - len(quiet)


def test_level_is_that_of_the_segment() -> None:
    t_s = np.arange(40_000) / 16_000
    # No partial of the mains: of these a steady tone is taken away as hum.
    sine = (0.5 * np.sin(2 * np.pi * 260 * t_s)).astype(np.float32)
    for decision in fake_classifier().classify(sine, 16_000):
        assert decision.level_db == pytest.approx(20 * math.log10(0.5) - 3.01, abs=0.02)


@pytest.mark.parametrize("sample_rate", [8000, 44_100, 48_000])
def test_other_rates_are_resampled(sample_rate: int) -> None:
    t_s = np.arange(round(2.5 * sample_rate)) / sample_rate
    sine = (0.3 * np.sin(2 * np.pi * 260 * t_s)).astype(np.float32)
    decisions = fake_classifier().classify(sine, sample_rate)
    assert [d.end_s for d in decisions] == [1.984, 2.24, 2.496]
    for decision in decisions:
        assert decision.level_db == pytest.approx(20 * math.log10(0.3) - 3.01, abs=0.05)


def test_latency_counts_from_the_arrival_of_the_block() -> None:
    stream = fake_classifier().stream()
    (decision,) = stream.push(CLIP[:31_744], arrived_s=time.perf_counter() - 1.0)
    assert decision.timing.latency_ms >= 1000
    (decision,) = stream.push(CLIP[31_744 : 31_744 + 8192])
    timing = decision.timing
    assert timing.latency_ms >= timing.features_ms + timing.model_ms


def test_feature_time_is_that_since_the_last_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that moves on by a second whenever it is read.
    monkeypatch.setattr(edge.stream.stream.time, "perf_counter", itertools.count().__next__)
    stream = fake_classifier().stream()
    blocks = [CLIP[at : at + 512] for at in range(0, 31_744, 512)]
    (first,) = [decision for block in blocks for decision in stream.push(block)]
    (second,) = stream.push(CLIP[31_744 : 31_744 + 8192])
    # 61 rows come in four batches of 16 at most, a hop in one.
    assert (first.timing.features_ms, second.timing.features_ms) == (4000, 1000)
    assert (first.timing.model_ms, second.timing.model_ms) == (1000, 1000)
    stream.reset()
    (at_once,) = stream.push(CLIP[:31_744])
    assert at_once.timing.features_ms == 1000


def test_corpus_is_passed_on_by_its_row() -> None:
    classifier = fake_classifier()
    classifier.classify(CLIP[:2000], 16_000)
    assert classifier.model.corpus == 4
    classifier.classify(CLIP[:2000], 16_000, corpus="savee")
    assert classifier.model.corpus == 1


def test_window_and_hop_in_seconds_are_rounded_to_frames() -> None:
    stream = fake_classifier().stream(segment_s=2.0, hop_s=0.5)
    assert (stream.window_frames, stream.window_hop) == (61, 16)
    assert stream.hop_s == 0.512
    stream = fake_classifier().stream(segment_s=1.0, hop_s=0.001)
    assert (stream.window_frames, stream.window_hop) == (30, 1)


@pytest.mark.parametrize("length_s", [0.1, 0.5, 1.0, 2.0, 2.03])
def test_windows_side_by_side_hear_every_sample_once(length_s: float) -> None:
    stream = fake_classifier().stream(segment_s=length_s, hop_s=length_s)
    first, second = stream.push(CLIP)[:2]
    assert second.start_s - first.start_s == stream.hop_s
    # Rounding to frames may make them share a little, but leaves nothing between them.
    assert 0 <= first.end_s - second.start_s < 0.032


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"segment_s": 0.05}, "segment_s is 0.05, 0.064 to 60.0 s are wanted"),
        ({"segment_s": math.nan}, "segment_s is nan"),
        ({"segment_s": 61.0}, "segment_s is 61.0"),
        ({"hop_s": 0.0}, "hop_s is 0.0"),
        ({"hop_s": math.inf}, "hop_s is inf"),
        ({"segment_s": 1.0, "hop_s": 1.5}, "leaves audio unheard"),
    ],
)
def test_lengths_that_cannot_be_used_are_refused(settings: dict[str, float], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        fake_classifier().stream(**settings)


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (np.zeros((2, 4000), np.float32), "shape"),
        (np.zeros(4000, np.int16), "int16"),
        (np.full(4000, np.nan, np.float32), "holds nan"),
        (np.append(CLIP, np.float32(np.inf)), "holds inf"),
        (np.zeros(1023, np.float32), "1023 samples at 16000 Hz, 1024 or more"),
        (np.zeros(0, np.float32), "0 samples"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(samples: np.ndarray, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        fake_classifier().classify(samples, 16_000)


def test_bad_rate_is_refused_even_for_an_empty_clip() -> None:
    with pytest.raises(ParameterError, match="sample_rate is 0"):
        fake_classifier().classify(CLIP, 0)
    with pytest.raises(ParameterError, match="sample_rate is 44100"):
        fake_classifier().classify(np.zeros(0, np.float32), 44_100.5)


@pytest.mark.parametrize("rate", [1, 63, 1999, 768_001, 2**32, 10**400])
def test_a_rate_of_no_recorder_is_refused_as_of_a_file(rate: int) -> None:
    clip = np.zeros(20_000, np.float32)
    with pytest.raises(ParameterError, match="a whole number within 2000 to 768000 Hz is wanted"):
        fake_classifier().classify(clip, rate)


@pytest.mark.parametrize("rate", [2000, 768_000])
def test_the_rates_of_all_recorders_are_taken(rate: int) -> None:
    (decision,) = fake_classifier().classify(np.zeros(rate // 2, np.float32), rate)
    assert decision.end_s == pytest.approx(0.5, abs=0.05)


def test_refused_block_leaves_the_stream_as_it_was() -> None:
    classifier = fake_classifier()
    stream = classifier.stream(smooth=False)
    stream.push(CLIP[:40_000])
    for bad in (np.append(CLIP[:9000], np.float32(np.nan)), CLIP[:4].reshape(2, 2)):
        with pytest.raises(ParameterError, match="samples"):
            stream.push(bad)
    with pytest.raises(ParameterError, match="n_samples is -1"):
        stream.skip(-1)
    decisions = stream.push(CLIP[40_000:]) + stream.flush()
    same(decisions, classifier.classify(CLIP, 16_000, hop_s=0.512)[-len(decisions) :])


def test_names_of_before_work_with_a_warning() -> None:
    classifier = fake_classifier()
    with pytest.warns(DeprecationWarning, match="window_s is now called segment_s") as caught:
        stream = classifier.stream(window_s=1.0)
    assert caught[0].filename == __file__
    assert stream.window_frames == 30
    with pytest.warns(DeprecationWarning, match="language is now called corpus") as caught:
        decisions = classifier.classify(CLIP[:20_000], 16_000, language="savee")
    assert caught[0].filename == __file__
    same(decisions, classifier.classify(CLIP[:20_000], 16_000, corpus="savee"))
    with pytest.raises(ParameterError, match="segment_s and window_s are both given"):
        classifier.stream(segment_s=1.0, window_s=1.0)


def test_a_short_segment_alone_shortens_the_hop() -> None:
    stream = fake_classifier().stream(segment_s=0.4)
    assert stream.window_frames == 11
    assert stream.hop_s <= stream.segment_s
    assert fake_classifier().stream(segment_s=2.0).window_hop == 16
    clip = fake_classifier().classify(CLIP, 16_000, segment_s=0.1)
    assert clip[0].end_s == pytest.approx(0.096)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint16])
def test_rates_of_numpy_are_rates(kind: type) -> None:
    classifier = fake_classifier()
    same(classifier.classify(CLIP, kind(16_000)), classifier.classify(CLIP, 16_000))


def test_after_long_quiet_the_first_segment_speaks_for_itself() -> None:
    classifier = fake_classifier()
    stream = classifier.stream(smooth=SmootherSettings(time_constant_s=3.0, lead=1.0))
    stream.push(CLIP)
    silence = np.zeros(160_000, np.float32)
    other = voice(20_000, f0_hz=320, level=0.01, seed=9)
    decisions = stream.push(np.concatenate((silence, other)))
    first = next(d for d in decisions[6:] if d.speech)
    plain = classifier.stream(smooth=False)
    plain.push(CLIP)
    alone = next(d for d in plain.push(np.concatenate((silence, other)))[6:] if d.speech)
    assert first.label == first.raw_label == alone.label
    assert first.posterior == alone.posterior
