"""The end of a benchmark's command: measure, tell it, keep it, and what the exit status says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.errors import EdgeSerError, ParameterError
from quantize.basics.files import write_json

__all__ = ["at_least_one", "tell"]


def at_least_one(option: str, value: int) -> None:
    """Refuse a number of times that is none.

    Raises
    ------
    ParameterError
        If it is below 1.
    """
    if value < 1:
        raise ParameterError(f"{option} is {value}, at least 1 is wanted")


def tell(
    measure: Callable[[], dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
    output: Path | None,
) -> int:
    """Measure, print the table and write the result.

    Parameters
    ----------
    measure : callable
        Gives the result; its ``met``, if there is one, tells whether all bars are met.
    table : callable
        Lays the result out for people.
    output : Path or None
        Where it is written as JSON, too.

    Returns
    -------
    int
        Exit status: 0, 1 where a bar is not met, 2 where it could not be measured.
    """
    try:
        result = measure()
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    print(table(result))
    if output is not None:
        write_json(output, result)
    return 0 if result.get("met", True) else 1
