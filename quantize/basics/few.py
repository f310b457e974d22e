"""The first of many names, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["first_few"]


def first_few(names: Sequence[str], n_most: int, between: str = ", ") -> str:
    """Name the first ones and count the rest: ``"a, b and 3 more"``."""
    more = len(names) - n_most
    return between.join(names[:n_most]) + (f" and {more} more" if more > 0 else "")
