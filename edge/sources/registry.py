"""Which sources there are, and what each is called."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable

from edge.errors import ParameterError
from edge.sources.base import Source, SourceSettings

__all__ = ["SOURCES", "SourceRow", "find_source", "open_source"]


@dataclasses.dataclass(frozen=True, slots=True)
class SourceRow:
    """One source.

    Parameters
    ----------
    word : str
        What ``--source`` calls it; ``FILE`` stands for every other text.
    module : str
        Imported when it is opened.
    function : str
        Of that module: takes :class:`SourceSettings`, gives a :class:`Source`.
    takes_device, takes_path : bool
        Whether a microphone, or a path, is named for it.
    takes_raw : bool
        Whether samples may come without a header, so that their format is named.
    is_paced : bool
        Whether it comes at its own pace, so that it cannot run ahead of time.
    is_live : bool
        Whether it is heard as it happens, so that a person wants the time of day.
    """

    word: str
    module: str
    function: str = "open_source"
    takes_device: bool = False
    takes_path: bool = False
    takes_raw: bool = False
    is_paced: bool = False
    is_live: bool = False


_ROWS = (
    SourceRow("mic", "edge.sources.microphone", takes_device=True, is_paced=True, is_live=True),
    SourceRow("demo", "edge.sources.file", "open_demo"),
    SourceRow("FILE", "edge.sources.file", takes_path=True),
    SourceRow("-", "edge.sources.stdin", takes_raw=True, is_live=True),
)

#: By their words; a new source is a module and a row here.
SOURCES = {row.word: row for row in _ROWS}


def find_source(text: str) -> SourceRow:
    """Give the row that a text means.

    Parameters
    ----------
    text : str
        One of the words, or the path of an audio file.

    Raises
    ------
    ParameterError
        If it is empty: the current folder is not meant by nothing.
    """
    if not text:
        words = ", ".join(SOURCES)
        raise ParameterError(f"source is empty, one of {words} is wanted")
    row = SOURCES.get(text)
    return SOURCES["FILE"] if row is None or row.takes_path else row


def open_source(row: SourceRow, settings: SourceSettings) -> Source:
    """Open a source.

    Raises
    ------
    EdgeSerError
        As the source's own module says.
    """
    function: Callable[[SourceSettings], Source] = getattr(
        importlib.import_module(row.module), row.function
    )
    return function(settings)
