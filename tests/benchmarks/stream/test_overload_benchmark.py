from __future__ import annotations

import numpy as np
import pytest

from benchmarks.stream import overload
from edge.artifact import Artifact
from edge.stream.decision import Decision
from edge.stream.loading import load


@pytest.mark.parametrize("n_samples", [0, 1023, 1024, 31_743, 31_744, 40_000, 48_128, 48_129])
def test_decisions_that_are_due_are_those_of_a_stream(
    tiny_artifact: Artifact, n_samples: int
) -> None:
    stream = load(tiny_artifact.path).stream()
    made = stream.push(np.zeros(n_samples, np.float32)) + stream.flush()
    assert overload.n_due(stream, n_samples) == len(made)


def test_stretches_lie_between_the_gaps() -> None:
    gaps = [
        Decision(start / 100, end / 100, "gap", None, None, None, None, end - start)
        for start, end in ((300, 450), (500, 600))
    ]
    quiet = Decision(0.0, 2.0, "quiet", None, None, None, -90.0)
    assert overload.stretches([quiet, *gaps], 900, 100) == [300, 50, 300]


def test_a_prompt_model_leaves_nothing_out() -> None:
    row = overload.run(np.zeros(16_000, np.float32), 0.0, 2.3, live=True)
    assert row["captured_samples"] == row["heard_samples"]
    assert row["adds_up"]
    assert row["decisions"] == 2
