"""What a search has found: rows, the constraints they meet, the Pareto front, the choice."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.errors import ParameterError

__all__ = ["Choice", "Constraints", "Latency", "Row", "choose", "pareto_front", "rows_of"]

#: Points of accuracy that are no reason to take a larger file.
TIE_POINTS = 0.1

# Figures that are equal but for the last bit.
_EPSILON = 1e-9


class Latency(NamedTuple):
    """Milliseconds of one window of 2 s, with one thread."""

    ms: float  #: median of the processor's time
    p90: float  #: 90th percentile of it
    wall: float  #: median by the clock on the wall, with all that the machine did besides


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured trial beside the reference.

    Parameters
    ----------
    run, kind, name : str
        Whose artifact, what kind, and the trial's name.
    hidden : int
        BiLSTM units a direction.
    model_bytes, folder_bytes : int or None
        Of the model file and of the whole artifact; None for torch.
    n : int
        Held-out clips.
    accuracy, uar : float
        Shares.
    by_corpus : mapping
        ``n``, ``accuracy`` and ``uar`` of every corpus.
    drop, uar_drop : float
        Points below the reference; negative: above.
    agreement : float or None
        Share of clips with the label of its own run in torch.
    ms, ms_p90, ms_wall : float or None
        See :class:`Latency`.
    times_faster : float or None
        Than the reference, which runs in torch.
    times_faster_same_kind : float or None
        Than the reference's artifact of the same kind; None where there is none.
    """

    run: str
    kind: str
    name: str
    hidden: int
    model_bytes: int | None
    folder_bytes: int | None
    n: int
    accuracy: float
    uar: float
    by_corpus: Mapping[str, Mapping[str, Any]]
    drop: float
    uar_drop: float
    agreement: float | None
    ms: float | None
    ms_p90: float | None
    ms_wall: float | None
    times_faster: float | None
    times_faster_same_kind: float | None

    @property
    def kb(self) -> float:
        """Model file in kB of 1000 bytes; infinite for torch, which has none."""
        return math.inf if self.model_bytes is None else self.model_bytes / 1000

    @property
    def costs(self) -> tuple[float, float, float]:
        """Size, wrong answers, time: less is better."""
        return self.kb, -self.accuracy, math.inf if self.ms is None else self.ms


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
            if value is None:
                continue
            option = "--" + field.name.replace("_", "-")
            if field.name == "max_drop" and not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"{option} is {value}, a finite number of 0 or more is wanted")
            if not (math.isfinite(value) and (value > 0 or field.name == "max_drop")):
                raise ParameterError(f"{option} is {value}, a finite number above 0 is wanted")

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

    Rows that are alike in all three are all on the front.
    """
    return tuple(row for row in rows if not any(_beats(other, row) for other in rows))


def _beats(one: Row, other: Row) -> bool:
    pairs = list(zip(one.costs, other.costs, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


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
        chosen = min(tied, key=lambda row: (row.kb, row.costs[2], -row.accuracy))
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


def rows_of(results: Sequence[Mapping[str, Any]], latencies: Mapping[str, Latency]) -> list[Row]:
    """Rows of what was measured, held against the first, which is the reference in torch.

    Parameters
    ----------
    results : sequence of mapping
        Contents of trials' files, those of torch first; failed ones are left out.
    latencies : mapping
        By trial's name; one that is missing was not timed.
    """
    measured = [each for each in results if each["status"] == "measured"]
    reference = measured[0]
    answers = {each["run"]: each["answers"] for each in measured if each["kind"] == "torch"}
    of_reference = {
        each["kind"]: each["name"] for each in measured if each["run"] == reference["run"]
    }

    def ratio(slow: str | None, fast: str) -> float | None:
        if slow not in latencies or fast not in latencies:
            return None
        return latencies[slow].ms / latencies[fast].ms

    return [
        Row(
            run=each["run"],
            kind=each["kind"],
            name=each["name"],
            hidden=each["hidden"],
            model_bytes=each["model_bytes"],
            folder_bytes=each["folder_bytes"],
            n=each["n"],
            accuracy=each["accuracy"],
            uar=each["uar"],
            by_corpus=each["by_corpus"],
            drop=100 * (reference["accuracy"] - each["accuracy"]),
            uar_drop=100 * (reference["uar"] - each["uar"]),
            agreement=_agreement(answers.get(each["run"]), each["answers"]),
            **_times(latencies.get(each["name"])),
            times_faster=ratio(reference["name"], each["name"]),
            times_faster_same_kind=ratio(of_reference.get(each["kind"]), each["name"]),
        )
        for each in measured
    ]


def _times(latency: Latency | None) -> dict[str, float | None]:
    if latency is None:
        return dict.fromkeys(("ms", "ms_p90", "ms_wall"))
    return {"ms": latency.ms, "ms_p90": latency.p90, "ms_wall": latency.wall}


def _agreement(wanted: str | None, found: str) -> float | None:
    if wanted is None or len(wanted) != len(found):
        return None
    return sum(a == b for a, b in zip(wanted, found, strict=True)) / len(found)
