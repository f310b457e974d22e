"""The benchmark that needs corpora says so when there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_benchmark import RESULTS, run_benchmark

from edge import FeatureSpec


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--data", "nowhere"], "'nowhere' is not a folder"),
        (["--data", "."], "no clip of ravdess, savee, emo-db, tess under '.'"),
        (["--data", ".", "--clips", "0"], "--clips is 0, at least 1 is wanted"),
    ],
)
def test_without_corpora_it_is_one_sentence(tmp_path: Path, args: list[str], message: str) -> None:
    done = run_benchmark("features.parity", *args, "--output", "result.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"edge-ser: error: {message}")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_committed_result_is_of_these_features_and_meets_the_bar() -> None:
    text = (RESULTS / "parity.json").read_text()
    result = json.loads(text)
    assert result["fingerprint"] == FeatureSpec().fingerprint
    assert result["n_clips"] >= 100
    assert len(result["corpora"]) == 4
    assert all(group["met"] for group in result["features"].values())
    assert result["pitch"]["met"]
    # No path of the machine that measured.
    assert "/home" not in text
    assert "--data ROOT" in result["command"]
