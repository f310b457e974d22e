"""Which artifact is picked, and what is said about it."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact

import edge
import edge.runtimes.choice
import edge.runtimes.probe
import edge.stream.loading
from edge.artifact import Artifact
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.runtimes.choice import Choice, choose_backend, find_artifacts
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
    for name, backend in (("onnx-int8", "onnx"), ("torchscript-int8", "torchscript"),
                          ("numpy-int8", "numpy")):  # fmt: skip
        make_artifact(folder / name, backend=backend, quantization=quantization)
    return folder


@pytest.fixture
def choose(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Choice]:
    """Choose among artifacts whose times, or problems, are given."""
    for name in ("onnx", "torchscript"):
        row = dataclasses.replace(RUNTIMES[name], packages=("numpy",), load=NumpyModel)
        monkeypatch.setitem(RUNTIMES, name, row)

    def choose(times: Times, backend: str = "auto", **options: bool) -> Choice:
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
        monkeypatch.setattr(edge.runtimes.probe, "time_model", time_model)
        return choose_backend([folders / name for name in times], backend, **options)

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
            {"numpy-int8": 1.1, "onnx-int8": 1.3, "torchscript-int8": 2.75},
            "numpy-int8", "backend numpy: 1.1 ms a window, onnx 1.3 ms, torchscript 2.8 ms",
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
            {"numpy-int8": 31.0, "onnx-int8": "dies", "torchscript-int8": 2.0},
            "torchscript-int8",
            "backend torchscript: 2 ms a window, numpy 31 ms, onnx dies",
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
    times: Times = {"numpy-int8": NOT_TIMED, "onnx-int8": 5.0, "torchscript-int8": NOT_TIMED}
    choice = choose(times, "onnx")
    assert (choice.artifact.path.name, choice.reason) == ("onnx-int8", None)
    with pytest.raises(BackendError, match=r"^onnx-int8 dies$"):
        choose({"numpy-int8": NOT_TIMED, "onnx-int8": "dies"}, "onnx")


def test_attention_is_worth_more_than_time(choose: Callable[..., Choice]) -> None:
    times: Times = {"onnx-int8": NOT_TIMED, "numpy-int8": NOT_TIMED}
    assert choose(times, attentive=True).artifact.path.name == "numpy-int8"
    assert choose({"onnx-int8": 1.0}, attentive=True).artifact.path.name == "onnx-int8"


def test_none_that_works_lists_all(choose: Callable[..., Choice]) -> None:
    with pytest.raises(BackendError, match=r"^none of 2 .* used: onnx dies; torchscript hangs$"):
        choose({"onnx-int8": "dies", "torchscript-int8": "hangs"})


def test_package_that_is_missing_is_found_out_without_a_child(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(_: object) -> Probe:
        raise AssertionError("a child was started")

    monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", probe)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    choice = choose_backend([folders / "onnx-int8", folders / "numpy-int8"])
    assert choice.artifact.path.name == "numpy-int8"
    assert choice.reason == "backend numpy: onnx is not installed"
    with pytest.raises(MissingDependencyError, match=r"pip install onnxruntime$"):
        choose_backend([folders / "onnx-int8"])


def test_numpy_artifact_that_is_damaged_is_passed_over(
    choose: Callable[..., Choice], folders: Path, tmp_path: Path
) -> None:
    shutil.copytree(folders / "numpy-int8", tmp_path / "numpy-int8")
    (tmp_path / "numpy-int8" / "model.npz").unlink()
    choose({"onnx-int8": 1.0})
    choice = choose_backend([tmp_path / "numpy-int8", folders / "onnx-int8"])
    assert choice.artifact.path.name == "onnx-int8"
    assert "numpy-int8 fails: " in str(choice.reason)
    assert "model.npz is missing" in str(choice.reason)
    with pytest.raises(ArtifactError, match=r"model\.npz is missing"):
        choose_backend([tmp_path / "numpy-int8"])


def test_names_that_are_not_known(folders: Path) -> None:
    with pytest.raises(ParameterError, match=r"'cuda', auto or one of numpy, onnx, .* is wanted"):
        choose_backend([folders / "numpy-int8"], "cuda")
    with pytest.raises(ParameterError, match="no artifact to choose from"):
        choose_backend([])
    with pytest.raises(ArtifactError, match="exported for backend 'numpy' and cannot run on 'onnx"):
        choose_backend([folders / "numpy-int8"], "onnx")
    both = [folders / "numpy-int8", folders / "numpy-fp32"]
    with pytest.raises(ArtifactError, match="one-model0 holds artifacts for numpy and none for 'o"):
        choose_backend(both, "onnx")


def test_artifacts_are_found_in_a_folder(folders: Path, tmp_path: Path) -> None:
    names = ["numpy-fp32", "numpy-int8", "onnx-int8", "torchscript-int8"]
    assert [path.name for path in find_artifacts(folders)] == names
    for path in (folders / "onnx-int8", tmp_path, tmp_path / "none"):
        assert find_artifacts(path) == [path]


def test_load_takes_auto(
    folders: Path, tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnxruntime", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    assert edge.load(folders, "auto").artifact.path.name in ("numpy-fp32", "numpy-int8")
    assert edge.load(tiny_artifact.path, "auto").artifact.manifest == tiny_artifact.manifest
    with pytest.raises(ArtifactError, match="does not exist"):
        edge.load(folders / "none", "auto")


def test_bundled_artifacts_are_candidates(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def choose(paths: list[Path], backend: str, *, attentive: bool) -> str:
        seen.append([path.name for path in paths])
        return backend

    monkeypatch.setattr(edge.stream.loading, "choose_backend", choose)
    models = edge.stream.loading.MODELS
    for name, bundled in {None: models["claf-ser"], **models}.items():
        seen.clear()
        for backend in ("auto", *bundled):
            edge.stream.loading.choose(name, backend)
        # Of one model: the tiny one would else always be the fastest.
        assert seen == [list(bundled.values()), *([each] for each in bundled.values())]


def test_a_folder_comes_before_a_bundled_model_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert edge.stream.loading._bundled("claf-ser-tiny") is not None
    (tmp_path / "claf-ser-tiny").mkdir()
    assert edge.stream.loading._bundled("claf-ser-tiny") is None
