"""A synthetic corpus and two tiny trained folds, made once, however many processes test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from run_commands import train


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that one process of a session makes and all read."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = factory.mktemp(name)
        make(folder)
        return folder
    # Not at the top: the device's tests run where only their own packages are.
    from filelock import FileLock

    # The workers' own folders lie side by side in the session's.
    shared = factory.getbasetemp().parent / f"shared-{name}"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            begun = shared.with_name(f"{shared.name}-begun")
            shutil.rmtree(begun, ignore_errors=True)
            make(begun)
            begun.rename(shared)
    return shared


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory):
    """All four corpora, synthetic, of seed 0; nobody writes there."""
    from quantize.commands.main import main

    def make(folder: Path) -> None:
        assert main(["synthesise-corpus", str(folder / "corpora")]) == 0

    return made_once(tmp_path_factory, "data", make) / "corpora"


@pytest.fixture(scope="session")
def data(synthetic_root):
    return synthetic_root


@pytest.fixture(scope="session")
def runs(data, tmp_path_factory):
    """Two trained folds, the cache beside them."""
    from quantize.commands.main import main

    def make(folder: Path) -> None:
        for fold in range(2):
            out, place = folder / f"f{fold}", ("--split", "speaker", "--fold", str(fold))
            assert main(train(data, folder / "cache", out, *place, pictures=True)) == 0

    # Tests measure in it, each process in its own.
    folder = tmp_path_factory.mktemp("own") / "runs"
    return Path(shutil.copytree(made_once(tmp_path_factory, "runs", make), folder))
