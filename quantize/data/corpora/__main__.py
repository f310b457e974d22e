"""``python -m quantize.data.corpora ROOT [--json]``: the inventory of the corpora."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from edge.errors import EdgeSerError
from quantize.data.corpora import format_reports, load_corpora


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was found under a folder; 0, or 2 after one line on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m quantize.data.corpora",
        description="Say which of the four corpora lie under a folder, and what is missing.",
    )
    parser.add_argument("root", metavar="ROOT", help="folder that holds the corpus folders")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args(argv)
    try:
        _, reports = load_corpora(args.root)
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    if args.json:
        text = json.dumps([report.to_dict() for report in reports], indent=2)
    else:
        text = format_reports(reports)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
