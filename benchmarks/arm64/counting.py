"""Instructions of every stage, and whether they are more than they were."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks.arm64.emulate import Counts
from benchmarks.arm64.stages import STAGES

__all__ = ["TOLERANCE", "by_stage", "exceeded", "summed"]

#: A stage may take this part more than was kept before it is a regression; runs repeat to 0.02 %.
TOLERANCE = 0.02


def by_stage(marks: Counts) -> dict[str, list[int]]:
    """Instructions of every run of every stage, all threads together.

    Parameters
    ----------
    marks : list of (number, own, all)
        In the order in which they were made.

    Returns
    -------
    dict
        Stage to the instructions of its runs, less what two marks cost.
    """
    found: dict[str, list[int]] = {}
    began = 0
    for number, _, total in marks:
        if number % 2 == 0:
            began = total
        else:
            found.setdefault(STAGES[number // 2], []).append(total - began)
    nothing = round(statistics.median(found.pop("nothing", [0])))
    return {stage: [max(0, n - nothing) for n in counts] for stage, counts in found.items()}


def summed(counts: Mapping[str, list[int]]) -> dict[str, Any]:
    """Medians of the stages, with what remains of a hop beside its parts as ``decision``.

    Parameters
    ----------
    counts : mapping
        From :func:`by_stage`.

    Returns
    -------
    dict
        ``n`` runs; ``instructions`` and ``spread`` by stage, the latter as (most - least) / median.
        ``resample`` is less the capture beside it.
    """
    middle = {stage: round(statistics.median(runs)) for stage, runs in counts.items()}
    spread = {
        stage: round((max(runs) - min(runs)) / max(middle[stage], 1), 5)
        for stage, runs in counts.items()
    }
    if "resample" in middle:
        middle["resample"] -= middle["capture_copy"]
    parts = ("features_increment", "gate", "model")
    if "hop" in middle:
        middle["decision"] = middle["hop"] - sum(middle.get(part, 0) for part in parts)
    n_runs = min(len(runs) for runs in counts.values())
    return {"n": n_runs, "instructions": middle, "spread": spread}


def exceeded(
    kept: Mapping[str, int], now: Mapping[str, int], tolerance: float = TOLERANCE
) -> list[str]:
    """Say which stages take more than was kept.

    Parameters
    ----------
    kept, now : mapping of str to int
        Stage to instructions.
    tolerance : float
        Part by which a stage may exceed.

    Returns
    -------
    list of str
        A sentence each.  ``decision`` is a difference and is judged within ``hop``; a stage that
        is missing on either side is not judged.
    """
    said = []
    for stage in STAGES:
        if stage not in kept or stage not in now:
            continue
        if now[stage] > kept[stage] + tolerance * kept[stage]:
            more = now[stage] / max(kept[stage], 1) - 1
            said.append(
                f"{stage} takes {now[stage]:,} instructions, {100 * more:.1f} % more than the "
                f"{kept[stage]:,} that were kept; at most {100 * tolerance:g} % is allowed"
            )
    return said
