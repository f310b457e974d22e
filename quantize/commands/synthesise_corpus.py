"""``edge-ser-quantize synthesise-corpus``: clips for a first try without data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Any

from quantize.basics.settings import whole
from quantize.commands.numbers import count, number, seed

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``synthesise-corpus`` to the parser."""
    parser = commands.add_parser(
        "synthesise-corpus", help="write a tiny synthetic corpus, for a first try without data"
    )
    parser.add_argument("out", type=Path, metavar="ROOT", help="folder to make the corpora in")
    parser.add_argument(
        "--speakers",
        type=count,
        default=2,
        metavar="N",
        help="speakers of each corpus (default: 2)",
    )
    parser.add_argument(
        "--per-label",
        type=number(Annotated[int, whole(1, 8)]),
        default=2,
        metavar="N",
        help="clips of each speaker and label, 1 to 8 (default: 2)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="same seed, same files (default: 0)")
    parser.set_defaults(function=_synthesise)


def _synthesise(arguments: argparse.Namespace) -> int:
    from quantize.data.corpora.synthetic import write_synthetic_corpus

    write_synthetic_corpus(arguments.out, arguments.speakers, arguments.per_label, arguments.seed)
    print(arguments.out)
    return 0
