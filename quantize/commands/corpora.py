"""``edge-ser-quantize corpora``: what lies under a folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``corpora`` to the parser."""
    parser = commands.add_parser("corpora", help="what was found under a folder, what is missing")
    parser.add_argument("data", type=Path, nargs="+", metavar="ROOT")
    parser.add_argument("--json", action="store_true", help="one JSON object a corpus")
    parser.set_defaults(function=_corpora)


def _corpora(arguments: argparse.Namespace) -> int:
    from quantize.data.corpora import format_reports, load_corpora

    _, reports = load_corpora(arguments.data)
    if arguments.json:
        for report in reports:
            print(json.dumps(report.to_dict()))
    else:
        print(format_reports(reports))
    return 0
