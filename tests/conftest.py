"""Fixtures for every test."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from artifact_fakes import make_artifact

from edge.artifact import Artifact

pytest_plugins = ["trained_runs"]

# Nobody's own configuration changes what a command does here.
os.environ["XDG_CONFIG_HOME"] = os.path.join(os.path.dirname(__file__), "no-configuration")


@pytest.fixture(scope="session")
def tiny_artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A small NumPy artifact with drawn weights; do not change its files."""
    return make_artifact(tmp_path_factory.mktemp("artifacts") / "tiny")


def pytest_collection_finish() -> None:
    """Thousands of tests are there to stay: the collector need not look through them again."""
    gc.collect()
    gc.freeze()


def pytest_configure() -> None:
    """Let children be told of a closing terminal and of Ctrl-C, wherever these tests run.

    ``nohup`` ignores the one, a shell's ``&`` in a script the other, and children inherit that.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
