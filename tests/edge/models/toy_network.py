"""Another architecture in one module: the mean row times a matrix, and no corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from edge.models.base import Architecture, Floats, frozen


@dataclasses.dataclass(frozen=True)
class ToySizes:
    type: str
    n_features: int
    n_labels: int
    n_corpora = 1

    def problem(self) -> str | None:
        return None if self.n_labels > 1 else "architecture.n_labels is 1, 2 or more are wanted"


def weight_shapes(sizes: ToySizes) -> dict[str, tuple[int, ...]]:
    return {"matrix": (sizes.n_labels, sizes.n_features), "bias": (sizes.n_labels,)}


class ToyNetwork:
    """It has no buffers and is its own runner."""

    def __init__(self, _: ToySizes, weights: Mapping[str, Floats]) -> None:
        self.matrix, self.bias = frozen(weights["matrix"]), frozen(weights["bias"])

    def runner(self) -> ToyNetwork:
        return self

    def run(self, features: Floats, corpus: int) -> Floats:
        assert corpus == 0
        logits: Floats = features.mean(axis=1, dtype=np.float32) @ self.matrix.T + self.bias
        return logits


TOY = Architecture(
    name="toy",
    sizes=ToySizes,
    inputs=("features",),
    weight_shapes=weight_shapes,
    network=ToyNetwork,
    may_be_whole=frozenset({"matrix"}),
)
