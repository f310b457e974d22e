"""``--vad``: what tells whether somebody speaks, for a file and while listening."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.cli.main import main


@pytest.fixture
def noise(tmp_path: Path) -> str:
    path = tmp_path / "noise.wav"
    samples = np.random.default_rng(1).normal(0, 2000, 48_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return str(path)


@pytest.mark.parametrize(
    ("options", "state"),
    [([], "no-speech"), (["--vad", "gate"], "no-speech"), (["--vad", "off"], "speech"),
     (["--vad", "energy"], "speech")],
)  # fmt: skip
def test_noise_has_a_label_where_no_gate_is_asked(
    options: list[str], state: str, noise: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--backend", "numpy", "--json", "--min-probability", "0", *options]
    assert main(["classify", noise, *model]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["state"] == state
    assert (record["label"] is None) == (state == "no-speech")
    assert main(["listen", "--source", noise, "--fast", *model]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each["state"] for each in records if each["type"] == "decision"} == {state}


def test_another_word_is_refused(noise: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", noise, "--vad", "ears"]) == 2
    assert "argument --vad: invalid choice: 'ears'" in capsys.readouterr().err
