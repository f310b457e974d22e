"""The table of what each step of the features bought: it prints, and its pairs agree."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_benchmark import run_benchmark

from benchmarks.features.pairs import Pair

STEPS = [
    *("view", "transforms", "correlation", "single", "flat", "buffers"),
    *("cumsum", "sort", "extremes", "filters", "troughs", "means"),
]


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_benchmark("features.steps", *args, cwd=cwd, flags=("-W", "error"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("steps")
    # Every pair is compared before it is timed: exit code 0 is agreement.
    done = run("--repeats", "2", "--output", "steps.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout, json.loads((folder / "steps.json").read_text())


def test_keys_are_stable(measured: tuple[str, dict[str, Any]]) -> None:
    result = measured[1]
    assert list(result) == [
        *("benchmark", "command", "commit", "modified", "seed", "repeats", "machine"),
        *("load_average", "fingerprint", "notes", "steps", "profile", "floor"),
    ]
    one_version = int(np.__version__.split(".")[0]) < 2
    assert [step["step"] for step in result["steps"]] == [
        name for name in STEPS if not (one_version and name == "single")
    ]
    assert len(result["notes"]) == one_version
    for step in result["steps"]:
        assert list(step) == ["step", "title", "tolerance", "frames_61", "frames_16"]
        assert list(step["frames_61"]) == ["before_us", "after_us", "ratio"]


def test_all_is_printed(measured: tuple[str, dict[str, Any]]) -> None:
    printed, result = measured
    for step in result["steps"]:
        assert step["title"] in printed
    for stage in result["profile"]["extract"]["stages"]:
        assert stage["stage"] in printed
    for title in ("extract, 61 frames", "push, 16 frames", "floor: all three"):
        assert title in printed


def test_stages_are_shares_of_one_whole(measured: tuple[str, dict[str, Any]]) -> None:
    for found in measured[1]["profile"].values():
        assert len(found["stages"]) == 13
        assert sum(stage["share"] for stage in found["stages"]) == pytest.approx(1, abs=0.002)
        assert all(stage["us"] > 0 for stage in found["stages"])


def test_floor_counts_every_call_once(measured: tuple[str, dict[str, Any]]) -> None:
    floor = measured[1]["floor"]
    for title, n_frames in (("extract", 61), ("push", 16)):
        row = floor[title]
        assert row["n_frames"] == n_frames
        assert list(row["kernels_us"]) == ["rfft", "irfft", "matmul by 516", "sort"]
        # Two bands are sorted, each by a call of its own.
        n_kernel_calls = 5
        assert row["n_calls"] == n_kernel_calls + row["n_passes"] + sum(
            row["n_other_calls"].values()
        )
        assert sum(row["passes_by_name"].values()) == row["n_passes"]
        us = row["us"]
        assert us["floor"] == pytest.approx(
            us["kernels"] + us["passes"] + us["calls"], abs=0.02 + 0.001 * us["floor"]
        )
    # The passes of an extract are those of a push over four times the frames.
    share = floor["push"]["passes_bytes"] / floor["extract"]["passes_bytes"]
    assert 16 / 61 < share < 20 / 61


def test_other_numbers_are_seen() -> None:
    numbers = np.array([[1.0, -4.0], [2.0, 0.5]])
    off = numbers + np.array([[0.0, 0.0], [0.0, 5e-3]])
    assert Pair("a", "a", lambda: numbers, lambda: off, 2e-3).agree()
    assert not Pair("a", "a", lambda: numbers, lambda: off, 1e-3).agree()
    assert not Pair("a", "a", lambda: numbers, lambda: numbers[:1], 1.0).agree()


def test_no_repeats_is_one_sentence(tmp_path: Path) -> None:
    done = run("--repeats", "0", "--output", "steps.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "edge-ser: error: --repeats is 0, at least 1 is wanted\n"
    assert not list(tmp_path.iterdir())
