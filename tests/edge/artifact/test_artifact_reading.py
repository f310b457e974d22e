"""What lies where a file of an artifact should: pipes, devices, links, and files that grow."""

from __future__ import annotations

import os
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.artifact import Artifact, read_artifact
from edge.errors import ArtifactError

FILES = ["manifest.json", "model.npz"]


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 1


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)
        listener.bind(path.name)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "it is a named pipe"),
    "zeros": (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
    "socket": (_socket, "it is a socket"),
    "folder": (Path.mkdir, "it is a folder"),
    "itself": (lambda path: path.symlink_to(path), "Too many levels"),
    "nowhere": (lambda path: path.symlink_to("nowhere"), "is missing"),
    "memory": (lambda path: path.symlink_to("/proc/self/mem"), "cannot be read|has 0 bytes"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file(
    artifact: Artifact, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(artifact.path)
    make, match = KINDS[kind]
    (artifact.path / name).unlink()
    make(artifact.path / name)
    with pytest.raises(ArtifactError, match=match) as caught:
        read_artifact(artifact.path)
    assert str(caught.value).startswith(f"{artifact.path}/{name} ")


@pytest.mark.parametrize("name", FILES)
def test_link_to_a_file_is_a_file(artifact: Artifact, name: str) -> None:
    path = artifact.path / name
    path.rename(artifact.path / "real")
    path.symlink_to("real")
    assert read_artifact(artifact.path) == artifact


@pytest.mark.parametrize("name", FILES)
def test_no_more_is_read_than_may_be(artifact: Artifact, name: str) -> None:
    os.truncate(artifact.path / name, 10**12)
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=r"larger than|has more than"):
            read_artifact(artifact.path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_file_that_becomes_a_pipe_between_two_looks(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what was opened, not what the name stood for before."""
    path, stat = artifact.model_path, os.stat

    def swapped(name: Any, **how: Any) -> os.stat_result:
        found = stat(name, **how)
        if name == path and not how:
            path.unlink()
            os.mkfifo(path)
        return found

    with monkeypatch.context() as patch:
        patch.setattr("os.stat", swapped)
        with pytest.raises(ArtifactError, match="it is a named pipe"):
            artifact.read_model()


def test_model_is_read_once(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, open_ = [], os.open

    def counted(path: object, *args: object) -> int:
        opened.append(path)
        return open_(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr("os.open", counted)
    artifact.read_model()
    assert opened == [artifact.model_path]


@pytest.mark.parametrize(
    ("place", "match"),
    [
        ("a" * 300, "cannot be read: .*too long"),
        ("a\0b", "cannot be read: .*null"),
        ("file/inside", "leads through a file"),
    ],
    ids=["long", "zero byte", "through a file"],
)
def test_folder_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, match: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match=match) as caught:
        read_artifact(place)
    assert "\n" not in str(caught.value)


def test_folder_that_may_not_be_entered(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def closed(path: Any, **how: Any) -> os.stat_result:
        if str(path).startswith(f"{artifact.path}/"):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **how)

    # Tests may run as root, who may enter every folder.
    with monkeypatch.context() as patch:
        patch.setattr("os.stat", closed)
        with pytest.raises(ArtifactError, match=r"manifest.json cannot be read: Permission denied"):
            read_artifact(artifact.path)
