"""``edge-ser benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.notices import say
from edge.cli.options import add_model, positive_s
from edge.cli.renamed import add_report_options
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "benchmark",
        help="measure speed and memory on this device",
        description="Measure features, model and the whole on this device.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--duration",
        type=positive_s,
        default=10.0,
        metavar="S",
        help="seconds of measuring (default: %(default)s); the cold starts come on top",
    )
    add_model(parser)
    add_report_options(parser, "all figures")


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
        say(f"measuring for {args.duration:g} s")
    report = measure(classifier, args.duration)
    print(json.dumps(report) if args.json else format_report(report))
    if target is not None:
        write_report(target, report)
    return 0
