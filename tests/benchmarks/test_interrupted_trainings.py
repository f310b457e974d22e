"""A few of the interruptions that ``benchmarks.interrupted.trainings`` makes by the hundred."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_interrupted_trainings_end_with_the_same_weights_or_a_sentence(tmp_path):
    out = tmp_path / "figures.json"
    words = ["--kills", "2", "--cuts", "3", "--pairs", "1", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.interrupted.trainings", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text())
    cuts = figures["cuts"]
    assert cuts["same weights"] + cuts["one sentence"] == cuts["n"] == 3
