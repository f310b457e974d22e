"""A synthetic corpus and two tiny trained folds, made once."""

from __future__ import annotations

import pytest
from run_commands import train


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory):
    """All four corpora, synthetic, of seed 0; nobody writes there."""
    from quantize.commands.main import main

    root = tmp_path_factory.mktemp("data") / "corpora"
    assert main(["synthesise-corpus", str(root)]) == 0
    return root


@pytest.fixture(scope="session")
def data(synthetic_root):
    return synthetic_root


@pytest.fixture(scope="session")
def runs(data, tmp_path_factory):
    """Two trained folds, the cache beside them."""
    from quantize.commands.main import main

    folder = tmp_path_factory.mktemp("runs")
    for fold in range(2):
        command = train(
            data, folder / "cache", folder / f"f{fold}", "--split", "speaker", "--fold", str(fold)
        )
        assert main(command) == 0
    return folder
