"""An archive of clips, and a run over it that was ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from archive_runs import N_CLIPS, Half
from runtime_fakes import voice

from edge.artifact import Artifact
from edge.audio.file import write_wav


@pytest.fixture
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of other lengths and levels, silence, and two files that are no audio."""
    folder = tmp_path_factory.mktemp("archive")
    clip = voice(40_000)
    for n in range(N_CLIPS):
        level = 0.0 if n == 5 else 20.0 if n == 6 else 1 / (n + 1)
        write_wav(folder / f"c{n:02}.wav", level * clip[: 16_000 + 2_000 * n], 16_000)
    (folder / "c03.wav").write_bytes(b"")
    (folder / "c08.wav").write_text("no, audio")
    return folder


@pytest.fixture(scope="module")
def ended(tiny_artifact: Artifact, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Half:
    model = ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]
    return Half(model, archive, tmp_path_factory.mktemp("half"))


@pytest.fixture
def half(ended: Half, capsys: pytest.CaptureFixture[str]) -> Half:
    ended.cut(len(ended.journal) // 2)
    capsys.readouterr()
    return ended
