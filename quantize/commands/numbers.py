"""Numbers of options, in the ranges of the settings that they are for."""

from __future__ import annotations

import argparse
import contextlib
import typing
from collections.abc import Callable
from typing import Annotated, Any

from edge.errors import ParameterError
from edge.jobs import MOST_JOBS
from quantize.basics.settings import Seed, check, fields_of, whole

__all__ = ["count", "jobs", "number", "of_setting", "seed"]


def number(kind: Any) -> Callable[[str], Any]:
    """Read an option's number, in the range of a type of :mod:`quantize.basics.settings`."""
    # A text that is none is refused by the same sentence as a number out of the range.
    readers = (int, float) if typing.get_args(kind)[0] is int else (float,)

    def read(text: str) -> Any:
        value: Any = text
        for read_as in readers:
            with contextlib.suppress(ValueError):
                value = read_as(text)
                break
        try:
            return check(value, kind, "it")
        except ParameterError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def of_setting(settings: type[Any], name: str) -> Callable[[str], Any]:
    """Read an option's number, in the range of a setting."""
    return number(next(field.type for field in fields_of(settings) if field.name == name))


#: Reads ``--seed``.
seed = number(Seed)

#: Reads how many of what there is one or more.
count = number(Annotated[int, whole(1, 1_000_000)])

#: Reads how many processes or threads work at once.
jobs = number(Annotated[int, whole(1, MOST_JOBS)])
