"""Which artifacts ``edge-ser benchmark`` measures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from benchmark_fakes import fake_workers

import edge.benchmark.subjects
from edge.artifact import Artifact
from edge.benchmark.subjects import every_subject, named_subjects
from edge.bundled import MODELS, MODELS_DIR
from edge.cli.main import main
from edge.errors import ArtifactError, BackendError, ParameterError
from edge.runtimes.probe import Probe
from edge.runtimes.registry import RUNTIMES


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a board where NumPy alone is installed."""
    import importlib.util

    real = importlib.util.find_spec

    def find(name: str, *rest: object) -> object:
        return None if name in RUNTIMES["onnx"].packages else real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(importlib.util, "find_spec", find)


def test_a_bundled_artifact_is_named_by_model_or_folder(without_onnx: None) -> None:
    both = named_subjects([None, "claf-ser-tiny"], "numpy")
    assert [each.artifact.path.name for each in both] == ["claf-ser-int8", "claf-ser-tiny"]
    assert (
        named_subjects(["claf-ser-int8"], "auto")[0].artifact.path == MODELS_DIR / "claf-ser-int8"
    )


def test_a_folder_that_is_there_comes_first(
    tiny_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_artifact.path, tmp_path / "claf-ser-int8")
    monkeypatch.chdir(tmp_path)
    (found,) = named_subjects(["claf-ser-int8"], "auto")
    assert found.artifact.manifest.name == "tiny"


def test_one_artifact_twice_is_refused(tiny_artifact: Artifact) -> None:
    names = [str(tiny_artifact.path), f"{tiny_artifact.path}/."]
    with pytest.raises(ParameterError, match="measured already: name an artifact once"):
        named_subjects(names, "auto")
    assert len(every_subject([str(tiny_artifact.path)] * 2)[0]) == 1


def test_all_is_every_bundled_model_on_every_runtime_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge.benchmark.subjects, "try_artifact", lambda _: Probe(1.0))
    monkeypatch.setattr("edge.runtimes.registry.Runtime.is_installed", True)
    subjects, left_out = every_subject([])
    wanted = [kind for kinds in MODELS.values() for kind in kinds.values()]
    assert [subject.artifact.path.name for subject in subjects] == wanted
    assert left_out == []


def test_all_leaves_out_what_cannot_be_opened_and_says_why(
    monkeypatch: pytest.MonkeyPatch, without_onnx: None
) -> None:
    subjects, left_out = every_subject([])
    assert {subject.backend for subject in subjects} == {"numpy"}
    assert [each.name for each in left_out] == ["claf-ser-int8-onnx", "claf-ser-tiny-onnx"]
    assert all("pip install onnxruntime" in each.reason for each in left_out)
    monkeypatch.undo()
    dead = Probe(None, "crashes", BackendError("its runtime crashes on this device"))
    monkeypatch.setattr(edge.benchmark.subjects, "try_artifact", lambda _: dead)
    monkeypatch.setattr("edge.runtimes.registry.Runtime.is_installed", True)
    subjects, left_out = every_subject(["claf-ser-tiny"])
    assert [subject.backend for subject in subjects] == ["numpy"]
    assert [each.reason for each in left_out] == ["its runtime crashes on this device"]


def test_where_nothing_is_left_that_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none of 1 artifacts can be measured here: .*none"):
        every_subject([str(tmp_path / "none")])
    with pytest.raises(ArtifactError, match="does not exist"):
        named_subjects([str(tmp_path / "none")], "auto")


def test_what_is_left_out_is_in_the_report(
    monkeypatch: pytest.MonkeyPatch, without_onnx: None, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_workers(monkeypatch, [1.0], [1.0])
    assert main(["benchmark", "--all", "--duration", "0.1", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    names = [each["artifact"]["name"] for each in report["artifacts"]]
    assert names == ["claf-ser-int8", "claf-ser-tiny"]
    assert [each["name"] for each in report["left_out"]] == [
        "claf-ser-int8-onnx", "claf-ser-tiny-onnx",
    ]  # fmt: skip
    assert said.err.count("pip install onnxruntime") == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--all", "--backend", "numpy"], "--all is every runtime that works here"),
        (["a", "--artifact", "b"], "name all of them without --artifact"),
        (["--threads", "0"], "'0' is not a whole number from 1 to 256"),
        (["--threads", "1.5"], "'1.5' is not a whole number"),
        (["--duration", "nan"], "'nan' is not a number of seconds above 0"),
        (["--audio", "none"], "which is no folder"),
        (["--backend", "none"], "backend is 'none'"),
    ],
)
def test_wrong_usage_is_one_sentence(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *options]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_a_bundled_artifact_tells_its_figures_and_their_splits() -> None:
    (subject,) = named_subjects(["claf-ser-int8"], "auto")
    accuracy = subject.facts()["accuracy"]
    assert accuracy["split"] == "speaker-5fold"
    assert accuracy["figures"] == [dict(f) for f in subject.artifact.manifest.accuracy]
    whole = [f for f in accuracy["figures"] if f.get("role") == "corpus"]
    means = [figure["value"] for figure in whole if figure["metric"] == "uar"]
    assert accuracy["mean_uar"] == pytest.approx(sum(means) / len(means), abs=1e-4)
