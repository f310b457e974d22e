"""A training names what it cannot learn from, goes on without it, and is measured without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import write_wav
from quantize.commands.main import main
from quantize.data.corpora.synthetic import synthetic_speech
from quantize.runs.run import open_run

RATE = 16000


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for place, label in enumerate(("angry", "sad")):
        (folder / label).mkdir(parents=True)
        for take in range(5):
            speech = synthetic_speech(label, "female", place, 1.0, take)
            write_wav(folder / label / f"{take}.wav", speech, RATE)
    (folder / "angry/damaged.wav").write_bytes(b"RIFF and no more")
    write_wav(folder / "sad/silent.wav", np.zeros(RATE, np.float32), RATE)
    return folder


def test_a_training_goes_on_without_what_it_cannot_learn_from(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", "--data", str(mine), "--out", str(out), "--cache", str(tmp_path / "cache")]
    words += ["--recipe", "claf-ser-alone", "--epochs", "1", "--hidden", "4", "--variants", "0"]
    words += ["--workers", "1"]
    assert main([*words, "--strict"]) == 2
    said = capsys.readouterr().err
    assert "damaged.wav" in said
    assert "silent.wav" in said
    assert not out.exists()
    assert main(words) == 0
    said = capsys.readouterr().err
    assert f"1 clip left out, is silence: {mine / 'sad/silent.wav'}" in said
    assert str(mine / "angry/damaged.wav") in said
    assert "10 clips: mine (10)" in said
    assert said.index("left out") < said.index("10 clips")
    assert set(open_run(out).left_out) == {"mine/angry/damaged", "mine/sad/silent"}
    assert main(["evaluate", str(out), "--data", str(mine), "--cache", str(tmp_path / "cache"),
                 "--kind", "torch", "--workers", "1"]) == 0  # fmt: skip
