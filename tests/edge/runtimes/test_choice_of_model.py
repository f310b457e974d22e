"""Which model is meant: names, folders, models that are not one, and programs."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact

import edge
import edge.runtimes.probe
import edge.runtimes.timing
from edge.artifact import Artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.cli.main import main
from edge.errors import ArtifactError, BackendError, ParameterError
from edge.runtimes.choice import Choice, open_artifact
from edge.runtimes.kinds import find_artifacts, kinds_of
from edge.runtimes.probe import Probe
from edge.runtimes.registry import RUNTIMES

#: Nothing that was tried in another test is remembered.
pytestmark = pytest.mark.usefixtures("forgetful")

NOT_TIMED = ""


def test_names_that_are_not_known(folders: Path, gather: Callable[..., Path]) -> None:
    for each in (folders / "numpy-int8", folders, None):
        with pytest.raises(ParameterError, match=r"'cuda', auto or one of numpy, onnx, .* wanted"):
            open_artifact(each, "cuda")
    with pytest.raises(ArtifactError, match="exported for backend 'numpy' and cannot run on 'onnx"):
        open_artifact(folders / "numpy-int8", "onnx")
    both = gather("numpy-int8", "numpy-fp32")
    with pytest.raises(ArtifactError, match="holds artifacts for numpy and none for 'onnx'"):
        open_artifact(both, "onnx")


def test_an_empty_name_is_not_the_current_folder(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folders / "numpy-int8")
    with pytest.raises(ParameterError, match="named by an empty text"):
        edge.load("")
    assert main(["classify", "a.wav", "--artifact", ""]) == 2
    assert "named by an empty text" in capsys.readouterr().err
    assert edge.load(".").artifact.manifest.name == "tiny"


def test_artifacts_are_found_in_a_folder(folders: Path, tmp_path: Path) -> None:
    names = ["numpy-fp32", "numpy-int8", "onnx-int8", "tflite-int8"]
    assert [path.name for path in find_artifacts(folders)] == names
    for path in (folders / "onnx-int8", tmp_path, tmp_path / "none", tmp_path / ("x" * 300)):
        assert find_artifacts(path) == [path]


def test_no_backend_means_numpy_of_several_kinds(
    choose: Callable[..., Choice], folders: Path, gather: Callable[..., Path]
) -> None:
    names = ("numpy-int8", "onnx-int8", "tflite-int8", "numpy-fp32")
    choice = choose(dict.fromkeys(names, NOT_TIMED), None)
    assert (choice.artifact.path.name, choice.reason) == ("numpy-fp32", None)
    assert edge.load(folders).artifact.path.name == "numpy-fp32"
    assert choose({"onnx-int8": 5.0}, None).artifact.path.name == "onnx-int8"
    with pytest.raises(ArtifactError, match="holds artifacts for onnx, tflite: name the backend"):
        choose({"onnx-int8": 5.0, "tflite-int8": 5.0}, None)


def test_load_takes_a_folder_of_kinds_and_a_backend(
    choose: Callable[..., Choice], folders: Path
) -> None:
    choose({"onnx-int8": 5.0})
    assert edge.load(folders, "onnx").artifact.path.name == "onnx-int8"
    assert edge.load(folders / "onnx-int8", "onnx").artifact.path.name == "onnx-int8"


def test_load_takes_auto(
    folders: Path, tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnxruntime", "ai_edge_litert", "tflite_runtime"):
        monkeypatch.setitem(sys.modules, package, None)
    assert edge.load(folders, "auto").artifact.path.name in ("numpy-fp32", "numpy-int8")
    assert edge.load(tiny_artifact.path, "auto").artifact.manifest == tiny_artifact.manifest
    with pytest.raises(ArtifactError, match="does not exist"):
        edge.load(folders / "none", "auto")


def test_bundled_artifacts_are_candidates() -> None:
    for name, bundled in {None: MODELS["claf-ser"], **MODELS}.items():
        # Of one model: the tiny one would else always be the fastest.
        kinds, is_bundled = kinds_of(name, "auto")
        assert ([kind.folder.name for kind in kinds], is_bundled) == ([*bundled.values()], True)
        for backend, folder in bundled.items():
            kinds, _ = kinds_of(name, backend)
            assert [kind.folder.name for kind in kinds] == [folder]
        kinds, _ = kinds_of(name, None)
        assert [kind.folder.name for kind in kinds] == [bundled["numpy"]]


def test_a_folder_comes_before_a_bundled_model_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert kinds_of("claf-ser-tiny", None)[1]
    (tmp_path / "claf-ser-tiny").mkdir()
    (kind,), is_bundled = kinds_of("claf-ser-tiny", None)
    assert (kind.artifact, is_bundled) == (None, False)


@pytest.mark.parametrize("backend", ["auto", None, "numpy"])
@pytest.mark.parametrize(
    "change",
    [
        {"window_frames": 30},
        {"training": {"corpora": ["other"], "split": "none", "seed": 1}},
        {"labels": ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "bored"]},
    ],
    ids=["window", "training", "labels"],
)
def test_a_folder_of_different_models_is_refused(
    tmp_path: Path, backend: str | None, change: dict[str, object]
) -> None:
    make_artifact(tmp_path / "models" / "full")
    make_artifact(tmp_path / "models" / "tiny", **change)
    with pytest.raises(ArtifactError, match=r"holds different models \(full and tiny\)"):
        edge.load(tmp_path / "models", backend)
    assert edge.load(tmp_path / "models" / "tiny", backend).artifact.path.name == "tiny"


def test_the_bundled_folder_is_of_different_models() -> None:
    with pytest.raises(ArtifactError, match="holds different models"):
        edge.load(MODELS_DIR, "auto")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model in NumPy and as a program, which tells when it runs."""

    def run(*_: object) -> None:
        raise AssertionError("the program ran")

    row = dataclasses.replace(RUNTIMES["torchscript"], packages=("numpy",), load=run)
    monkeypatch.setitem(RUNTIMES, "torchscript", row)
    make_artifact(tmp_path / "m" / "torchscript", backend="torchscript", model_file="model.pt")
    make_artifact(tmp_path / "m" / "numpy")
    return tmp_path / "m"


@pytest.mark.parametrize("backend", ["auto", None])
def test_a_program_never_runs_unasked(program: Path, backend: str | None) -> None:
    choice = open_artifact(program, backend)
    assert choice.artifact.path.name == "numpy"
    if backend == "auto":
        assert choice.reason == (
            "backend numpy: torchscript is a program and runs only with --backend torchscript"
        )
    shutil.rmtree(program / "numpy")
    for folder in (program, program / "torchscript"):
        with pytest.raises(BackendError, match=r"if you trust .* say --backend torchscript"):
            edge.load(folder, backend)


def test_a_program_that_was_asked_for_runs(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", lambda _: Probe(1.0))
    for folder in (program, program / "torchscript"):
        with pytest.raises(AssertionError, match="the program ran"):
            edge.load(folder, "torchscript")
