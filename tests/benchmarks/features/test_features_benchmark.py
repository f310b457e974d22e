"""The speed benchmark and the comparison of NumPy versions, as far as they need no librosa."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from run_benchmark import RESULTS, run_benchmark

from edge import FeatureSpec

VERSIONS = "features.numpy_versions"


def test_no_segments_is_one_sentence(tmp_path: Path) -> None:
    done = run_benchmark("features", "--segments", "0", "--output", "f.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "edge-ser: error: --segments is 0, at least 1 is wanted\n"
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("versions") / "a.npz"
    done = run_benchmark(VERSIONS, "--save", str(path), cwd=path.parent)
    assert done.returncode == 0, done.stderr
    return path


def test_one_version_equals_itself(saved: Path) -> None:
    done = run_benchmark(VERSIONS, "--compare", str(saved), str(saved), cwd=saved.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[-6:] == ["0.0e+00"] * 5 + ["0"]


def test_differences_are_seen(saved: Path) -> None:
    with np.load(saved) as stored:
        rows = stored["rows"]
    rows[5, 2] += 0.5
    rows[7, 30] += 0.25
    voiced = int(np.flatnonzero(rows[:, 13])[0])
    rows[voiced, 13] = 0
    other = saved.with_name("b.npz")
    np.savez(other, title=np.array("other"), rows=rows)
    last = run_benchmark(
        VERSIONS, "--compare", str(saved), str(other), cwd=saved.parent
    ).stdout.split()[-7:]
    assert last[0] == "other"
    assert float(last[1]) == pytest.approx(0.5, rel=0.1)
    assert float(last[2]) > 50
    assert last[3:5] == ["0.0e+00"] * 2
    assert float(last[5]) == pytest.approx(0.25, rel=0.1)
    assert last[6] == "1"


def test_what_is_no_result_is_one_sentence(saved: Path) -> None:
    done = run_benchmark(VERSIONS, "--compare", __file__, cwd=saved.parent)
    assert done.returncode == 2
    assert done.stderr.startswith("edge-ser: error: ")
    assert "write it with --save" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_committed_result_is_of_these_features() -> None:
    result = json.loads((RESULTS / "features.json").read_text())
    assert result["fingerprint"] == FeatureSpec().fingerprint
    assert result["n_segments"] >= 200
    assert not result["modified"]
    assert all(group["met"] for group in result["parity"]["features"].values())
    assert result["parity"]["pitch"]["met"]
    assert result["memory"]["constant"]
    # What is not met is said, not left out.
    assert result["met"] == all(ratio["met"] for ratio in result["ratios"])
