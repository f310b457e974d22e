"""JSON that is missing, cut off, of another kind or without end is one error, at once."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from quantize.basics.errors import SplitError, TrainingError
from quantize.basics.json_files import load_json, parse_json, read_json_file
from quantize.data.splits import read_split
from quantize.runs.files import read_json


class Point(msgspec.Struct):
    x: float
    names: tuple[str, ...] = ()


def read(path: Path) -> Point:
    return read_json_file(path, Point, "point", "draw one")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "point.json"
    path.write_text('{"x": 1, "names": ["a"], "more": null}')
    assert read(path) == Point(1.0, ("a",))
    assert load_json(path) == {"x": 1, "names": ["a"], "more": None}


@pytest.mark.parametrize(
    "text",
    ["", '{"x": ', '{"x": "1"}', '{"x": NaN}', "[]", "[" * 100_000, '{"x": 1, "names": [2]}'],
)
def test_what_is_none_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "point.json"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"point.json is no point \(.+\): draw one"):
        read(path)


def test_nobody_waits_for_a_pipe_under_the_name_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    os.mkfifo(path)
    with pytest.raises(TrainingError, match="is no point"):
        read(path)
    with pytest.raises(SplitError, match="cannot read the split"):
        read_split(path)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_json(path)


def test_numbers_that_python_alone_writes_are_read_where_that_is_allowed() -> None:
    assert parse_json("[Infinity]") == [float("inf")]
    with pytest.raises(ValueError, match="Infinity is no number of JSON"):
        parse_json("[Infinity]", allow_nan=False)
