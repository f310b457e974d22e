"""Memory, cold start and size: what is put together, without an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.footprint import __main__ as footprint
from benchmarks.footprint.venvs import Environment, clean_environment, make
from edge.errors import EdgeSerError, ParameterError

NAMES = [contender.environment.name for contender in footprint.CONTENDERS]


def measured(
    cold_ms: dict[str, float], installed_mb: dict[str, float]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    runs = {
        name: [
            {"cold_ms": cold_ms[name] + jitter, "cpu_ms": 1.0, "rss_mb": 50.0, "peak_mb": 60.0}
            for jitter in (-1.0, 0.0, 1.0)
        ]
        for name in NAMES
    }
    installed = {
        name: {"unpacked_mb": installed_mb[name], "compiled_mb": 1.0, "largest_mb": {}}
        for name in NAMES
    }
    return footprint.collected(runs, installed)


def test_bars_are_against_librosa_and_torch_alone() -> None:
    found, rows = measured(
        dict(zip(NAMES, (200.0, 250.0, 3000.0, 2000.0), strict=True)),
        dict(zip(NAMES, (76.0, 120.0, 800.0, 400.0), strict=True)),
    )
    by_sides = {(row["over"], row["under"], row["what"].split(":")[0]): row for row in rows}
    cold = by_sides["librosa_torch", "ours_onnx", "cold start"]
    assert cold["ratio"] == 12.0
    assert cold["met"] is True
    assert by_sides["librosa_onnxruntime", "ours_onnx", "cold start"]["met"] is None
    # As much memory as they take is not five times less.
    assert by_sides["librosa_torch", "ours_numpy", "resident memory"]["met"] is False
    assert by_sides["librosa_torch", "ours_numpy", "installed"]["ratio"] == 10.526
    # A size is no sample: its interval is itself.
    assert by_sides["librosa_torch", "ours_numpy", "installed"]["interval"] == [10.526, 10.526]
    assert [(row["value"], row["met"]) for row in footprint.absolute(found)] == [
        *((250.0, True), (200.0, True), (76.0, False)),
    ]


def test_another_folder_is_no_environment_of_ours(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ParameterError, match="is no environment of ours"):
        make(Environment("mine", ("numpy",)), tmp_path)
    assert not list((tmp_path / "mine").iterdir())


def test_what_reaches_into_another_python_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "8")
    environment = clean_environment()
    assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & environment.keys()
    assert environment["OMP_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "1"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_start_that_fails_is_one_sentence(tmp_path: Path) -> None:
    contender = footprint.Contender("theirs", Environment("x", ()), "librosa_script.py", "torch")
    # Not a clip: whatever is installed, the script ends with an error of its own.
    with pytest.raises(EdgeSerError, match=r"^theirs failed with exit code 1: "):
        footprint.start_once(Path(sys.executable), contender, tmp_path / "missing.wav")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_no_runs_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert footprint.main(["--venvs", str(tmp_path), "--runs", "0"]) == 2
    assert capsys.readouterr().err == "edge-ser: error: --runs is 0, at least 1 is wanted\n"
