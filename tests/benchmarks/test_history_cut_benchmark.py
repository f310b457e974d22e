"""The benchmark that cuts histories runs, and what is published of it came from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from run_benchmark import RESULTS, run_benchmark


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc/self/io")
def test_it_cuts_and_looks(tmp_path: Path) -> None:
    output = tmp_path / "cuts.json"
    words = ("--cuts", "3", "--hours", "0.1", "--output", str(output))
    run = run_benchmark("history_cut", *words, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    found = json.loads(output.read_text())
    assert (found["cuts"]["trials"], found["cuts"]["wrong"]) == (3, [])
    published = json.loads((RESULTS / "history_cut.json").read_text())
    assert found.keys() == published.keys()
    assert published["cuts"]["trials"] == 200
    assert published["cuts"]["wrong"] == []
