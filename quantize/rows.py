"""Feature rows of either kind: CLAF-SER's 34 or the baseline's 51."""

from __future__ import annotations

from typing import TypeAlias

from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.baseline.features import BaselineExtractor, BaselineSpec

__all__ = ["RowExtractor", "RowSpec", "extractor_of"]

#: Both name a column "rms", count frames and have a fingerprint.
RowSpec: TypeAlias = FeatureSpec | BaselineSpec
RowExtractor: TypeAlias = FeatureExtractor | BaselineExtractor


def extractor_of(spec: RowSpec) -> RowExtractor:
    """Make what turns samples into the rows of a spec."""
    return BaselineExtractor(spec) if isinstance(spec, BaselineSpec) else FeatureExtractor(spec)
