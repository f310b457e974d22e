"""What was measured of leaving segments unanswered, as a manifest holds it.

A label is worth saying where its probability reaches a bar.  How often the model answers at a
bar, and how often it is right then, was measured on speakers whom it had never heard; so was
how a posterior tells the aroused from the calm.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from edge.artifact.budgets import MAX_BARS, MAX_COMMAND_LETTERS, MAX_SLOPE
from edge.artifact.checks import finite, items, one_line, record, whole
from edge.errors import ArtifactError, how_many

__all__ = ["Abstention", "ActivationScale", "CoverageRow"]


@dataclasses.dataclass(frozen=True, slots=True)
class ActivationScale:
    """Logistic calibration of the activation: of the log odds, the defaults change nothing.

    Parameters
    ----------
    slope : float
        Above 0.
    offset : float
        Added to the log odds.
    """

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def from_dict(cls, value: object) -> ActivationScale:
        """Check and build from plain JSON types."""
        fields = record("abstention.activation", value, cls)
        scale = cls(
            **{key: finite(f"abstention.activation.{key}", found) for key, found in fields.items()}
        )
        if not 0 < scale.slope <= MAX_SLOPE:
            raise ArtifactError(
                f"abstention.activation.slope is {scale.slope:g}, above 0 and up to "
                f"{MAX_SLOPE:g} is wanted"
            )
        if abs(scale.offset) > MAX_SLOPE:
            raise ArtifactError(
                f"abstention.activation.offset is {scale.offset:g}, {-MAX_SLOPE:g} to "
                f"{MAX_SLOPE:g} is wanted"
            )
        return scale


@dataclasses.dataclass(frozen=True, slots=True)
class CoverageRow:
    """What a bar leaves of the answers, in a file the list ``[bar, coverage, accuracy, n]``.

    Parameters
    ----------
    bar : float
        Least probability that is answered.
    coverage : float
        Share of the segments that reach it.
    accuracy : float or None
        Share of those that were right; None where none reached it.
    n : int
        How many reached it.
    """

    bar: float
    coverage: float
    accuracy: float | None
    n: int

    @classmethod
    def from_list(cls, where: str, value: object) -> CoverageRow:
        """Check and build from plain JSON types."""
        found = items(where, value)
        if len(found) != 4:
            raise ArtifactError(
                f"{where} has {how_many(len(found), 'value')}, 4 are wanted: bar, coverage, "
                "accuracy and n"
            )
        n = whole(f"n of {where}", found[3], 0)
        if (found[2] is None) != (n == 0):
            raise ArtifactError(
                f"{where} has accuracy {found[2]} of {n} answers: null is wanted where there are "
                "none, and there alone"
            )
        bar, coverage = (
            _share(f"{name} of {where}", share)
            for name, share in (("bar", found[0]), ("coverage", found[1]))
        )
        accuracy = None if found[2] is None else _share(f"accuracy of {where}", found[2])
        return cls(bar, coverage, accuracy, n)


@dataclasses.dataclass(frozen=True, slots=True)
class Abstention:
    """When the model had better say nothing.

    Parameters
    ----------
    min_probability : float
        A label below it is not said, unless another bar is asked for; 0: every one is.
    coverage : tuple of CoverageRow
        By rising bar.
    split : str
        What it was measured on.
    command, commit : str
        What measured it.
    activation : ActivationScale
    """

    min_probability: float
    coverage: tuple[CoverageRow, ...]
    split: str
    command: str
    commit: str
    activation: ActivationScale = ActivationScale()

    @classmethod
    def from_dict(cls, value: object) -> Abstention:
        """Check and build from plain JSON types.

        Raises
        ------
        ArtifactError
            If a key is unknown or missing, or a number is none or contradicts its neighbours.
        """
        fields = record("abstention", value, cls)
        for name in ("split", "command", "commit"):
            one_line(f"abstention.{name}", fields[name], MAX_COMMAND_LETTERS)
        fields["min_probability"] = _share("abstention.min_probability", fields["min_probability"])
        fields["coverage"] = _coverage(fields["coverage"])
        if "activation" in fields:
            fields["activation"] = ActivationScale.from_dict(fields["activation"])
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the inverse of :meth:`from_dict`."""
        return dataclasses.asdict(self) | {
            "coverage": [list(dataclasses.astuple(row)) for row in self.coverage]
        }


def _coverage(value: object) -> tuple[CoverageRow, ...]:
    found = items("abstention.coverage", value)
    if len(found) > MAX_BARS:
        raise ArtifactError(
            f"abstention.coverage has {len(found)} rows, at most {MAX_BARS} are wanted"
        )
    rows = tuple(
        CoverageRow.from_list(f"abstention.coverage[{index}]", row)
        for index, row in enumerate(found)
    )
    for index, (before, row) in enumerate(itertools.pairwise(rows), 1):
        if row.bar <= before.bar or row.coverage > before.coverage or row.n > before.n:
            raise ArtifactError(
                f"abstention.coverage[{index}] does not follow from the row before: bars rise, "
                "and a higher one leaves no more answers"
            )
    return rows


def _share(where: str, value: object) -> float:
    share = finite(where, value)
    if not 0 <= share <= 1:
        raise ArtifactError(f"{where} is {share:g}, 0 to 1 is wanted")
    return share
