"""A quarter of an hour of the day that ``benchmarks/endurance.py`` simulates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.artifact import Artifact

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="another system counts memory otherwise")
def test_memory_stays_and_every_decision_lies_where_it_must(tiny_artifact: Artifact) -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/endurance.py", "--decisions", "1800", "--starts", "0",
         "--artifact", str(tiny_artifact.path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    day = json.loads(done.stdout)["day"]
    assert day["faults"] == []
    assert day["decisions"] >= 1800
    assert day["resident_mb"]["growth"] <= 1.0
    assert day["summary"]["gaps"] > 3
    assert day["states"]["quiet"] > 100
