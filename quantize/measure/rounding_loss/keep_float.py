"""Layers kept in float, one after another, until rounding the others costs little enough.

The idea is that of accuracy-aware quantization as in NNCF (github.com/openvinotoolkit/nncf): rank
the layers by what rounding each of them does, give the worst back their float weights, and stop
as soon as the figures hold.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from edge.errors import BackendError
from quantize.basics.errors import RecipeError
from quantize.basics.tables import aligned
from quantize.export.rounding.layers import LAYERS
from quantize.export.rounding.recipe import RoundingRecipe
from quantize.measure.evaluate import Evaluation

__all__ = ["Rounded", "Step", "keep_until", "may_keep", "ranked", "step_table", "steps_of"]

# Drops are differences of shares, whose last bits mean nothing.
_EPSILON = 1e-9


@dataclasses.dataclass(frozen=True)
class Rounded:
    """An artifact, measured: bytes of its model file, and its answers."""

    model_bytes: int
    answers: Evaluation


#: A recipe's artifact on some of the clips; ``True``: on a part of them that is enough to rank.
Measure = Callable[[RoundingRecipe, bool], Rounded]


@dataclasses.dataclass(frozen=True)
class Step:
    """What a recipe costs with some layers kept in float.

    Parameters
    ----------
    kept : tuple of str
        Layers kept beyond those of the recipe.
    model_bytes : int or None
        Of the model file; None where the export was refused: its answers are too far away.
    accuracy, uar : float or None
        Shares.
    accuracy_drop, uar_drop : float or None
        Percentage points below float32; negative: above.
    """

    kept: tuple[str, ...]
    model_bytes: int | None = None
    accuracy: float | None = None
    uar: float | None = None
    accuracy_drop: float | None = None
    uar_drop: float | None = None

    @property
    def drop(self) -> float:
        """The larger of both drops; infinite where nothing could be measured."""
        if self.accuracy_drop is None or self.uar_drop is None:
            return math.inf
        return max(self.accuracy_drop, self.uar_drop)

    def holds(self, max_drop: float) -> bool:
        """Tell whether neither figure drops by more."""
        return self.drop <= max_drop + _EPSILON

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**dataclasses.asdict(self), "kept": list(self.kept)}


def may_keep(recipe: RoundingRecipe) -> list[str]:
    """Layers that a recipe rounds and its runtime could keep in float.

    Both halves of an LSTM together where the runtime rounds it as a whole.
    """
    names = [layer for layer in LAYERS if not recipe.is_float(layer)]
    if recipe.backend != "numpy":
        names = list(dict.fromkeys("lstm" if n.startswith("lstm.") else n for n in names))
    return [name for name in names if _changed(recipe, (name,)) is not None]


def ranked(
    recipe: RoundingRecipe, layers: Sequence[str], exact: Evaluation, measure: Measure
) -> list[str]:
    """Order layers by what their rounding does: first the one that is best given back to float.

    Each in turn is kept in float alone; the nearer the posteriors come to those of float32, the
    further in front it stands.  A label changes seldom, a posterior always does.

    Parameters
    ----------
    recipe : RoundingRecipe
    layers : sequence of str
        Those of :func:`may_keep`.
    exact : Evaluation
        Of float32, on the part of the clips that ``measure`` ranks on.
    measure : callable
    """

    def distance(layer: str) -> float:
        changed = _changed(recipe, (layer,))
        found = None if changed is None else _measured(measure, changed, True)
        if found is None:
            return math.inf
        return float(np.abs(found.answers.posteriors - exact.posteriors).mean())

    # Of equals, the one that comes first in the network.
    return sorted(layers, key=distance)


def steps_of(
    recipe: RoundingRecipe, order: Iterable[str], exact: Evaluation, measure: Measure
) -> Iterator[Step]:
    """Measure a recipe as it is, then with ever more layers of ``order`` in float.

    ``order`` is asked for a layer only when the one before was measured.
    """
    kept: tuple[str, ...] = ()
    wanted = exact.figures()
    # Nobody ranks before it is known that the recipe alone does not do.
    for layer in itertools.chain((None,), order):
        kept += () if layer is None else (layer,)
        changed = _changed(recipe, kept)
        if changed is None:
            # Nothing would be left to round.
            return
        found = _measured(measure, changed, False)
        if found is None:
            yield Step(kept)
            continue
        figures = found.answers.figures()
        yield Step(
            kept,
            found.model_bytes,
            figures["accuracy"],
            figures["uar"],
            100 * (wanted["accuracy"] - figures["accuracy"]),
            100 * (wanted["uar"] - figures["uar"]),
        )


def keep_until(max_drop: float, steps: Iterable[Step]) -> tuple[Step | None, list[Step]]:
    """Take steps until one holds; returns it, or None, and all that were taken."""
    taken = []
    for step in steps:
        taken.append(step)
        if step.holds(max_drop):
            return step, taken
    return None, taken


def step_table(steps: Sequence[Step], max_drop: float) -> str:
    """Aligned text, one line a step."""

    def shown(value: float | None, factor: float = 100, sign: str = "") -> str:
        return "-" if value is None else f"{factor * value + 0.0:{sign}.2f}"

    header = ["kept in float", "kB", "accuracy %", "points", "UAR %", "points", ""]
    lines = [
        [
            "+ " + step.kept[-1] if step.kept else "the recipe's",
            "-" if step.model_bytes is None else f"{step.model_bytes / 1000:.1f}",
            shown(step.accuracy),
            shown(None if step.accuracy_drop is None else -step.accuracy_drop, 1, "+"),
            shown(step.uar),
            shown(None if step.uar_drop is None else -step.uar_drop, 1, "+"),
            "holds" if step.holds(max_drop) else "",
        ]
        for step in steps
    ]
    return "\n".join(aligned([header, *lines]))


def _changed(recipe: RoundingRecipe, kept: Sequence[str]) -> RoundingRecipe | None:
    try:
        return recipe.changed(float_layers=kept)
    except RecipeError:
        return None


def _measured(measure: Measure, recipe: RoundingRecipe, to_rank: bool) -> Rounded | None:
    """None where the export is refused, because its answers are too far from torch's."""
    try:
        return measure(recipe, to_rank)
    except BackendError:
        return None
