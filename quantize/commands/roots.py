"""Where recordings are found: options of every command that reads corpora."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_root_options"]


def add_root_options(parser: argparse.ArgumentParser, *, without: str | None = None) -> None:
    """Add ``--data`` and ``--corpora``.

    ``without`` says what happens where no corpora are named; None: they must be.
    """
    optional = f" (default: {without})" if without else ""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=without is None,
        metavar="ROOT",
        help="folders that hold known corpora, or one folder per label, or tables (CSV, TSV, "
        f"JSONL, Parquet) with the columns path and label{optional}",
    )
    parser.add_argument(
        "--corpora",
        nargs="+",
        metavar="NAME",
        help="use these only, as the command corpora calls them (default: all that are found)",
    )
