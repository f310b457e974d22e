from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.stream import long_files


@pytest.mark.parametrize("command", [["classify"], ["listen", "--fast", "--source"]])
def test_a_run_is_watched_from_the_opening_of_its_file(tmp_path: Path, command: list[str]) -> None:
    clip = tmp_path / "long.wav"
    long_files.make_clip(clip, 22_050, 2, minutes=0.05)
    assert clip.stat().st_size == 44 + 3 * 22_050 * 4
    row = long_files.run([*command, str(clip), "--backend", "numpy", "--json"], clip)
    assert row["exit_code"] == 0
    assert row["n_lines"] >= 1
    assert 10 < row["peak_mb"] < 200
    assert 0 < row["first_decision_s"] < row["took_s"]


def test_a_run_that_fails_is_not_met(tmp_path: Path) -> None:
    clip = tmp_path / "long.wav"
    clip.write_bytes(b"RIFF")
    row = long_files.run(["classify", str(clip), "--backend", "numpy", "--json"], clip)
    assert row["exit_code"] == 2
    assert row["first_decision_s"] is None
    assert not row["met"]
