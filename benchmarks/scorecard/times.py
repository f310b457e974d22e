"""How long it all took: a file of seconds by step, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from edge.errors import how_many
from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json
from quantize.basics.json_files import read_json_file

__all__ = ["write_times"]


def write_times(path: Path, steps: Sequence[Step], ledger: Ledger, wall_s: float) -> str:
    """Write how long steps took, and say it.

    Parameters
    ----------
    path : path
        A JSON file: ``steps``, seconds by the name of the step when it was last run, ``steps_s``,
        all of them together, ``wall_s``, the seconds of every call that has written here, and
        ``total_wall_s``, their sum.
    steps : sequence of Step
        All that were asked for.
    ledger : Ledger
    wall_s : float
        How long this call took, which is less where steps ran side by side.
    """
    known = ledger.seconds
    took = {step.name: known[step.name] for step in steps if step.name in known}
    before = _walls(path)
    walls = [*before, round(wall_s, 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    times = {"steps": took, "steps_s": round(sum(took.values()), 1), "wall_s": walls}
    write_json(path, {**times, "total_wall_s": round(sum(walls), 1)})
    told = f"{_minutes(wall_s)} min"
    if before:
        told += f", {_minutes(sum(walls))} min with the {how_many(len(before), 'call')} before"
    return f"{told}; {path} has the seconds of every step"


def _walls(path: Path) -> list[float]:
    """Of earlier calls; none where the file is not what is written here."""
    try:
        found = read_json_file(path, dict, "record of times", "it is written anew")
        return [float(each) for each in found["wall_s"]]
    except (TrainingError, KeyError, TypeError, ValueError):
        return []


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}"
