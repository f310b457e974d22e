"""Writing an artifact leaves the old or the new, never half."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import draw_weights, manifest_fields, pack

from edge.artifact import Artifact, read_artifact, write_artifact
from edge.errors import ArtifactError

MODEL = b"any bytes will do here"


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


@pytest.mark.parametrize("call", range(1, 10))
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
    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(ArtifactError, match="Read-only file system"):
        write_artifact(artifact.path, manifest_fields(), MODEL)
    assert snapshot(artifact.path.parent) == before


def test_interrupt_while_swapping_puts_the_old_one_back(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(artifact.path.parent)
    rename, n_calls = os.rename, 0

    def interrupted(source: Any, target: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr("os.rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_artifact(artifact.path, manifest_fields(), MODEL)
    assert n_calls == 3
    assert snapshot(artifact.path.parent) == before


def test_model_pack_of_fakes_is_what_the_artifact_holds(artifact: Artifact) -> None:
    """The fixture other tests rely on: one seed, one set of weights."""
    with np.load(artifact.model_path, allow_pickle=False) as stored:
        drawn = draw_weights(artifact.manifest.architecture)
        assert set(stored.files) == set(drawn)
        assert all(np.array_equal(stored[name], drawn[name]) for name in drawn)
    assert pack(drawn)[:2] == b"PK"
