"""Filters in parts are the filters."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features.families import Chroma, Mfcc, Rms
from edge.features.families.base import Family
from edge.features.row_maker import RowMaker
from edge.features.spec import FeatureSpec


@pytest.mark.parametrize(
    ("families", "widths"),
    [
        ((Mfcc(), Chroma()), [20, 32]),
        ((Chroma(),), [12]),
        ((Mfcc(fmax_hz=1500.0),), [40]),
        ((Mfcc(n_mels=16), Chroma()), [28]),
        ((Rms(),), []),
    ],
)
def test_filters_in_parts_weigh_all_that_they_weigh_in_one(
    families: tuple[Family, ...], widths: list[int]
) -> None:
    maker = RowMaker(FeatureSpec(families=families))
    put_together = np.zeros_like(maker.power_filters)
    for columns, weights in maker.parts:
        put_together[: len(weights), columns] = weights
    np.testing.assert_array_equal(put_together, maker.power_filters)
    assert [weights.shape[1] for _, weights in maker.parts] == widths
