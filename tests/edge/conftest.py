"""Fixtures of the device's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.artifact import Artifact, read_artifact


@pytest.fixture(scope="session")
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path)]


@pytest.fixture
def artifact(tiny_artifact: Artifact, tmp_path: Path) -> Artifact:
    """A copy that a test may spoil; writing one anew waits for the disk."""
    shutil.copytree(tiny_artifact.path, tmp_path / "model")
    return read_artifact(tmp_path / "model")
