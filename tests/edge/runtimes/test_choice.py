"""Which artifact is picked, and what is said about it."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact
from runtime_fakes import voice
from toy_runtime import TOY

import edge
import edge.runtimes.probe
import edge.runtimes.timing
from edge.artifact import Artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.cli.main import main
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.runtimes.choice import Choice, open_artifact
from edge.runtimes.kinds import find_artifacts, kinds_of
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.probe import Probe
from edge.runtimes.registry import RUNTIMES

Times = dict[str, float | str]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one-model")
    make_artifact(folder / "numpy-fp32")
    quantization = {"recipe": "q", "weight_bits": 8, "granularity": "none", "float_layers": [],
                    "calibration_fingerprint": None}  # fmt: skip
    for name, backend in (("onnx-int8", "onnx"), ("tflite-int8", "tflite"),
                          ("numpy-int8", "numpy")):  # fmt: skip
        file = RUNTIMES[backend].model_file
        make_artifact(folder / name, backend=backend, quantization=quantization, model_file=file)
    return folder


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was tried in another test is remembered."""
    monkeypatch.setattr(edge.runtimes.probe, "_good", {})


@pytest.fixture
def gather(folders: Path, tmp_path: Path) -> Callable[..., Path]:
    """Lay some of the artifacts into a folder of their own."""

    def gather(*names: str) -> Path:
        target = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in names:
            (target / name).symlink_to(folders / name)
        return target

    return gather


@pytest.fixture
def choose(gather: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Choice]:
    """Choose among artifacts whose times, or problems, are given."""
    for name in ("onnx", "tflite"):
        row = dataclasses.replace(RUNTIMES[name], packages=("numpy",), load=NumpyModel)
        monkeypatch.setitem(RUNTIMES, name, row)

    def choose(times: Times, backend: str | None = "auto", **options: bool) -> Choice:
        def probe(folder: Path) -> Probe:
            result = times[folder.name]
            if isinstance(result, str):
                return Probe(None, result, BackendError(f"{folder.name} {result}"))
            return Probe(result)

        def time_model(artifact: Artifact, _: object) -> float:
            result = times[artifact.path.name]
            assert isinstance(result, float), "it was not to be timed"
            return result

        monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", probe)
        monkeypatch.setattr(edge.runtimes.timing, "time_model", time_model)
        return open_artifact(gather(*times), backend, **options)

    return choose


NOT_TIMED = ""


@pytest.mark.parametrize(
    ("times", "picked", "reason"),
    [
        (
            {"numpy-int8": 1.1, "onnx-int8": 0.6},
            "onnx-int8", "backend onnx: 0.6 ms a window, numpy 1.1 ms",
        ),
        (
            {"numpy-int8": 1.1, "onnx-int8": 1.3, "tflite-int8": 2.75},
            "numpy-int8", "backend numpy: 1.1 ms a window, onnx 1.3 ms, tflite 2.8 ms",
        ),
        (
            {"onnx-int8": 1.0, "numpy-int8": 1.09},
            "numpy-int8",
            "backend numpy: 1.1 ms a window, onnx 1 ms; less than 10 % apart is a tie",
        ),
        ({"onnx-int8": 1.0, "numpy-int8": 1.12}, "onnx-int8", None),
        (
            {"numpy-int8": NOT_TIMED, "onnx-int8": "dies"},
            "numpy-int8", "backend numpy: onnx dies",
        ),
        (
            {"numpy-int8": 31.0, "onnx-int8": "dies", "tflite-int8": 2.0},
            "tflite-int8",
            "backend tflite: 2 ms a window, numpy 31 ms, onnx dies",
        ),
        (
            {"numpy-int8": 1.0, "numpy-fp32": 1.05, "onnx-int8": 1.0},
            "numpy-fp32",
            "artifact numpy-fp32: 1.1 ms a window, numpy-int8 1 ms, onnx-int8 1 ms; "
            "less than 10 % apart is a tie",
        ),
        ({"onnx-int8": 7.0}, "onnx-int8", None),
        ({"numpy-int8": NOT_TIMED}, "numpy-int8", None),
    ],
)  # fmt: skip
def test_fastest_that_works_is_picked(
    choose: Callable[..., Choice], times: Times, picked: str, reason: str | None
) -> None:
    choice = choose(times)
    assert choice.artifact.path.name == picked
    assert choice.model.name
    if reason is not None or len(times) == 1:
        assert choice.reason == reason


def test_backend_that_was_asked_for_is_the_only_one(choose: Callable[..., Choice]) -> None:
    times: Times = {"numpy-int8": NOT_TIMED, "onnx-int8": 5.0, "tflite-int8": NOT_TIMED}
    choice = choose(times, "onnx")
    assert (choice.artifact.path.name, choice.reason) == ("onnx-int8", None)
    edge.runtimes.probe._good.clear()
    with pytest.raises(BackendError, match=r"^onnx-int8 dies$"):
        choose({"numpy-int8": NOT_TIMED, "onnx-int8": "dies"}, "onnx")


