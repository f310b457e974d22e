"""Files are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.files import atomic_path


def test_success_replaces_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["missing/a.txt", "", "a.txt/b"])
def test_a_place_that_takes_no_file_is_an_os_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("a file, no folder")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OSError, match=r"\[Errno"), atomic_path(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert sorted(os.listdir(tmp_path)) == before
