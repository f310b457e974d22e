"""pipx and uv install the command from the folder, where they and a package index are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.check_wheel import ROOT

#: How each says that what is needed beside us cannot be fetched.
NO_INDEX = (
    "No matching distribution", "Could not find a version", "Failed to fetch", "dns error",
    "error sending request", "no solution found", "Temporary failure in name resolution",
)  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tool", ["pipx", "uv"])
def test_the_command_is_installed_and_says_its_version(tool: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    source = tmp_path / "source"
    # A build leaves folders beside what it builds.
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("edge", "edge_ser"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "bin"
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(programs),
        "PIPX_MAN_DIR": str(tmp_path / "man"), "UV_TOOL_DIR": str(tmp_path / "home"),
        "UV_TOOL_BIN_DIR": str(programs),
    }  # fmt: skip
    words = {"pipx": ["pipx", "install"], "uv": ["uv", "tool", "install"]}[tool]
    done = subprocess.run(
        [*words, "--python", sys.executable, str(source)],
        check=False, capture_output=True, text=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if done.returncode != 0 and any(words.lower() in said.lower() for words in NO_INDEX):
        pytest.skip(f"{tool} reaches no package index for NumPy and sounddevice")
    assert done.returncode == 0, said
    told = subprocess.run(
        [str(programs / "edge-ser"), "--version"],
        check=False, capture_output=True, text=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert told.stdout.startswith("edge-ser "), told.stderr
