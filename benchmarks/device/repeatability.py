"""Whether two runs of ``edge-ser benchmark`` agree within the interval that they print.

    python -m benchmarks.device.repeatability FOLDER --pairs 10 --duration 30 \
        --output benchmarks/results/repeatability.json

Runs the command twice, one right after the other, as often as wanted, and compares each pair with
``--compare``: nothing changed between them, so every change beyond noise is a wrong one.  Exit code
1 where a pair does not agree.  On a machine that is not idle the intervals are as wide as it is
restless; the report says what else ran, and by how much the machine's pace differed.  A name that
two runtimes share is left to the one that is faster in a moment's trial, and two runs may not
choose alike: a folder is wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.command import at_least_one, tell
from benchmarks.shared.git_state import git_state
from edge.benchmark.compare import Difference, compare
from edge.benchmark.machine import describe_machine
from edge.benchmark.remarks import PaceOfBoth
from edge.benchmark.stored import name_of, read_report
from edge.errors import ParameterError

__all__ = ["agreement_of", "main"]

_ROOT = Path(__file__).resolve().parents[2]


def agreement_of(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Compare two runs of the same thing.

    Returns
    -------
    dict
        ``agree``, ``n_compared``, the figures that differ ``beyond_noise``, by how much the
        machine's pace differed, the median half width of the intervals that figures are judged by
        and one decision's change, as measured and at equal pace, with its interval; in percent.
    """
    found = compare(old, new)
    judged = [d for d in found.differences if d.judged != "not"]
    wrong = [d for d in judged if d.beyond_noise]
    return {
        "agree": not wrong,
        "n_compared": len(judged),
        "not_judged": sorted({d.what for d in found.differences if d.judged == "not"}),
        "beyond_noise": [
            {"artifact": d.artifact, "what": d.what, "percent": _judged_percent(d)} for d in wrong
        ],
        "half_width_percent": (
            None if found.half_width is None else round(100 * found.half_width, 2)
        ),
        "pace_percent": _percent_of_pace(found.pace),
        "decision": [
            {"artifact": d.artifact, "percent": round(100 * d.share, 2),
             "at_pace_percent": _judged_percent(d),
             "interval": [round(100 * x, 2) for x in d.interval if x is not None]}
            for d in found.differences if d.what == "hop: whole"
        ],
        "remarks": list(found.remarks),
        "valid": all((each.get("state") or {}).get("valid") is not False for each in (old, new)),
    }  # fmt: skip


def _judged_percent(difference: Difference) -> float:
    judged = difference if difference.at_pace is None else difference.at_pace
    return round(100 * judged.share, 2)


def _percent_of_pace(pace: PaceOfBoth) -> float | None:
    if pace.old_ms is None or pace.new_ms is None:
        return None
    return round(100 * (pace.new_ms / pace.old_ms - 1), 2)


def measure(options: Sequence[str], path: Path) -> dict[str, Any]:
    """Run the command once, in a process of its own as a person would."""
    command = [sys.executable, "-m", "edge.cli.main", "benchmark", *options, "--output", str(path)]
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ParameterError(f"edge-ser benchmark failed: {done.stderr.strip()[-500:]}")
    return read_report(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.device.repeatability",
        description=(__doc__ or "").splitlines()[0],
    )
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help="as of the command")
    parser.add_argument("--pairs", type=int, default=10, help="how many (%(default)s)")
    parser.add_argument("--duration", type=float, default=30.0, help="seconds (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(arguments)

    def measured() -> dict[str, Any]:
        at_least_one("--pairs", args.pairs)
        return repeat(args.artifacts, args.pairs, args.duration)

    return tell(measured, table, args.output)


def repeat(artifacts: Sequence[str], n_pairs: int, duration_s: float) -> dict[str, Any]:
    """Measure pairs and say how many of them agree."""
    options = [*artifacts, "--duration", f"{duration_s:g}"]
    pairs, measured = [], []
    with tempfile.TemporaryDirectory() as folder:
        for at in range(n_pairs):
            print(f"pair {at + 1} of {n_pairs} ...", file=sys.stderr, flush=True)
            old, new = (measure(options, Path(folder, f"{name}.json")) for name in ("old", "new"))
            pairs.append(agreement_of(old, new))
            measured = [name_of(each) for each in new["artifacts"]]
    n_agree = sum(pair["agree"] for pair in pairs)
    return {
        "benchmark": "two runs of edge-ser benchmark next to each other",
        "command": "python -m benchmarks.device.repeatability "
        + " ".join([*map(json.dumps, artifacts), f"--pairs {n_pairs} --duration {duration_s:g}"]),
        **git_state("edge", "benchmarks/device"),
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "artifacts": measured,
        "pairs": pairs,
        "n_pairs": n_pairs,
        "n_agree": n_agree,
        "met": n_agree == n_pairs,
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = [
        f"{'pair':>4} {'agree':>6} {'figures':>8} {'pace':>9} {'half width':>11}   beyond noise"
    ]
    for at, pair in enumerate(result["pairs"]):
        wrong = ", ".join(f"{d['what']} {d['percent']:+.1f} %" for d in pair["beyond_noise"])
        lines.append(
            f"{at + 1:>4} {'yes' if pair['agree'] else 'NO':>6} {pair['n_compared']:>8} "
            f"{pair['pace_percent']:>+7} % {pair['half_width_percent']:>9} %   {wrong}".rstrip()
        )
    lines.append(f"{result['n_agree']} of {result['n_pairs']} pairs agree")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
