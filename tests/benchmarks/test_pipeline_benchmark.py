"""The paper's pipeline against ours, as far as it needs no librosa, and a short run where it is."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from run_benchmark import run_benchmark

from benchmarks.pipeline import artifact_folders, main, open_all
from edge.bundled import MODELS_DIR
from edge.errors import ParameterError

HAS_LIBROSA = importlib.util.find_spec("librosa") is not None


def test_artifacts_are_found_below_a_folder_or_are_it() -> None:
    assert [folder.name for folder in artifact_folders([MODELS_DIR])] == [
        *("claf-ser-int8", "claf-ser-int8-onnx", "claf-ser-tiny", "claf-ser-tiny-onnx"),
    ]
    one = MODELS_DIR / "claf-ser-tiny"
    assert artifact_folders([one]) == [one]


def test_a_folder_without_an_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"holds no artifact: a folder with a manifest\.json"):
        artifact_folders([tmp_path])


def test_one_name_is_one_artifact() -> None:
    one = MODELS_DIR / "claf-ser-tiny"
    with pytest.raises(ParameterError, match="two artifacts are called claf-ser-tiny"):
        open_all([one, one])


def test_no_rounds_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rounds", "0"]) == 2
    assert capsys.readouterr().err == "edge-ser: error: --rounds is 0, at least 1 is wanted\n"


@pytest.mark.skipif(HAS_LIBROSA, reason="librosa is installed")
def test_without_librosa_it_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rounds", "1"]) == 2
    assert 'pip install "librosa==0.11.*"' in capsys.readouterr().err


@pytest.mark.skipif(not HAS_LIBROSA, reason="librosa is not installed")
def test_a_short_run_has_every_row(tmp_path: Path) -> None:
    done = run_benchmark("pipeline", "--rounds", "2", "--output", "p.json", cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    result = json.loads((tmp_path / "p.json").read_text())
    assert {"librosa_torch", "claf-ser-int8-onnx:cold", "claf-ser-tiny-onnx:steady"} <= set(
        result["times_ms"]
    )
    assert result["paper_on_another_machine"].keys() == {"cold", "steady"}
    assert [row["bar"] for row in result["ratios"]][:4] == [15.0, 25.0, 8.0, 3.0]
