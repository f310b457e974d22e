"""Rows of many streams that are computed together are those of each alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features import FeatureExtractor
from edge.features.front_end import FrontEnd
from edge.features.spec import FeatureSpec
from edge.features.together import push_together


@pytest.mark.parametrize("front_end", [None, FrontEnd()])
def test_extractors_together_give_the_rows_of_each_alone(front_end: FrontEnd | None) -> None:
    spec = FeatureSpec(front_end=front_end)
    alone, together = ([FeatureExtractor(spec) for _ in range(5)] for _ in range(2))
    rng = np.random.default_rng(9)
    shown: list[list[np.ndarray]] = [[] for _ in together]
    heard: list[list[np.ndarray]] = [[] for _ in together]
    for sizes in ((31_744, 8_192, 1_000, 700, 0), (8_192,) * 5, (8_192, 1, 512, 8_192, 1_023)):
        blocks = [rng.normal(0, 0.1, n).astype(np.float32) for n in sizes]
        wanted = [each.push(block) for each, block in zip(alone, blocks, strict=True)]
        for own_blocks, block in zip(heard, blocks, strict=True):
            own_blocks.append(block)
        seen = [lambda power, k=k: shown[k].append(power.copy()) for k in range(len(together))]
        found = push_together(together, blocks, seen)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    for index, powers in enumerate(shown):
        own: list[np.ndarray] = []
        again, n_heard = FeatureExtractor(spec), 0
        for block in heard[index]:
            again.push_checked(block, lambda power, own=own: own.append(power.copy()))
            n_heard += block.size
        np.testing.assert_array_equal(np.concatenate(powers), np.concatenate(own))
        assert sum(map(len, own)) == spec.n_frames(n_heard) > 0
    assert push_together([], [], []) == []
