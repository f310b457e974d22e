"""What the workstation's commands say of a stranger's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantize.commands.main import main


def test_error_shows_what_a_terminal_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "run\x1b[2J\u202eexe"
    assert main(["export", str(tmp_path / name), "--kind", "numpy-fp32", "--out", "x"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert r"run\x1b[2J\u202eexe" in said
