"""What ``edge-ser benchmark`` says of this machine, as docs/benchmarks.md keeps it.

    python -m benchmarks.device --duration 30 --output benchmarks/results/device.json

Runs the command on every bundled model and runtime, with ``--live``, and keeps its report without
the raw values, which the command's own ``--output`` has.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.device.repeatability import measure
from benchmarks.shared.git_state import git_state
from edge.benchmark.table import format_report
from edge.errors import EdgeSerError
from quantize.basics.files import write_json

__all__ = ["main", "without_raw"]


def without_raw(part: Any) -> Any:
    """Leave out every single run, of all blocks of a report."""
    if isinstance(part, dict):
        return {key: without_raw(value) for key, value in part.items() if key != "raw"}
    return [without_raw(value) for value in part] if isinstance(part, list) else part


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.device", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help="(default: --all)")
    parser.add_argument("--duration", type=float, default=30.0, help="seconds (%(default)s)")
    parser.add_argument("--live", type=float, default=30.0, help="seconds (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(arguments)
    options = [*(args.artifacts or ["--all"]), "--duration", f"{args.duration:g}",
               "--live", f"{args.live:g}"]  # fmt: skip
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = measure(options, Path(folder, "report.json"))
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    print(format_report(report))
    if args.output is not None:
        about = {
            "command": f"python -m benchmarks.device --duration {args.duration:g}",
            **git_state("edge", "benchmarks/device"),
        }
        write_json(args.output, {**about, **without_raw(report)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
