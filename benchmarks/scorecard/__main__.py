"""``python -m benchmarks.scorecard``: train and measure every recipe, and write one table."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scorecard.abstaining import ABSTAINING_FILE, collate_abstaining
from benchmarks.scorecard.collate import collate
from benchmarks.scorecard.given import embedding_files, lessons_in
from benchmarks.scorecard.headline import MARKS, headline_into
from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.plan import Places, plan, select
from benchmarks.scorecard.recipe_check import check_same_recipe
from benchmarks.scorecard.recipes import ABLATIONS, ASKED_FOR, DEFAULTS, JOBS, LESSONS
from benchmarks.scorecard.step import Step
from benchmarks.scorecard.steps import pending, run_steps
from benchmarks.scorecard.tables import BEGIN, END, render_into
from benchmarks.scorecard.times import write_times
from edge.errors import ParameterError, how_many
from quantize.commands.main import guarded
from quantize.measure.figures.files import read_abstaining, read_scorecard, write_scorecard

__all__ = ["build_parser", "main"]

#: More trainings at a time gain little where memory or one GPU is shared.
_MOST_PARALLEL = 4


def build_parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scorecard",
        description="Runs train, baseline, calibrate and evaluate for all that is not there yet, "
        "collects their figures in one file and, with --render, writes its tables into a page. "
        f"Of {' and '.join(LESSONS)}, where they are in ROOT, all is learnt and nothing measured.",
    )
    parser.add_argument("--data", type=Path, metavar="ROOT", help="folder that holds the corpora")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("cache"),
        metavar="DIR",
        help="folder of cached feature rows (default: cache)",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="folder of run folders, RECIPE/JOB (default: runs)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks/results/scorecard.json"),
        metavar="FILE",
        help="the scorecard (default: benchmarks/results/scorecard.json); what folds say of "
        f"abstaining goes to {ABSTAINING_FILE} beside it",
    )
    parser.add_argument(
        "--recipes",
        nargs="+",
        metavar="NAME",
        help=f"run these only (default: {', '.join(DEFAULTS)}); only when they are named: "
        f"{', '.join(ABLATIONS)}",
    )
    groups = ", ".join(dict.fromkeys(group for group, _ in JOBS.values()))
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="JOB",
        help="run these only, and what they need: a training such as speaker-f3, or all of "
        f"{groups} (default: all but {' and '.join(ASKED_FOR)})",
    )
    parser.add_argument(
        "--parallel",
        type=int,
        default=min(os.cpu_count() or 1, _MOST_PARALLEL),
        metavar="N",
        help=f"commands at a time, one thread each (default: one a core, at most {_MOST_PARALLEL})",
    )
    parser.add_argument(
        "--embeddings",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="what a large model heard in the clips, as of edge-ser-quantize train, which it then "
        "teaches; a folder stands for the NPZ and CSV files in it",
    )
    parser.add_argument(
        "--sounds",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="folders of everyday sounds, as of edge-ser-quantize train: noise of variants, "
        "and one of the conditions",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="Dask or Ray cluster that computes features, as of edge-ser-quantize train",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print every command and whether it is done"
    )
    parser.add_argument(
        "--render",
        type=Path,
        metavar="FILE",
        help=f"write the tables there, between the lines {BEGIN} and {END}",
    )
    parser.add_argument(
        "--headline",
        type=Path,
        metavar="FILE",
        help=f"write the table of the README there, between the lines {MARKS[0]} and {MARKS[1]}",
    )
    parser.add_argument(
        "--tables-only",
        action="store_true",
        help="run and collect nothing: with --render, write the tables of the scorecard as it is",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0 for success, 2 for bad input, 130 when interrupted."""
    return guarded(lambda: _scorecard(build_parser().parse_args(argv)), "scorecard")


def _scorecard(arguments: argparse.Namespace) -> int:
    if arguments.tables_only:
        if not arguments.render and not arguments.headline:
            raise ParameterError("--tables-only writes nothing without --render or --headline FILE")
        scorecard = read_scorecard(arguments.out)
        _render(arguments, scorecard, read_abstaining(_beside(arguments)))
        return 0
    if arguments.data is None:
        raise ParameterError("--data ROOT is wanted, the folder that holds the corpora")
    if arguments.parallel < 1:
        raise ParameterError(f"--parallel is {arguments.parallel}, 1 or more is wanted")
    places = Places(
        arguments.data,
        arguments.cache,
        arguments.runs,
        arguments.parallel,
        arguments.cluster,
        lessons_in(arguments.data),
        embedding_files(arguments.embeddings),
        tuple(arguments.sounds),
    )
    steps = select(plan(places), arguments.recipes, arguments.only)
    check_same_recipe(places, steps)
    ledger = Ledger(places.ledger)
    if arguments.dry_run:
        _print_plan(steps, ledger)
        return 0
    if not arguments.data.is_dir():
        raise ParameterError(f"--data is {arguments.data}, an existing folder is wanted")

    def after(step: Step) -> None:
        if step.words[0] == "evaluate":
            write_scorecard(arguments.out, collate(places))

    began_s = time.monotonic()
    try:
        n_run = run_steps(steps, ledger, n_parallel=arguments.parallel, after=after)
    finally:
        times = write_times(places.times, steps, ledger, time.monotonic() - began_s)
    print(f"{how_many(n_run, 'step')} run, {len(steps) - n_run} done before; {times}")
    scorecard = collate(places)
    for name in scorecard["missing"]:
        print(f"not measured yet: {name}")
    unsaid = collate_abstaining(places)
    # One that was committed is not replaced by nothing.
    if unsaid["recipes"]:
        write_scorecard(_beside(arguments), unsaid)
        print(_beside(arguments))
    if scorecard["recipes"]:
        write_scorecard(arguments.out, scorecard)
        print(arguments.out)
        _render(arguments, scorecard, read_abstaining(_beside(arguments)))
    return 0


def _beside(arguments: argparse.Namespace) -> Path:
    return Path(arguments.out).with_name(ABSTAINING_FILE)


def _print_plan(steps: list[Step], ledger: Ledger) -> None:
    to_do = {step.name for step in pending(steps, ledger)}
    for step in steps:
        print(f"{'to do' if step.name in to_do else 'done ':5s}  {step.command}")
    print(f"{len(to_do)} of {how_many(len(steps), 'step')} to do", file=sys.stderr)


def _render(
    arguments: argparse.Namespace, scorecard: dict[str, Any], unsaid: dict[str, Any] | None
) -> None:
    if arguments.render:
        _tell(arguments.render, render_into(arguments.render, scorecard, unsaid))
    if arguments.headline:
        _tell(arguments.headline, headline_into(arguments.headline, scorecard))


def _tell(path: Path, changed: bool) -> None:
    print(f"{path}: {'written' if changed else 'as it was'}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
