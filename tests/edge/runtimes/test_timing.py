"""What a window takes: the runtime's own work, after it has warmed up, in milliseconds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from edge.artifact import Artifact
from edge.runtimes.timing import time_model


class Paced:
    """A model that computes, or waits, for as long as it is told, call by call."""

    name = "paced"

    def __init__(self, work_s: list[float], wait_s: float = 0.0) -> None:
        self.work_s, self.wait_s = work_s, wait_s
        self.shapes: list[tuple[int, ...]] = []

    def session(self) -> Any:
        return self

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        call = len(self.shapes)
        self.shapes.append(features.shape)
        time.sleep(self.wait_s)
        end_s = time.thread_time() + self.work_s[min(call, len(self.work_s) - 1)]
        while time.thread_time() < end_s:
            pass
        return np.zeros((1, 8), np.float32)


def test_it_is_the_time_of_one_window(tiny_artifact: Artifact) -> None:
    model = Paced([0.003])
    assert 3 <= time_model(tiny_artifact, model) < 6
    assert model.shapes == [(1, 61, 34)] * 20


def test_warming_up_does_not_count(tiny_artifact: Artifact) -> None:
    assert time_model(tiny_artifact, Paced([0.03] * 5 + [0.001])) < 5


def test_one_slow_call_does_not_count(tiny_artifact: Artifact) -> None:
    assert time_model(tiny_artifact, Paced([0.001] * 12 + [0.05] + [0.001])) < 5


def test_waiting_does_not_count(tiny_artifact: Artifact) -> None:
    """The clock on the wall would tell of other programs."""
    assert time_model(tiny_artifact, Paced([0.001], wait_s=0.01)) < 5


def test_a_slow_model_is_not_waited_for_twenty_times(tiny_artifact: Artifact) -> None:
    model = Paced([0.21])
    assert time_model(tiny_artifact, model) == pytest.approx(210, abs=40)
    assert len(model.shapes) == 3
