"""``edge-ser benchmark``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.errors import ParameterError

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Measure, print a table and write the figures."""
    if args.json is not None:
        # Better now than after the measuring.
        target = Path(args.json)
        if target.is_dir() or not target.parent.is_dir():
            raise ParameterError(
                f"--json is {args.json!r}, a file in a folder that exists is wanted"
            )
    from edge.benchmark.measure import format_report, measure, write_report
    from edge.cli.model import open_classifier

    classifier = open_classifier(args)
    if sys.stderr.isatty():
        print(f"edge-ser: measuring for {args.duration:g} s", file=sys.stderr, flush=True)
    report = measure(classifier, args.duration)
    print(format_report(report))
    if args.json is not None:
        write_report(args.json, report)
    return 0
