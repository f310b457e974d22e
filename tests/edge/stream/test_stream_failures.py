"""A model that fails, two threads, copies: a stream never answers wrongly and never hangs."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading

import numpy as np
import pytest
from runtime_fakes import LinearModel, fake_classifier, voice

from edge.errors import BackendError, ParameterError
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision, Timing
from edge.stream.stream import Stream

CLIP = voice(100_000)


class FailingModel(LinearModel):
    """Fails on the segments with these numbers."""

    def __init__(self, *failing: int, answer: object = None) -> None:
        super().__init__()
        self.failing = failing
        self.answer = answer
        self.n_calls = 0

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        self.n_calls += 1
        if self.n_calls - 1 in self.failing:
            if self.answer is None:
                raise RuntimeError(f"out of luck at {self.n_calls - 1}")
            return self.answer  # type: ignore[return-value]
        return super().infer(features, corpus)


def classifier_over(model: LinearModel) -> Classifier:
    return Classifier(fake_classifier().artifact, model)


def everything(stream: Stream, n_block: int) -> tuple[list[Decision], int]:
    """All decisions and how many calls failed, by a caller who goes on."""
    decisions: list[Decision] = []
    n_failed = 0
    calls = [lambda i=i: stream.push(CLIP[i : i + n_block]) for i in range(0, len(CLIP), n_block)]
    for call in [*calls, stream.flush, stream.flush]:
        try:
            decisions += call()
        except BackendError:
            n_failed += 1
    return [dataclasses.replace(d, timing=Timing()) for d in decisions], n_failed


@pytest.mark.parametrize("n_block", [512, 40_000, 100_000])
def test_a_failure_loses_its_own_segment_and_nothing_else(n_block: int) -> None:
    whole, _ = everything(classifier_over(LinearModel()).stream(smooth=False), n_block)
    stream = classifier_over(FailingModel(2)).stream(smooth=False)
    ours, n_failed = everything(stream, n_block)
    assert n_failed == 1
    assert ours == whole[:2] + whole[3:]


def test_of_several_failures_the_first_is_told() -> None:
    stream = classifier_over(FailingModel(1, 2)).stream()
    with pytest.raises(BackendError, match="out of luck at 1"):
        stream.push(CLIP)
    assert len(stream.push(CLIP[:0])) == 7


def test_a_failure_in_the_last_segment_or_before_a_gap_is_told() -> None:
    stream = classifier_over(FailingModel(0)).stream()
    stream.push(CLIP[:2000])
    with pytest.raises(BackendError, match="the linear model failed on a segment: RuntimeError"):
        stream.skip(100)
    (gap,) = stream.push(CLIP[:0])
    assert (gap.state, gap.start_s) == ("gap", 0.125)
    stream = classifier_over(FailingModel(0)).stream()
    stream.push(CLIP[:2000])
    with pytest.raises(BackendError):
        stream.flush()
    assert stream.flush() == []


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (np.full((1, 8), np.nan, np.float32), "NaN or infinite"),
        (np.array([[np.inf] + [0] * 7], np.float32), "NaN or infinite"),
        (np.zeros((1, 7), np.float32), r"logits of shape \(1, 7\), \(1, 8\) is wanted"),
        (np.zeros(8, np.float32), r"shape \(8,\)"),
    ],
)
def test_what_is_no_answer_is_no_label(answer: np.ndarray, match: str) -> None:
    stream = classifier_over(FailingModel(0, answer=answer)).stream()
    with pytest.raises(BackendError, match=match):
        stream.push(CLIP[:31_744])
    assert len(stream.push(CLIP[31_744 : 31_744 + 8192])) == 1


class WaitingModel(LinearModel):
    """Stays at work until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_end = threading.Event(), threading.Event()

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        self.began.set()
        assert self.may_end.wait(10)
        return super().infer(features, corpus)


def test_a_second_thread_is_refused_and_harms_nothing() -> None:
    model = WaitingModel()
    stream = classifier_over(model).stream()
    found: list[Decision] = []
    first = threading.Thread(target=lambda: found.extend(stream.push(CLIP[:31_744])))
    first.start()
    assert model.began.wait(10)
    for call in (
        lambda: stream.push(CLIP[:100]),
        lambda: stream.skip(7),
        stream.flush,
        stream.reset,
    ):
        with pytest.raises(ParameterError, match="belongs to one thread"):
            call()
    model.may_end.set()
    first.join(10)
    assert len(found) == 1
    assert stream.position_s == 31_744 / 16_000
    assert len(stream.push(CLIP[31_744 : 31_744 + 8192])) == 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_stream_refuses_to_be_copied(copied: object) -> None:
    with pytest.raises(ParameterError, match=r"open another one with Classifier\.stream\(\)"):
        copied(fake_classifier().stream())  # type: ignore[operator]


def test_reprs_say_what_it_is() -> None:
    classifier = fake_classifier()
    assert repr(classifier).startswith("<Classifier fake on linear: neutral, calm, ")
    stream = classifier.stream()
    stream.push(CLIP[:16_000])
    assert "segments of 1.984 s, one every 0.512 s, 1.000 s heard" in repr(stream)
