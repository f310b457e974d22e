"""What each lever of a training brings on validation speakers.

    python -m benchmarks.levers table ANSWERS... --output FILE --render docs/results.md

``table`` makes the figures of what trained models said of validation clips, the first file's
beside those of runs of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeSerError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a step; 0, or 2 for bad input."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.step(arguments)
    except EdgeSerError as error:
        print(f"python -m benchmarks.levers: error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    about = __doc__ or ""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.levers",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    table = steps.add_parser("table", help="figures of answers, as JSON and as a page's tables")
    table.add_argument("answers", nargs="+", type=Path, metavar="ANSWERS")
    table.add_argument("--output", type=Path, metavar="FILE", help="the figures as JSON")
    table.add_argument("--render", type=Path, metavar="FILE", help="write the tables there")
    table.set_defaults(step=_table)
    return parser


def _table(arguments: argparse.Namespace) -> None:
    from benchmarks.levers.answers import figures, read_answers
    from benchmarks.levers.table import render, render_into
    from benchmarks.shared.git_state import git_state
    from quantize.basics.files import write_json

    runs = [figures(read_answers(path)) for path in arguments.answers]
    result = {**git_state("benchmarks/levers"), "runs": runs}
    if arguments.output is not None:
        write_json(arguments.output, result)
    if arguments.render is not None:
        render_into(arguments.render, result)
    print(render(result), end="")


if __name__ == "__main__":
    raise SystemExit(main())
