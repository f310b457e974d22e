"""The benchmark of archives: what it times writes the same bytes, and it says so."""

from __future__ import annotations

import json
from pathlib import Path

from run_benchmark import run_benchmark


def test_it_times_both_and_compares_their_bytes(tmp_path: Path) -> None:
    done = run_benchmark(
        *("stream.classify_archive", "--clips", "9", "--pairs", "1"),
        *("--kills", "1", "--kill-clips", "8", "--output", "a.json"),
        cwd=tmp_path,
    )
    # Nine clips are too few to gain from processes.
    assert done.returncode in (0, 1), done.stderr
    result = json.loads((tmp_path / "a.json").read_text())
    assert json.loads(done.stdout) == result
    assert result["jobs"]["same_bytes"] is True
    (pair,) = result["jobs"]["pairs"]
    assert result["jobs"]["ratio"] == pair["ratio"] > 0
    assert pair["one"]["processor_s"] > 0
    assert result["kills"]["same_bytes"] is True
    assert result["kills"]["kills"] == 1
