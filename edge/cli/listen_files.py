"""What ``listen`` takes from the configuration files alone, for commands beside it."""

from __future__ import annotations

from edge.cli import listen
from edge.cli.config import Configured, configure
from edge.cli.options import Parser

__all__ = ["configured_in_files"]


def configured_in_files(file: str | None) -> Configured:
    """Read the options of ``listen`` from the files alone.

    Parameters
    ----------
    file : str or None
        What ``--config`` names; None: those that ``listen`` would read.

    Raises
    ------
    EdgeSerError
        If a file cannot be read, or holds what ``listen`` refuses.
    """
    parser = Parser(prog="edge-ser")
    listen.add_parser(parser.add_subparsers(parser_class=Parser))
    words = ["listen", *([] if file is None else [f"--config={file}"])]
    return configure(parser.parse_args(words))
