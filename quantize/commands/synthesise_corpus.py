"""``edge-ser-quantize synthesise-corpus``: clips for a first try without data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``synthesise-corpus`` to the parser."""
    parser = commands.add_parser(
        "synthesise-corpus", help="write a tiny synthetic corpus, for a first try without data"
    )
    parser.add_argument("out", type=Path, metavar="ROOT")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(function=_synthesise)


def _synthesise(arguments: argparse.Namespace) -> int:
    from quantize.data.corpora.synthetic import write_synthetic_corpus

    write_synthetic_corpus(arguments.out, seed=arguments.seed)
    print(arguments.out)
    return 0
