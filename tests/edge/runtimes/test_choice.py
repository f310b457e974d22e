"""Which artifact is picked, and what is said about it."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact
from runtime_fakes import voice
from toy_runtime import TOY

import edge
import edge.runtimes.probe
import edge.runtimes.timing
from edge.cli.main import main
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.choice import Choice, open_artifact
from edge.runtimes.probe import Probe
from edge.runtimes.registry import RUNTIMES

#: Nothing that was tried in another test is remembered.
pytestmark = pytest.mark.usefixtures("forgetful")

Times = dict[str, float | str]

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
