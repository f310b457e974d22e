"""A quarter of an hour of the day that ``benchmarks/stream/endurance.py`` simulates."""

from __future__ import annotations

import json
import sys

import pytest
from run_benchmark import ROOT, run_benchmark

from edge.artifact import Artifact


@pytest.mark.skipif(sys.platform != "linux", reason="another system counts memory otherwise")
def test_memory_stays_and_every_decision_lies_where_it_must(tiny_artifact: Artifact) -> None:
    done = run_benchmark(
        *("stream.endurance", "--decisions", "1800", "--starts", "0"),
        *("--artifact", str(tiny_artifact.path)),
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    day = json.loads(done.stdout)["day"]
    assert day["faults"] == []
    assert day["decisions"] >= 1800
    assert day["resident_mb"]["growth"] <= 1.0
    assert day["summary"]["gaps"] > 3
    assert day["states"]["quiet"] > 100
