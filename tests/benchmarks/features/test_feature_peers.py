"""Features beside other packages: whatever is not here is named, the rest is divided."""

from __future__ import annotations

import json
from pathlib import Path

from run_benchmark import run_benchmark

from benchmarks.features.methods import installed


def test_what_is_not_installed_is_named_and_left_out(tmp_path: Path) -> None:
    done = run_benchmark("features.peers", "--rounds", "1", "--output", "p.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "p.json").read_text())
    assert {"ours", "ours_push"} <= set(result["times_ms"])
    for package, method in {
        "librosa": "librosa_defaults",
        "python_speech_features": "python_speech_features",
        "kaldi-native-fbank": "kaldi_native_fbank",
    }.items():
        if installed(package):
            assert method in result["times_ms"]
        else:
            assert result["not_measured"][package].endswith(f"pip install {package}")
            assert f"{package}: it is not installed" in done.stdout
    # What is timed and is not ours is divided by ours.
    timed = {name for name in result["times_ms"] if not name.startswith("ours")}
    assert {row["over"] for row in result["ratios"]} == timed


def test_no_rounds_are_one_sentence(tmp_path: Path) -> None:
    done = run_benchmark("features.peers", "--rounds", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "edge-ser: error: --rounds is 0, at least 1 is wanted\n"
