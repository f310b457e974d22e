"""Writing an artifact leaves the old or the new, never half."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import TINY, draw_weights, manifest_fields, pack

from edge.artifact import Artifact, read_artifact, write_artifact
from edge.errors import ArtifactError, ParameterError
from edge.files import exchange_folders

MODEL = b"any bytes will do here"
PACKED = pack(draw_weights(TINY))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_hash_and_size_come_from_the_model(tmp_path: Path) -> None:
    fields = manifest_fields(model_sha256="nonsense", model_bytes=-5)
    written = write_artifact(tmp_path / "a", fields, MODEL)
    assert written.manifest.model_bytes == len(MODEL)
    assert read_artifact(tmp_path / "a") == written


def test_replaced_artifact_is_whole_and_keeps_other_files(artifact: Artifact) -> None:
    (artifact.path / "MODEL_CARD.md").write_text("a card")
    fields = manifest_fields(name="second", model_file="model.onnx", backend="onnx")
    write_artifact(artifact.path, fields, MODEL)
    assert sorted(os.listdir(artifact.path)) == ["MODEL_CARD.md", "manifest.json", "model.onnx"]
    assert (artifact.path / "MODEL_CARD.md").read_text() == "a card"
    assert read_artifact(artifact.path).manifest.name == "second"
    assert os.listdir(artifact.path.parent) == [artifact.path.name]


def test_folder_that_is_no_artifact_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(ArtifactError, match=r"holds holiday.jpg but no manifest.json"):
        write_artifact(tmp_path, manifest_fields(), MODEL)
    assert snapshot(tmp_path) == {"holiday.jpg": b"precious"}


def test_artifact_with_a_folder_inside_is_not_replaced(artifact: Artifact) -> None:
    (artifact.path / "notes").mkdir()
    before = snapshot(artifact.path)
    with pytest.raises(ArtifactError, match="holds notes, which is not part of an artifact"):
        write_artifact(artifact.path, manifest_fields(), MODEL)
    assert snapshot(artifact.path) == before


def test_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(ArtifactError, match="is not a folder; choose another place"):
        write_artifact(tmp_path / "model", manifest_fields(), MODEL)
    with pytest.raises(ArtifactError, match=r"cannot be written: .*Not a directory|File exists"):
        write_artifact(tmp_path / "model" / "inside", manifest_fields(), MODEL)
    assert snapshot(tmp_path) == {"model": b"a file"}


def test_empty_folder_is_used(tmp_path: Path) -> None:
    write_artifact(tmp_path / "a", manifest_fields(), MODEL)
    (tmp_path / "b").mkdir()
    write_artifact(tmp_path / "b", manifest_fields(), MODEL)
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")


@pytest.mark.parametrize(
    "fields",
    [manifest_fields(name=""), manifest_fields(training={"when": object()}),
     manifest_fields(training={"loss": float("nan")})],
    ids=["invalid", "not JSON", "NaN"],
)  # fmt: skip
def test_manifest_that_may_not_be_written(artifact: Artifact, fields: dict[str, Any]) -> None:
    before = snapshot(artifact.path.parent)
    with pytest.raises(ArtifactError):
        write_artifact(artifact.path, fields, MODEL)
    assert snapshot(artifact.path.parent) == before


@pytest.mark.parametrize("call", range(1, 13))
def test_failure_at_any_step_leaves_the_old_artifact(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """The disk fills up at the n-th system call; the last rounds do not fail at all."""
    (artifact.path / "MODEL_CARD.md").write_text("a card")
    before = snapshot(artifact.path)
    calls = 0

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise OSError(28, "No space left on device")
            return function(*args, **kwargs)

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("rename", "fsync", "mkdir"):
            patch.setattr(f"os.{name}", failing(getattr(os, name)))
        patch.setattr("shutil.copy2", failing(shutil.copy2))
        error = None
        try:
            write_artifact(artifact.path, manifest_fields(name="second"), MODEL)
        except ArtifactError as caught:
            error = str(caught)
    if error is None:
        assert read_artifact(artifact.path).manifest.name == "second"
    else:
        assert error.endswith("No space left on device; nothing was changed there")
        assert snapshot(artifact.path) == before
    assert os.listdir(artifact.path.parent) == [artifact.path.name]


def test_failures_were_really_tried(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(30, "Read-only file system")

    before = snapshot(artifact.path.parent)
    monkeypatch.setattr("edge.artifact.folder.exchange_folders", refuse)
    with pytest.raises(ArtifactError, match="Read-only file system"):
        write_artifact(artifact.path, manifest_fields(), MODEL)
    assert snapshot(artifact.path.parent) == before


@pytest.mark.parametrize("failing_call", [1, 2])
def test_interrupt_while_swapping_puts_the_old_one_back(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, failing_call: int
) -> None:
    """Where the system cannot exchange two folders, the old one steps aside."""
    before = snapshot(artifact.path.parent)
    rename, n_calls = os.rename, 0

    def interrupted(source: Any, target: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == failing_call:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr("edge.artifact.folder.exchange_folders", lambda *_: False)
    monkeypatch.setattr("os.rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_artifact(artifact.path, manifest_fields(), MODEL)
    assert n_calls == 2 * failing_call - 1
    assert snapshot(artifact.path.parent) == before


def test_folder_is_replaced_where_the_system_cannot_exchange_two(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.artifact.folder.exchange_folders", lambda *_: False)
    write_artifact(artifact.path, manifest_fields(name="second"), MODEL)
    assert read_artifact(artifact.path).manifest.name == "second"
    assert os.listdir(artifact.path.parent) == [artifact.path.name]


_STEPS = ("os.open", "os.mkdir", "os.rename", "os.fsync", "os.rmdir", "os.unlink", "os.chmod",
          "shutil.copy2", "edge.artifact.folder.exchange_folders")  # fmt: skip


def _write_and_die(folder: Path, nth: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Replace an artifact in a child that is killed before its n-th step; its exit status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    n_steps = 0

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            nonlocal n_steps
            n_steps += 1
            if n_steps == nth:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return step

    try:
        for name in _STEPS:
            module, _, function = name.rpartition(".")
            found = getattr(importlib.import_module(module), function)
            monkeypatch.setattr(name, deadly(found))
        write_artifact(folder, manifest_fields(name="second"), MODEL)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="exchanges no folders")
def test_process_killed_at_any_step_leaves_a_whole_artifact(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    (artifact.path / "MODEL_CARD.md").write_text("a card")
    first = artifact.manifest.name
    seen = []
    for nth in range(1, 100):
        status = _write_and_die(artifact.path, nth, monkeypatch)
        seen.append(read_artifact(artifact.path).manifest.name)
        assert (artifact.path / "MODEL_CARD.md").read_text() == "a card"
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        write_artifact(artifact.path, artifact.manifest.to_dict(), PACKED)
    # Both the old one and the new one were met, and the last child lived.
    assert {*seen[:-1]} == {first, "second"}
    assert len(seen) > 12
    assert seen[-1] == "second"


def test_content_is_on_the_disk_before_it_has_its_name(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files, then the folder, then the exchange, then the folder that it is in."""
    (artifact.path / "MODEL_CARD.md").write_text("a card")
    events: list[str] = []
    fsync = os.fsync

    def synced(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        events.append("folder" if path.is_dir() else path.name)
        if path == artifact.path.parent:
            events[-1] = "parent"
        fsync(descriptor)

    def exchanged(one: Path, other: Path) -> bool:
        events.append("exchange")
        return exchange_folders(one, other)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("edge.artifact.folder.exchange_folders", exchanged)
    write_artifact(artifact.path, manifest_fields(name="second"), MODEL)
    assert events == ["MODEL_CARD.md", "model.npz", "manifest.json", "folder", "exchange", "parent"]


def test_other_models_in_the_folder_are_kept(artifact: Artifact) -> None:
    others = {"model.onnx": b"another", "model.md": b"notes", "model.pt": b"a third"}
    for name, content in others.items():
        (artifact.path / name).write_bytes(content)
    write_artifact(artifact.path, manifest_fields(name="second"), MODEL)
    found = snapshot(artifact.path)
    assert {name: found[name] for name in others} == others
    fields = manifest_fields(name="third", model_file="model.tflite", backend="tflite")
    write_artifact(artifact.path, fields, MODEL)
    # What the manifest before it named is gone, and nothing else.
    assert sorted(os.listdir(artifact.path)) == sorted([*others, "manifest.json", "model.tflite"])


def test_damaged_manifest_names_no_model_to_remove(artifact: Artifact) -> None:
    (artifact.path / "manifest.json").write_text("{")
    fields = manifest_fields(name="second", model_file="model.onnx", backend="onnx")
    write_artifact(artifact.path, fields, MODEL)
    assert sorted(os.listdir(artifact.path)) == ["manifest.json", "model.npz", "model.onnx"]


def test_pipe_beside_the_model_is_not_waited_for(artifact: Artifact) -> None:
    os.mkfifo(artifact.path / "notes")
    with pytest.raises(ArtifactError, match=r"holds notes.*\(it is a named pipe\)"):
        write_artifact(artifact.path, manifest_fields(), MODEL)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("a" * 300, r"cannot be written: .*too long"),
        ("a\0b", r"cannot be written: .*null"),
    ],
    ids=["long", "zero byte"],
)
def test_place_that_is_no_place(tmp_path: Path, name: str, match: str) -> None:
    place = f"{tmp_path}/{name}"
    with pytest.raises(ArtifactError, match=match) as caught:
        write_artifact(place, manifest_fields(), MODEL)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_empty_text_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match="directory is empty"):
        write_artifact("", manifest_fields(), MODEL)
    with pytest.raises(ParameterError, match="the artifact is empty"):
        read_artifact("")


def test_model_pack_of_fakes_is_what_the_artifact_holds(artifact: Artifact) -> None:
    """The fixture other tests rely on: one seed, one set of weights."""
    with np.load(artifact.model_path, allow_pickle=False) as stored:
        drawn = draw_weights(artifact.manifest.architecture)
        assert set(stored.files) == set(drawn)
        assert all(np.array_equal(stored[name], drawn[name]) for name in drawn)
    assert pack(drawn)[:2] == b"PK"
