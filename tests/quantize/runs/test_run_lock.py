"""The lock of a run folder, at the moment at which another training puts it away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantize.basics.errors import TrainingError
from quantize.runs.files import RunFiles
from quantize.runs.lock import locked_for_training


def test_a_lock_that_went_before_it_was_held_keeps_nobody_out_and_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    files, real = RunFiles(tmp_path / "run"), fcntl.flock
    n_asked = 0

    def flock(descriptor: int, operation: int) -> Any:
        nonlocal n_asked
        n_asked += 1
        if n_asked == 1:
            # Opened, not held yet: whoever had it takes it away now.
            files.lock.unlink()
        return real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(TrainingError, match="is being trained in"), locked_for_training(files):
        pass
    assert n_asked > 0
    with locked_for_training(files):
        assert files.lock.exists()
    assert not files.lock.exists()
