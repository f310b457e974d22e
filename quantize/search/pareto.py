"""The constraints that candidates of a search meet, their Pareto front, and the choice."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

from quantize.basics.settings import Above0, Settings, between
from quantize.search.candidates import Candidate

__all__ = ["SAME_TIME", "Choice", "Constraints", "choose", "pareto_front"]

#: Points of accuracy that are no reason to take a larger file.
TIE_POINTS = 0.1

#: Times whose ratio is smaller are no reason to be on the front.
SAME_TIME = 1.05

# Figures that are equal but for the last bit.
_EPSILON = 1e-9

_Drop = Annotated[float, between(0.0, sys.float_info.max, "a finite number of 0 or more is wanted")]


class Constraints(Settings, frozen=True):
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

    max_kb: Above0 | None = None
    max_drop: _Drop | None = None
    max_ms: Above0 | None = None

    def called(self, name: str) -> str:
        """As the command calls it."""
        return "--" + name.replace("_", "-")

    def items(self) -> list[tuple[str, float, str]]:
        """Option, limit and unit of each that is set."""
        units = {"max_kb": "kB", "max_drop": "points", "max_ms": "ms"}
        return [
            ("--" + name.replace("_", "-"), value, unit)
            for name, unit in units.items()
            if (value := getattr(self, name)) is not None
        ]

    def excess(self, candidate: Candidate) -> dict[str, float]:
        """By how much a candidate misses each option that it misses, in the option's unit."""
        is_now = {
            "--max-kb": candidate.kb,
            "--max-drop": candidate.drop,
            "--max-ms": _time_ms(candidate),
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
    chosen : Candidate or None
        The most accurate of those that meet all constraints.
    front : tuple of Candidate
        Those that none of them beats, see :func:`pareto_front`.
    missed : mapping
        By a candidate's name, what :meth:`Constraints.excess` says; empty: it meets them all.
    nearest : Candidate or None
        The one that misses by the least, where none meets them all.
    sentence : str
        All that in words.
    """

    chosen: Candidate | None
    front: tuple[Candidate, ...]
    missed: Mapping[str, Mapping[str, float]]
    nearest: Candidate | None
    sentence: str


def pareto_front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Candidates that none on the front beats: at least as small, accurate and fast, better in one.

    A time must differ by more than :data:`SAME_TIME` to count: two measurements of one artifact
    differ by a few percent.  That alone is no order: of many candidates, each a little smaller and
    a little slower than the one before, each beats the one before it, and the last, which is much
    slower than the first, does not beat that.  So a candidate is left out only by one that stays:
    who is itself left out leaves nobody out.  What beats a candidate is smaller, or as small and
    more accurate, or alike in both and faster, so in that order everyone is judged by those
    before, and the front does not depend on the order in which they are given.

    Returns
    -------
    tuple of Candidate
        In the order given; those that are alike in all three together.
    """
    order = sorted(
        range(len(candidates)),
        key=lambda i: (candidates[i].kb, -candidates[i].accuracy, _time_ms(candidates[i])),
    )
    kept: list[int] = []
    for i in order:
        if not any(_beats(candidates[k], candidates[i]) for k in kept):
            kept.append(i)
    return tuple(candidates[i] for i in sorted(kept))


def _time_ms(candidate: Candidate) -> float:
    """Infinite where it was not timed."""
    return math.inf if candidate.ms is None else candidate.ms


def _beats(one: Candidate, other: Candidate) -> bool:
    if one.kb > other.kb or one.accuracy < other.accuracy or _is_faster(other, one):
        return False
    return one.kb < other.kb or one.accuracy > other.accuracy or _is_faster(one, other)


def _is_faster(one: Candidate, other: Candidate) -> bool:
    return _time_ms(one) * SAME_TIME < _time_ms(other)


def choose(candidates: Sequence[Candidate], constraints: Constraints) -> Choice:
    """Choose an artifact: the most accurate that meets the constraints.

    Within :data:`TIE_POINTS` of it, the smallest file is taken, and of equal files the faster.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of artifacts; the reference in torch is none.
    constraints : Constraints
    """
    missed = {candidate.name: constraints.excess(candidate) for candidate in candidates}
    front = pareto_front(candidates)
    fit = [candidate for candidate in candidates if not missed[candidate.name]]
    if fit:
        best = max(candidate.accuracy for candidate in fit)
        tied = [
            candidate
            for candidate in fit
            if 100 * (best - candidate.accuracy) <= TIE_POINTS + _EPSILON
        ]
        chosen = min(tied, key=lambda candidate: (candidate.kb, _time_ms(candidate)))
        return Choice(
            chosen, front, missed, None, _praise(chosen, constraints, len(fit), candidates)
        )
    if not candidates:
        return Choice(None, front, missed, None, "No artifact could be measured.")
    limits = {option: max(limit, 1.0) for option, limit, _ in constraints.items()}

    def distance(candidate: Candidate) -> float:
        return sum(by / limits[option] for option, by in missed[candidate.name].items())

    nearest = min(candidates, key=distance)
    return Choice(None, front, missed, nearest, _complaint(nearest, constraints))


def _praise(
    chosen: Candidate, constraints: Constraints, n_fit: int, candidates: Sequence[Candidate]
) -> str:
    most = f"the most accurate of {len(candidates)}"
    if constraints.items() and n_fit == 1:
        most = f"the only one of {len(candidates)} that meets the constraints"
    elif constraints.items():
        most = f"the most accurate of the {n_fit} of {len(candidates)} that meet the constraints"
    return f"{chosen.run} as {chosen.kind} is {most}: {_figures(chosen)}."


def _complaint(nearest: Candidate, constraints: Constraints) -> str:
    units = {option: (limit, unit) for option, limit, unit in constraints.items()}
    parts = [
        f"{by:.2f} {units[option][1]} over {option} {units[option][0]:g}"
        for option, by in constraints.excess(nearest).items()
    ]
    return (
        f"No artifact meets the constraints; the nearest, {nearest.run} as {nearest.kind} "
        f"({_figures(nearest)}), is {' and '.join(parts)}."
    )


def _figures(candidate: Candidate) -> str:
    words = [f"{candidate.kb:.1f} kB", f"accuracy {100 * candidate.accuracy:.1f} %"]
    side = "below" if candidate.drop >= 0 else "above"
    words.append(f"{abs(candidate.drop):.1f} points {side} the reference")
    if candidate.ms is not None:
        words.append(f"{candidate.ms:.2f} ms")
    if candidate.times_faster is not None:
        words.append(f"{candidate.times_faster:.1f} x as fast as the reference in torch")
    return ", ".join(words)
