"""Many trials of every target, or one again."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from fuzz.run import HANG_S, Report, missing_packages, run_target
from fuzz.target import TARGETS

_COLUMNS = (
    ("untyped", ("untyped",)),
    ("unsound", ("unsound",)),
    ("hangs", ("hang",)),
    ("died", ("died",)),
    ("> 1 s", ("slow",)),
    ("> 256 MB", ("memory",)),
    ("programs", ("forbidden",)),
)


def main() -> int:
    """Run what the command line names; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--only", choices=TARGETS, help="one target (default: all)")
    parser.add_argument("-n", "--n", type=int, help="trials a target (default: 10000)")
    parser.add_argument("--seed", type=int, help="the first seed; alone: this one trial again")
    parser.add_argument("--product", action="store_true", help="leave no road shorter")
    parser.add_argument("--save", type=Path, default=Path("fuzz-findings"), metavar="DIR")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="also write the figures as JSON"
    )
    parser.add_argument("--hang-s", type=float, default=HANG_S, metavar="S")
    options = parser.parse_args()
    n = options.n if options.n is not None else 1 if options.seed is not None else 10_000
    reports = []
    for target in [options.only] if options.only else TARGETS:
        missing = missing_packages(target)
        if missing:
            print(f"{target}: left out, {', '.join(missing)} is not installed")
            continue
        report = run_target(
            target, options.seed or 0, n, product=options.product,
            save=options.save.resolve(), hang_s=options.hang_s,
        )  # fmt: skip
        reports.append(report)
        _print(report, options.save)
    if options.output:
        rows = [_row(report) for report in reports]
        options.output.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(report.findings for report in reports))


def _row(report: Report) -> dict[str, object]:
    return {
        "target": report.target,
        "trials": report.n_trials,
        "refused": report.n_refused,
        "answered": report.n_answered,
        "contained": report.n_contained,
        **{name: report.count(*kinds) for name, kinds in _COLUMNS},
        "worst_s": round(report.worst_s, 3),
        "worst_mb": round(report.worst_mb, 1),
        "wall_s": round(report.wall_s, 1),
    }


def _print(report: Report, save: Path) -> None:
    for finding in report.findings:
        print(f"\n{finding.target}, seed {finding.seed}: {finding.kind}")
        print(finding.text.rstrip())
        print(f"again: python -m fuzz --only {finding.target} --seed {finding.seed}")
        print(f"input: {save / finding.target / str(finding.seed)}", flush=True)
    print(", ".join(f"{key} {value}" for key, value in _row(report).items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
