"""What is done with a report of ``edge-ser benchmark``: table, JSON, picture, page, comparison."""

from __future__ import annotations

import argparse
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.options import number
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.benchmark.compare import Comparison

__all__ = ["Telling", "add_telling"]

_TOLERANCE = 0.05


def add_telling(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--from",
        dest="stored",
        type=Path,
        metavar="REPORT",
        help="measure nothing: take the report that an earlier --output wrote",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD",
        help="print what changed since that report, beyond noise and at equal pace of the "
        "machine; the exit code is 1 when anything is worse by more than --tolerance",
    )
    parser.add_argument(
        "--tolerance",
        type=_percent,
        metavar="P%",
        help="by how much a figure may grow, of --compare (default: 5%%)",
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="PNG",
        help="also draw times, stages, size and accuracy (needs matplotlib)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        metavar="HTML",
        help="also write one page that needs nothing else (needs matplotlib)",
    )


@dataclass(frozen=True, slots=True)
class Telling:
    """What was asked for, checked before anything is measured.

    Attributes
    ----------
    stored, old : dict or None
        Reports of ``--from`` and ``--compare``.
    """

    args: argparse.Namespace
    stored: dict[str, Any] | None
    old: dict[str, Any] | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> Telling:
        """Read the reports and refuse what could not be written.

        Raises
        ------
        EdgeSerError
            If a report cannot be read, a file cannot be written or matplotlib is missing.
        """
        for option in ("output", "page"):
            target: Path | None = getattr(args, option)
            if target is None:
                continue
            if target.is_dir() or not target.parent.is_dir():
                raise ParameterError(
                    f"--{option} is {str(target)!r}, a file in a folder that exists is wanted"
                )
            if not os.access(target.parent, os.W_OK | os.X_OK):
                raise ParameterError(
                    f"--{option} is {str(target)!r}, in a folder that takes no files"
                )
        if args.tolerance is not None and args.compare is None:
            raise ParameterError("--tolerance is of --compare, which is not given: add it")
        if args.picture is not None or args.page is not None:
            from edge.explain.picture import check_matplotlib, check_target

            check_matplotlib()
            if args.picture is not None:
                check_target(args.picture)
        measuring = (args.artifacts, args.all, args.artifact, args.audio, args.live, args.sustained)
        if args.stored is not None and any(measuring):
            raise ParameterError(
                "--from takes what was measured before and does not go with artifacts or clips to "
                "measure: leave one of them out"
            )
        from edge.benchmark.stored import read_report

        return cls(
            args,
            None if args.stored is None else read_report(args.stored),
            None if args.compare is None else read_report(args.compare),
        )

    def tell(self, report: dict[str, Any]) -> int:
        """Print the report and write what was asked for.

        Returns
        -------
        int
            1 if anything is worse than in the old report, by more than the tolerance; else 0.
        """
        from edge.benchmark.boards import boards_line
        from edge.benchmark.compare import compare
        from edge.benchmark.compare_table import format_comparison
        from edge.benchmark.report import write_report
        from edge.benchmark.table import format_report

        args = self.args
        report = {**report, "boards_line": boards_line(report), "comparison": None}
        comparison: Comparison | None = None
        if self.old is not None:
            tolerance = _TOLERANCE if args.tolerance is None else args.tolerance
            comparison = compare(self.old, report, tolerance)
            report["comparison"] = comparison.to_dict()
        if args.json:
            print(json.dumps(report))
        else:
            print(format_report(report))
            if comparison is not None:
                print(f"\n{format_comparison(comparison)}")
        if args.output is not None:
            write_report(args.output, report)
        if args.picture is not None:
            from edge.benchmark.picture import draw_report

            draw_report(report, args.picture)
        if args.page is not None:
            from edge.benchmark.page import write_page

            write_page(report, args.page, comparison)
        return 1 if comparison is not None and comparison.regressed else 0


def _percent(text: str) -> float:
    value = number(text.strip().removesuffix("%"))
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no share in percent, such as 5%")
    return value / 100
