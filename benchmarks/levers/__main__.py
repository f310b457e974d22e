"""What each lever of a training brings on validation speakers.

    python -m benchmarks.levers pack --data ROOT ... --embeddings FILE ... --out PACKED
    python -m benchmarks.levers train PACKED --out ANSWERS
    python -m benchmarks.levers table ANSWERS ... --output FILE --render docs/results.md

``pack`` rounds the rows of all clips and their variants into one file that a GPU can hold.
``train`` trains every lever on every fold side by side, and keeps what the networks say of the
validation clips: a GPU takes minutes for what two processor cores would take days for, where
``--levers base corpus-labels --folds 0 --epochs 1`` is a try.  ``table`` makes the figures of
them, the first file's beside those of runs of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeSerError, ParameterError

_EPOCHS = 77


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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.levers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    pack = steps.add_parser("pack", help="clips, variants and folds in one file")
    pack.add_argument("--data", nargs="+", type=Path, required=True, metavar="ROOT")
    pack.add_argument("--embeddings", nargs="+", type=Path, required=True, metavar="FILE")
    pack.add_argument("--sounds", nargs="*", type=Path, default=[], metavar="ROOT")
    pack.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR")
    pack.add_argument("--jobs", type=int, default=1, metavar="N", help="processes for rows")
    pack.add_argument("--out", type=Path, required=True, metavar="PACKED")
    pack.set_defaults(step=_pack)
    train = steps.add_parser("train", help="every lever on every fold, side by side")
    train.add_argument("packed", type=Path, metavar="PACKED")
    train.add_argument("--levers", nargs="+", metavar="NAME", help="all but `functionals` if none")
    train.add_argument("--folds", nargs="+", type=int, metavar="N", help="all of them if none")
    train.add_argument("--epochs", type=int, default=_EPOCHS, metavar="N", help="%(default)s")
    train.add_argument("--device", choices=("cuda", "cpu"), help="a GPU where there is one")
    train.add_argument(
        "--compile", action="store_true", help="let torch compile the element-wise parts"
    )
    train.add_argument("--seed", type=int, default=0, help="of crops and dropout")
    train.add_argument("--out", type=Path, required=True, metavar="ANSWERS")
    train.set_defaults(step=_train)
    table = steps.add_parser("table", help="figures of answers, as JSON and as a page's tables")
    table.add_argument("answers", nargs="+", type=Path, metavar="ANSWERS")
    table.add_argument("--output", type=Path, metavar="FILE", help="the figures as JSON")
    table.add_argument("--render", type=Path, metavar="FILE", help="write the tables there")
    table.set_defaults(step=_table)
    return parser


def _pack(arguments: argparse.Namespace) -> None:
    from benchmarks.levers.packed import write_packed
    from benchmarks.levers.packing import packed_corpora
    from benchmarks.shared.command import at_least_one

    at_least_one("--jobs", arguments.jobs)
    _refuse_no_folder(arguments.out)
    packed = packed_corpora(
        arguments.data,
        arguments.embeddings,
        arguments.cache,
        arguments.sounds,
        n_workers=arguments.jobs,
        tell=_tell,
    )
    write_packed(arguments.out, packed)


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from benchmarks.levers.answers import write_answers
    from benchmarks.levers.judging import judged
    from benchmarks.levers.lstm import PLAIN, compiled
    from benchmarks.levers.packed import read_packed
    from benchmarks.levers.settings import trainings
    from benchmarks.levers.side_by_side import SideBySide
    from benchmarks.shared.command import at_least_one

    at_least_one("--epochs", arguments.epochs)
    _refuse_no_folder(arguments.out)
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ParameterError("torch finds no GPU here: leave --device out or say --device cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.manual_seed(arguments.seed)
    trained = SideBySide(
        read_packed(arguments.packed),
        trainings(arguments.levers, arguments.folds),
        arguments.epochs,
        device,
        compiled() if arguments.compile else PLAIN,
    )
    _tell(f"{len(trained.settings)} trainings of {trained.n_steps} steps an epoch on {device}")
    trained.run(_tell)
    write_answers(arguments.out, judged(trained))


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


def _refuse_no_folder(path: Path) -> None:
    """Say before the work, not after it, that nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"--out is {path}, and {path.parent} cannot be made a folder ({error.strerror}): name "
            "a file in one that can be written to"
        ) from error


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
