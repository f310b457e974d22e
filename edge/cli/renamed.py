"""Options under their names of before, for one version."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.cli.notices import warn

__all__ = ["OldName", "add_report_options"]

_WILL_GO = "the old name will go with the next version"


class OldName(argparse.Action):
    """An option under its name of before: it works, with a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Take the value for the new name."""
        setattr(namespace, self.dest, values)
        warn(f"{option_string} is now called --{self.dest}, {_WILL_GO}")


class _Json(argparse.Action):
    """A flag; with a file behind it the old spelling of ``--output``, which no help shows."""

    shown_as_flag = True

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if isinstance(values, str):
            namespace.output = Path(values)
            warn(f"--json FILE is now called --output FILE, {_WILL_GO}")
        else:
            namespace.json = True


def add_report_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--output FILE`` and ``--json``.

    Parameters
    ----------
    parser : ArgumentParser
    what : str
        What is printed and written, for their help.
    """
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help=f"also write {what} to FILE, as JSON"
    )
    parser.add_argument(
        "--json",
        nargs="?",
        action=_Json,
        default=False,
        help=f"print {what} as one JSON object instead of a table",
    )
