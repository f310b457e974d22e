"""``edge-ser benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edge.errors import ParameterError

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Measure, print a table and write the figures."""
    target: Path | None = args.output
    # Better now than after the measuring.
    if target is not None and (target.is_dir() or not target.parent.is_dir()):
        raise ParameterError(
            f"--output is {str(target)!r}, a file in a folder that exists is wanted"
        )
    from edge.benchmark.measure import format_report, measure, write_report
    from edge.cli.model import open_classifier

    classifier = open_classifier(args)
    if sys.stderr.isatty():
        print(f"edge-ser: measuring for {args.duration:g} s", file=sys.stderr, flush=True)
    report = measure(classifier, args.duration)
    print(json.dumps(report) if args.json else format_report(report))
    if target is not None:
        write_report(target, report)
    return 0
