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


def test_temporary_name_cannot_be_guessed_and_no_link_is_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    names = set()
    for _ in range(20):
        with atomic_path(tmp_path / "a.txt") as temporary:
            names.add(temporary.name)
            assert temporary.stat().st_size == 0
            temporary.write_text("new")
    assert len(names) == 20
    assert not any(str(os.getpid()) == part for name in names for part in name.split("."))


def test_link_in_the_place_of_the_temporary_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the name had been guessed."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "guessed").symlink_to(victim)
    (tmp_path / "nowhere").symlink_to(tmp_path / "made")
    for name in ("guessed", "nowhere"):
        monkeypatch.setattr("edge.files.temporary_sibling", lambda _, n=name: tmp_path / n)
        with pytest.raises(FileExistsError), atomic_path(tmp_path / "a.txt"):
            pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "a.txt").exists()


def test_longest_name_there_can_be(tmp_path: Path) -> None:
    with atomic_path(tmp_path / ("a" * 255)) as temporary:
        temporary.write_text("x")
    assert os.listdir(tmp_path) == ["a" * 255]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("/dev/null")
    before = target.lstat()
    with pytest.raises(OSError, match="it is a"), atomic_path(target) as temporary:
        temporary.write_text("x")
    assert target.lstat() == before
    assert os.listdir(tmp_path) == ["target"]


def test_name_with_a_zero_byte_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="zero byte"), atomic_path(tmp_path / "a\0b"):
        pass


def test_content_is_on_the_disk_before_it_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        events.append("folder" if path.is_dir() else path.read_text())
        fsync(descriptor)

    def replaced(source: Path, target: Path) -> None:
        events.append("replace")
        replace(source, target)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.replace", replaced)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert events == ["new", "replace", "folder"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
