"""Spellings of before, which work for one version with a warning."""

from __future__ import annotations

import warnings
from typing import TypeVar

from edge.errors import ParameterError

__all__ = ["renamed"]

_T = TypeVar("_T")


def renamed(new_name: str, new: _T | None, old_name: str, old: _T | None) -> _T | None:
    """Value of an argument that may come under its old name.

    Parameters
    ----------
    new_name, old_name : str
    new, old : object or None
        What came under each name.

    Raises
    ------
    ParameterError
        If both are given.

    Warns
    -----
    DeprecationWarning
        If the old name is used; it points at the caller of the caller.
    """
    if old is None:
        return new
    if new is not None:
        raise ParameterError(
            f"{new_name} and {old_name} are both given: {old_name} is its old name, leave it out"
        )
    warnings.warn(
        f"{old_name} is now called {new_name}, the old name will go with the next version",
        DeprecationWarning,
        stacklevel=3,
    )
    return old
