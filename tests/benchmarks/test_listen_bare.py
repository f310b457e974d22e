"""What `listen` without sinks costs in two checkouts: the comparison itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.listen_bare import main

_MAIN = """
import sys
assert "listen" in sys.argv, sys.argv
held = bytearray(b"x" * {n_bytes})
print("a line", flush=True)
"""


def checkout(folder: Path, n_bytes: int) -> Path:
    (folder / "edge_ser").mkdir(parents=True)
    for name in ("__init__", "start"):
        (folder / "edge_ser" / f"{name}.py").touch()
    (folder / "edge_ser" / "__main__.py").write_text(_MAIN.format(n_bytes=n_bytes))
    return folder


def test_more_memory_of_the_later_one_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = checkout(tmp_path / "a", 0), checkout(tmp_path / "b", 60_000_000)
    words = ["--before", str(before), "--after", str(after), "--pairs", "2", "--warm-up", "0"]
    assert main([*words, "--output", str(tmp_path / "out.json")]) == 0
    result = json.loads((tmp_path / "out.json").read_text())
    memory = result["figures"]["peak_rss_mb"]
    assert memory["after"] - memory["before"] > 50
    assert memory["ratio"] > 1.5
    assert len(result["raw"]["after"]) == 2
    assert "peak_rss_mb" in capsys.readouterr().out


def test_what_is_no_checkout_and_what_fails_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--before", str(tmp_path), "--pairs", "1"]) == 2
    assert "a checkout is wanted: git worktree add" in capsys.readouterr().err
    broken = checkout(tmp_path / "c", 0)
    (broken / "edge_ser" / "__main__.py").write_text("raise SystemExit('it is broken')")
    assert main(["--before", str(broken), "--after", str(broken), "--pairs", "1"]) == 2
    said = capsys.readouterr().err
    assert "ended with 1: it is broken" in said
    assert said.count("\n") == 1
