"""The constraints that rows of a search meet, their Pareto front, and the choice."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence

from quantize.basics.bounds import ABOVE_0, Bounds
from quantize.search.rows import Row

__all__ = ["Choice", "Constraints", "choose", "pareto_front"]

#: Points of accuracy that are no reason to take a larger file.
TIE_POINTS = 0.1

#: Times whose ratio is smaller are no reason to be on the front.
SAME_TIME = 1.05

# Figures that are equal but for the last bit.
_EPSILON = 1e-9

_DROP = Bounds(0.0, sys.float_info.max, "a finite number of 0 or more is wanted")


@dataclasses.dataclass(frozen=True)
class Constraints:
    """What an artifact must meet; None: no matter.

    Parameters
    ----------
    max_kb : float or None
        Size of the model file in kB of 1000 bytes.
    max_drop : float or None
        Points of accuracy below the reference.
    max_ms : float or None
        Median milliseconds of the processor for one window of 2 s.

    Raises
    ------
    ParameterError
        If one is not a finite number, or a size or a time is not above 0.
    """

    max_kb: float | None = None
    max_drop: float | None = None
    max_ms: float | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None:
                bounds = _DROP if field.name == "max_drop" else ABOVE_0
                bounds.check(value, "--" + field.name.replace("_", "-"))

    def items(self) -> list[tuple[str, float, str]]:
        """Option, limit and unit of each that is set."""
        units = {"max_kb": "kB", "max_drop": "points", "max_ms": "ms"}
        return [
            ("--" + name.replace("_", "-"), value, unit)
            for name, unit in units.items()
            if (value := getattr(self, name)) is not None
        ]

    def excess(self, row: Row) -> dict[str, float]:
        """By how much a row misses each option that it misses, in the option's unit."""
        is_now = {
            "--max-kb": row.kb,
            "--max-drop": row.drop,
            "--max-ms": math.inf if row.ms is None else row.ms,
        }
        return {
            option: is_now[option] - limit
            for option, limit, _ in self.items()
            if is_now[option] - limit > _EPSILON
        }


@dataclasses.dataclass(frozen=True)
class Choice:
    """What was chosen among the artifacts of a search.

    Parameters
    ----------
    chosen : Row or None
        The most accurate of those that meet all constraints.
    front : tuple of Row
        Those that no other beats, see :func:`pareto_front`.
    missed : mapping
        By a row's name, what :meth:`Constraints.excess` says; empty: it meets them all.
    nearest : Row or None
        The one that misses by the least, where none meets them all.
    sentence : str
        All that in words.
    """

    chosen: Row | None
    front: tuple[Row, ...]
    missed: Mapping[str, Mapping[str, float]]
    nearest: Row | None
    sentence: str


def pareto_front(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that no other beats: at least as small, accurate and fast, and better in one.

    Rows that are alike in all three are all on the front. A time must differ by more than
    :data:`SAME_TIME` to count: two measurements of one artifact differ by a few percent.
    """
    return tuple(row for row in rows if not any(_beats(other, row) for other in rows))


def _beats(one: Row, other: Row) -> bool:
    if one.kb > other.kb or one.accuracy < other.accuracy or _is_faster(other, one):
        return False
    return one.kb < other.kb or one.accuracy > other.accuracy or _is_faster(one, other)


def _is_faster(one: Row, other: Row) -> bool:
    if one.ms is None or other.ms is None:
        return one.ms is not None
    return one.ms * SAME_TIME < other.ms


def choose(rows: Sequence[Row], constraints: Constraints) -> Choice:
    """Choose an artifact: the most accurate that meets the constraints.

    Within :data:`TIE_POINTS` of it, the smallest file is taken, and of equal files the faster.

    Parameters
    ----------
    rows : sequence of Row
        Of artifacts; the reference in torch is none.
    constraints : Constraints
    """
    missed = {row.name: constraints.excess(row) for row in rows}
    front = pareto_front(rows)
    fit = [row for row in rows if not missed[row.name]]
    if fit:
        best = max(row.accuracy for row in fit)
        tied = [row for row in fit if 100 * (best - row.accuracy) <= TIE_POINTS + _EPSILON]
        chosen = min(tied, key=lambda row: (row.kb, math.inf if row.ms is None else row.ms))
        return Choice(chosen, front, missed, None, _praise(chosen, constraints, len(fit), rows))
    if not rows:
        return Choice(None, front, missed, None, "No artifact could be measured.")
    limits = {option: max(limit, 1.0) for option, limit, _ in constraints.items()}

    def distance(row: Row) -> float:
        return sum(by / limits[option] for option, by in missed[row.name].items())

    nearest = min(rows, key=distance)
    return Choice(None, front, missed, nearest, _complaint(nearest, constraints))


def _praise(chosen: Row, constraints: Constraints, n_fit: int, rows: Sequence[Row]) -> str:
    most = f"the most accurate of {len(rows)}"
    if constraints.items() and n_fit == 1:
        most = f"the only one of {len(rows)} that meets the constraints"
    elif constraints.items():
        most = f"the most accurate of the {n_fit} of {len(rows)} that meet the constraints"
    return f"{chosen.run} as {chosen.kind} is {most}: {_figures(chosen)}."


def _complaint(nearest: Row, constraints: Constraints) -> str:
    units = {option: (limit, unit) for option, limit, unit in constraints.items()}
    parts = [
        f"{by:.2f} {units[option][1]} over {option} {units[option][0]:g}"
        for option, by in constraints.excess(nearest).items()
    ]
    return (
        f"No artifact meets the constraints; the nearest, {nearest.run} as {nearest.kind} "
        f"({_figures(nearest)}), is {' and '.join(parts)}."
    )


def _figures(row: Row) -> str:
    words = [f"{row.kb:.1f} kB", f"accuracy {100 * row.accuracy:.1f} %"]
    words.append(
        f"{abs(row.drop):.1f} points {'below' if row.drop >= 0 else 'above'} the reference"
    )
    if row.ms is not None:
        words.append(f"{row.ms:.2f} ms")
    if row.times_faster is not None:
        words.append(f"{row.times_faster:.1f} x as fast as the reference in torch")
    return ", ".join(words)
