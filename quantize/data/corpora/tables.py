"""Recordings that a table describes: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.errors import MissingDependencyError, how_many, shown
from edge.stream.label_words import fold
from quantize.basics.errors import CorpusError
from quantize.data.corpora.own import SIDES, Entry, OwnRecordings, corpus_name
from quantize.data.corpora.walk import SUFFIXES

__all__ = ["TABLE_SUFFIXES", "columns_of", "read_table"]

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_COLUMNS = ("path", "label", "speaker", "language", "corpus", "start_s", "end_s", "split", "gender")
#: Other names of a column: Hugging Face's, and the commonest of tables in circulation.
_ALSO = {"file_name": "path", "emotion": "label", "speaker_id": "speaker"}
_Row = Mapping[str, Any]


def read_table(file: Path, side: str | None = None, base: Path | None = None) -> OwnRecordings:
    """Read the recordings that a table names.

    Parameters
    ----------
    file : Path
        Paths in it are relative to the folder it lies in.
    side : str, optional
        Of those that the table says none of.
    base : Path, optional
        Folder that names the recordings, and that their keys are relative to; the table's, else.

    Raises
    ------
    CorpusError
        If it cannot be read, lacks the columns ``path`` and ``label``, or a row of it is wrong.
    MissingDependencyError
        If it is Parquet and pyarrow is not installed.
    """
    folder = (base or file.parent).resolve()
    name = folder.name if base or file.stem.lower() == "metadata" else file.stem
    own = OwnRecordings(corpus_name(name), str(file))
    columns, rows = _rows(file)
    meaning = _meaning(columns)
    lacking = [column for column in _COLUMNS[:2] if column not in meaning.values()]
    if lacking:
        raise CorpusError(
            f"the table {str(file)!r} has no column {' and '.join(lacking)}, it has "
            f"{', '.join(map(shown, columns)) or 'none'}: path and label are wanted, and "
            f"{', '.join(_COLUMNS[2:])} may be there"
        )
    others = [column for column in columns if column not in meaning]
    if others:
        own.notes.append(f"not read: the {_plural(others)} {', '.join(map(shown, others))}")
    told: dict[tuple[str | None, str], tuple[int, str]] = {}
    for number, row in rows:
        cells = {meaning[column]: row.get(column) for column in columns if column in meaning}
        entry = _entry(own, file, number, cells, side, base or file.parent)
        if entry is None:
            continue
        before, word = told.setdefault((entry.corpus, entry.key), (number, entry.word))
        if before != number:
            if fold(word) != fold(entry.word):
                raise CorpusError(
                    f"row {number} of {str(file)!r} labels {shown(entry.key)} "
                    f"{shown(entry.word)}, row {before} {shown(word)}: one label a recording is "
                    "wanted, delete one of the rows"
                )
            own.skip("a second row of the same recording", f"row {number}: {entry.key}")
            continue
        own.entries.append(entry)
    if not own.entries:
        raise CorpusError(
            f"the table {str(file)!r} has no row with a path and a label: at least one is wanted"
        )
    _refuse_all_missing(file, own.entries)
    return own


def columns_of(file: Path) -> set[str]:
    """What the columns of a table mean, of those that are known.

    Raises
    ------
    CorpusError, MissingDependencyError
        As :func:`read_table`.
    """
    return set(_meaning(_rows(file)[0]).values())


def _plural(items: list[str]) -> str:
    return "column" if len(items) == 1 else "columns"


def _meaning(columns: Iterable[str]) -> dict[str, str]:
    """Column, as it stands, to what it means; the first of two that mean the same."""
    found: dict[str, str] = {}
    for column in columns:
        plain = column.strip().casefold()
        plain = _ALSO.get(plain, plain)
        if plain in _COLUMNS and plain not in found.values():
            found[column] = plain
    return found


def _entry(
    own: OwnRecordings, file: Path, number: int, cells: _Row, side: str | None, base: Path
) -> Entry | None:
    text = {name: _text(value) for name, value in cells.items()}
    where = f"row {number} of {str(file)!r}"
    path, label = text.get("path"), text.get("label")
    if path is None or label is None:
        own.skip(f"no {'path' if path is None else 'label'}", f"row {number}")
        return None
    start_s, end_s = (_time(text.get(name), name, where) for name in ("start_s", "end_s"))
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(
            f"{where} ends at {end_s:g} s and begins at {start_s or 0:g} s: an end_s after its "
            "start_s is wanted"
        )
    full = file.parent / path.replace("\\", "/")
    if full.suffix.lower() not in SUFFIXES:
        own.skip(f"{full.suffix or 'no suffix'} is no kind of audio file that is read", path)
        return None
    told = text.get("split")
    if told is not None and told.casefold() not in SIDES:
        raise CorpusError(
            f"{where} has the split {shown(told)}, one of {', '.join(SIDES)} is wanted"
        )
    key = Path(os.path.relpath(full, base)).with_suffix("").as_posix()
    if start_s is not None or end_s is not None:
        key += f"@{start_s or 0:g}-{'' if end_s is None else f'{end_s:g}'}"
    corpus, gender = text.get("corpus"), (text.get("gender") or "").casefold()
    return Entry(
        key=key,
        path=full,
        word=label,
        speaker=text.get("speaker"),
        gender={"f": "female", "m": "male"}.get(gender[:1]),
        language=text.get("language"),
        corpus=None if corpus is None else corpus.casefold(),
        start_s=start_s,
        end_s=end_s,
        side=SIDES[told.casefold()] if told else side,
    )


def _text(value: Any) -> str | None:
    """Give a cell as text; None where it is empty."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value
    return str(value).strip() or None