def test_attention_is_worth_more_than_time(choose: Callable[..., Choice]) -> None:
    times: Times = {"onnx-int8": NOT_TIMED, "numpy-int8": NOT_TIMED}
    assert choose(times, attentive=True).artifact.path.name == "numpy-int8"
    assert choose({"onnx-int8": 1.0}, attentive=True).artifact.path.name == "onnx-int8"


def test_none_that_works_lists_all(choose: Callable[..., Choice]) -> None:
    with pytest.raises(BackendError, match=r"^none of 2 .* used: onnx dies; tflite hangs$"):
        choose({"onnx-int8": "dies", "tflite-int8": "hangs"})


def test_package_that_is_missing_is_found_out_without_a_child(
    folders: Path, gather: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(_: object) -> Probe:
        raise AssertionError("a child was started")

    monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", probe)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    choice = open_artifact(gather("onnx-int8", "numpy-int8"), "auto")
    assert choice.artifact.path.name == "numpy-int8"
    assert choice.reason == "backend numpy: onnx is not installed"
    for backend in ("auto", "onnx", None):
        with pytest.raises(MissingDependencyError, match=r"pip install onnxruntime$"):
            open_artifact(folders / "onnx-int8", backend)


def test_numpy_artifact_that_is_damaged_is_passed_over(
    choose: Callable[..., Choice], folders: Path, tmp_path: Path
) -> None:
    shutil.copytree(folders / "numpy-int8", tmp_path / "m" / "numpy-int8")
    (tmp_path / "m" / "numpy-int8" / "model.npz").unlink()
    choose({"onnx-int8": 1.0})
    (tmp_path / "m" / "onnx-int8").symlink_to(folders / "onnx-int8")
    choice = open_artifact(tmp_path / "m", "auto")
    assert choice.artifact.path.name == "onnx-int8"
    assert "numpy-int8 fails: " in str(choice.reason)
    assert "model.npz is missing" in str(choice.reason)
    with pytest.raises(ArtifactError, match=r"model\.npz is missing"):
        open_artifact(tmp_path / "m" / "numpy-int8", "auto")


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


# -- what Python and the command line open alike -----------------------------------------


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


# -- models that are not one -------------------------------------------------------------


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


# -- programs ----------------------------------------------------------------------------


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


# -- another runtime ---------------------------------------------------------------------


def test_a_toy_runtime_is_one_module_and_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ArtifactError, match=r"backend is 'toy', one of numpy, onnx, .* is wanted"):
        make_artifact(tmp_path / "m" / "toy", backend="toy", model_file="model.toy")
    monkeypatch.setitem(RUNTIMES, TOY.name, TOY)
    make_artifact(tmp_path / "m" / "toy", backend="toy", model_file="model.toy")
    monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", lambda _: Probe(0.01))
    for backend in (None, "toy", "auto"):
        classifier = edge.load(tmp_path / "m", backend)
        assert classifier.model.name == "toy"
        assert classifier.classify(voice(48_000), 16_000)
    assert main(["classify", "--help"]) == 0
    assert "auto|numpy|onnx|tflite|torchscript|toy" in capsys.readouterr().out
    missing = dataclasses.replace(TOY, packages=("no_such_package",))
    monkeypatch.setitem(RUNTIMES, TOY.name, missing)
    with pytest.raises(MissingDependencyError, match=r"needs no_such_package.*pip install toy"):
        edge.load(tmp_path / "m", "toy")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_program_is_not_started_as_python(
    choose: Callable[..., Choice], monkeypatch: pytest.MonkeyPatch, frozen: bool
) -> None:
    if frozen:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    else:
        monkeypatch.setattr(sys, "executable", "")

    def start(*_: object, **__: object) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(subprocess, "run", start)
    choice = choose({"numpy-int8": NOT_TIMED, "onnx-int8": NOT_TIMED})
    assert choice.artifact.path.name == "numpy-int8"
    assert "onnx cannot be tried: this program is frozen" in str(choice.reason)
    # What is asked for by name, or alone, is opened here.
    assert choose({"numpy-int8": 1.0, "onnx-int8": 1.0}, "onnx").model.name
    assert choose({"onnx-int8": 1.0}).artifact.path.name == "onnx-int8"


def test_what_worked_is_tried_once(choose: Callable[..., Choice]) -> None:
    assert choose({"onnx-int8": 1.0}, "onnx").model
    assert choose({"onnx-int8": "dies"}, "onnx").model
    edge.runtimes.probe._good.clear()
    with pytest.raises(BackendError, match="onnx-int8 dies"):
        choose({"onnx-int8": "dies"}, "onnx")
