"""One of a thing is no plural, whoever counts it."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError, how_many
from edge.features import FeatureExtractor
from edge.pipeline import Summary
from edge.stream.decision import GAP, Decision


@pytest.mark.parametrize(("n", "text"), [(0, "0 bytes"), (1, "1 byte"), (2, "2 bytes")])
def test_things_are_counted(n: int, text: str) -> None:
    assert how_many(n, "byte") == text


def test_a_summary_of_one() -> None:
    one = Summary(1, 2.0, None, None, None, None, 1, 50.0).sentence()
    assert one.startswith("1 decision in 2.0 s of audio, 1 sample dropped")
    two = Summary(2, 2.0, None, None, None, None, 0, 50.0).sentence()
    assert two.startswith("2 decisions in 2.0 s of audio, 0 samples dropped")


def test_a_gap_of_one() -> None:
    gap = Decision(0.0, 0.1, GAP, None, None, None, None, dropped_samples=1)
    assert "gap of 1 sample>" in repr(gap)


def test_a_clip_of_one() -> None:
    with pytest.raises(ParameterError, match="has 1 sample, one frame"):
        FeatureExtractor().extract(np.zeros(1, np.float32))
