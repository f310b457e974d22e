"""Records as a file: for people, for programs, for spreadsheets and for tables of millions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from edge.answers.records import columns_of, line_of, row_of
from edge.errors import MissingDependencyError

__all__ = ["FORMATS", "PARQUET", "SUFFIXES", "Lines", "check_pyarrow", "write_parquet"]

PARQUET = "parquet"

#: Formats by the suffix of a file.
SUFFIXES = {".txt": "table", ".jsonl": "jsonl", ".csv": "csv", ".parquet": PARQUET}
FORMATS = tuple(SUFFIXES.values())

#: Rows that lie together in a Parquet file, and in memory.
_ROW_GROUP = 1 << 14


class Lines:
    """A format of one line a record.

    Parameters
    ----------
    name : {"table", "jsonl", "csv"}
        Which.
    labels : sequence of str
        Those a posterior is over, in their order.
    width : int
        Least letters of a path in a table for people.
    """

    def __init__(self, name: str, labels: Sequence[str], width: int) -> None:
        self._columns = columns_of(labels)
        self._labels, self._width = tuple(labels), width
        self._write: Callable[[Mapping[str, Any]], str] = {
            "table": self._table,
            "jsonl": self._json,
            "csv": self._csv,
        }[name]
        #: What stands above the first record.
        self.head = _comma_separated(list(self._columns)) if name == "csv" else ""

    def line(self, record: Mapping[str, Any]) -> str:
        """Write a record, its line end with it."""
        return self._write(record)

    def _table(self, record: Mapping[str, Any]) -> str:
        return line_of(record, self._width, labels=self._labels) + "\n"

    def _json(self, record: Mapping[str, Any]) -> str:
        return json.dumps(record, allow_nan=False) + "\n"

    def _csv(self, record: Mapping[str, Any]) -> str:
        return _comma_separated(row_of(record, self._columns))


def _comma_separated(row: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def check_pyarrow() -> Any:
    """Import what writes Parquet.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "a Parquet file needs a package: pip install pyarrow"
        ) from error
    return pyarrow


def write_parquet(path: Path, records: Iterable[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """Write a Parquet file, a group of rows after the other.

    Parameters
    ----------
    path : Path
        Of the file.
    records : iterable of mapping
        As :func:`edge.answers.records.record_of` gives them.
    labels : sequence of str
        Those a posterior is over.

    Raises
    ------
    MissingDependencyError
        If ``pyarrow`` is not installed.
    OSError
        As for any file.
    """
    pyarrow = check_pyarrow()
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    columns = columns_of(labels)
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    each = iter(records)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while rows := [row_of(record, columns) for record in islice(each, _ROW_GROUP)]:
            arrays = [
                pyarrow.array(values, field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
