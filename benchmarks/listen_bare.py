"""What sinks cost a `listen` that names none: two checkouts in turn, and the ratio of each figure.

    git worktree add /tmp/before COMMIT
    python -m benchmarks.listen_bare --before /tmp/before

COMMIT is the one in front of the first sinks. Both run in this Python, with `listen --source demo
--fast --backend numpy` and no configuration file, in pairs whose order alternates, so that what
else the machine does meets both. Processor time and largest resident memory are the kernel's;
times are those until `--help` has ended and until the first decision is printed. The model is
that of the later checkout for both, as the bundled ones change; where the earlier cannot read it,
`--artifact` names another.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.git_state import git_state
from edge.benchmark.machine import describe_machine
from quantize.basics.files import write_json

ROOT = Path(__file__).resolve().parents[1]
#: A process inherits the peak of who starts it: one that is smaller than any that is measured.
_LAUNCHER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
process.stdout.readline()
first = time.perf_counter() - began
process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
code = process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps({
    "first_line_s": round(first, 4), "wall_s": round(time.perf_counter() - began, 4),
    "processor_s": round(usage.ru_utime + usage.ru_stime, 4),
    "peak_rss_mb": round(usage.ru_maxrss / 1024, 3),
}))
sys.exit(min(abs(code), 125))
"""
FIGURES = ("help_s", "first_decision_s", "wall_s", "processor_s", "peak_rss_mb")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure pairs, print the ratios and write the file."""
    args = _parser().parse_args(argv)
    checkouts = {"before": args.before.resolve(), "after": args.after.resolve()}
    for name, folder in checkouts.items():
        if not (folder / "edge_ser" / "start.py").exists():
            print(
                f"listen_bare: error: --{name} is {folder}, a checkout is wanted: "
                f"git worktree add {folder} COMMIT",
                file=sys.stderr,
            )
            return 2
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    try:
        for n in range(-args.warm_up, args.pairs):
            # Who goes first is not always the same: the second finds a warmer machine.
            for name in sorted(checkouts, reverse=bool(n % 2)):
                figures = _measure(checkouts[name], args.artifact)
                if n >= 0:
                    runs[name].append(figures)
    except RuntimeError as error:
        print(f"listen_bare: error: {error}", file=sys.stderr)
        return 2
    result = {
        "type": "listen_bare",
        "machine": describe_machine(),
        **git_state("edge", "edge_ser", "benchmarks/listen_bare.py"),
        "before_commit": _commit(checkouts["before"]),
        "after_commit": _commit(checkouts["after"]),
        "artifact": args.artifact.name,
        "method": {
            "pairs": args.pairs, "warm_up": args.warm_up, "python": sys.version.split()[0],
            "words": _words(args.artifact.name),
        },
        "figures": {name: _compared(runs, name) for name in FIGURES},
        "raw": runs,
    }  # fmt: skip
    for name, each in result["figures"].items():
        low, high = each["ratio_iqr"]
        print(
            f"{name:17} {each['before']:9.4f} -> {each['after']:9.4f}   x {each['ratio']:.3f} "
            f"({low:.3f}-{high:.3f})"
        )
    if args.output:
        write_json(args.output, result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, metavar="DIR", help="a checkout")
    parser.add_argument(
        "--after", type=Path, default=ROOT, metavar="DIR", help="another (default: this one)"
    )
    parser.add_argument("--pairs", type=int, default=40, help="(default: 40)")
    parser.add_argument("--warm-up", type=int, default=2, help="pairs not counted (default: 2)")
    parser.add_argument(
        "--artifact",
        type=Path,
        default=ROOT / "edge" / "bundled" / "claf-ser-int8",
        metavar="DIR",
        help="of both (default: the bundled claf-ser-int8 of this checkout)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON")
    return parser


def _words(artifact: str) -> list[str]:
    return [
        "listen", "--source", "demo", "--fast", "--json", "--backend", "numpy", "--config",
        os.devnull, "--artifact", artifact,
    ]  # fmt: skip


def _measure(checkout: Path, artifact: Path) -> dict[str, float]:
    """Run it twice: for its help, and for its decisions."""
    helped = _run(checkout, ["listen", "--help"])
    listened = _run(checkout, _words(str(artifact.resolve())))
    return {
        "help_s": helped["wall_s"],
        "first_decision_s": listened["first_line_s"],
        "wall_s": listened["wall_s"],
        "processor_s": listened["processor_s"],
        "peak_rss_mb": listened["peak_rss_mb"],
    }


def _run(checkout: Path, words: Sequence[str]) -> dict[str, float]:
    """Run the command line of a checkout.

    Raises
    ------
    RuntimeError
        If it ends with anything but 0.
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, sys.executable, "-m", "edge_ser", *words],
        check=False, capture_output=True, text=True, env=environment, cwd=checkout,
    )  # fmt: skip
    if done.returncode:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        raise RuntimeError(f"{checkout} ended with {done.returncode}: {said}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _compared(runs: Mapping[str, list[dict[str, float]]], name: str) -> dict[str, Any]:
    """Give the medians of both, and the median and quartiles of the ratios of pairs."""
    before, after = ([run[name] for run in runs[side]] for side in ("before", "after"))
    ratios = [b / a for a, b in zip(before, after, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return {
        "before": round(statistics.median(before), 4),
        "after": round(statistics.median(after), 4),
        "ratio": round(statistics.median(ratios), 4),
        "ratio_iqr": [round(low, 4), round(high, 4)],
    }


def _commit(checkout: Path) -> str | None:
    done = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
