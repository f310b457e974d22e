"""Progress bars on stderr, through tqdm."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["progress_bar", "progress_note"]

_T = TypeVar("_T")


def progress_bar(items: Iterable[_T], total: int, title: str) -> Iterator[_T]:
    """Iterate with a bar on stderr; a line every half minute where it is no terminal."""
    from tqdm import tqdm

    interval_s = 0.2 if sys.stderr.isatty() else 30.0
    yield from tqdm(
        items, total=total, desc=title, file=sys.stderr, mininterval=interval_s, leave=False
    )


def progress_note(text: str) -> None:
    """Write a line to stderr, above the bar where there is one."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)