def _time(text: str | None, name: str, where: str) -> float | None:
    if text is None:
        return None
    try:
        time_s = float(text)
    except ValueError:
        time_s = math.nan
    if not (math.isfinite(time_s) and time_s >= 0):
        raise CorpusError(f"{where} has the {name} {shown(text)}, seconds from 0 on are wanted")
    return time_s


def _refuse_all_missing(file: Path, entries: list[Entry]) -> None:
    missing = [entry.path for entry in entries if not entry.path.exists()]
    if len(missing) == len(entries):
        raise CorpusError(
            f"none of the {how_many(len(entries), 'file')} that {str(file)!r} names is there, "
            f"such as {str(missing[0])!r}: paths relative to the table's folder are wanted"
        )


def _rows(file: Path) -> tuple[list[str], Iterator[tuple[int, _Row]]]:
    """Columns and rows with their numbers; the first row under the header is 1."""
    try:
        if file.suffix.lower() == ".parquet":
            columns, rows = _parquet(file)
        else:
            text = file.read_text(encoding="utf-8-sig")
            is_json = file.suffix.lower() == ".jsonl"
            columns, rows = _json_lines(text) if is_json else _separated(text, file)
    except OSError as error:
        raise CorpusError(f"the table {str(file)!r} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, csv.Error) as error:
        what = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise CorpusError(
            f"the table {str(file)!r} cannot be read ({what.splitlines()[0]}): UTF-8 with a "
            "header is wanted"
        ) from error
    return columns, iter(enumerate(rows, 1))


def _separated(text: str, file: Path) -> tuple[list[str], list[_Row]]:
    header = text.partition("\n")[0]
    separator = "\t" if file.suffix.lower() == ".tsv" else max(",;\t", key=header.count)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=separator)
    names = [name for name in reader.fieldnames or () if name]
    twice = [name for name in _meaning(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"two columns are called {shown(twice[0])}")
    rows: list[_Row] = []
    for number, row in enumerate(reader, 1):
        # Beyond the header's: a cell that was parted at a comma of its own moves all behind it.
        if any(cell.strip() for cell in row.get(None) or ()):
            raise ValueError(
                f"row {number} has more cells than the header: one that holds {separator!r} goes "
                "in quotation marks"
            )
        rows.append({name: row.get(name) for name in names})
    return names, rows


def _json_lines(text: str) -> tuple[list[str], list[_Row]]:
    rows: list[_Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is no JSON: {error.msg}") from error
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is no object")
        rows.append(row)
    return list(dict.fromkeys(column for row in rows for column in row)), rows


def _parquet(file: Path) -> tuple[list[str], list[_Row]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "pyarrow is not installed, tables in Parquet need it: pip install pyarrow"
        ) from error
    try:
        schema = parquet.read_schema(file)
        known = _meaning(schema.names)
        # Columns that are not read may hold the audio itself.
        rows: list[_Row] = parquet.read_table(file, columns=list(known)).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(str(error) or "it is no Parquet") from error
    return list(schema.names), rows
