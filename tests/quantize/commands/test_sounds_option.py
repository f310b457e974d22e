"""``train --sounds DIR``: recordings under the voices of variants, or one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from run_commands import train

from edge.audio.file import write_wav
from quantize.commands.main import main


@pytest.fixture
def sounds(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "sounds" / "rain" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, rng.normal(0, 0.1, 8000).astype("f4"), 16_000)
    return tmp_path / "sounds"


def test_a_run_keeps_which_sounds_it_heard(data, runs, sounds, tmp_path, capsys):
    command = train(data, runs / "cache", tmp_path / "run", "--split", "paper")
    command += ["--corpora", "savee", "--epochs", "1"]
    assert main([*command, "--sounds", str(sounds)]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert len(config["sounds"]) == 64
    write_wav(sounds / "rain" / "0.wav", 0.1 * np.ones(8000), 16_000)
    capsys.readouterr()
    assert main([*command, "--sounds", str(sounds)]) == 2
    assert "sounds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--variants", "0"], "there are no variants of clips"),
        (["--recipe", "{recipe}"], "sounds_share is 0"),
    ],
)
def test_sounds_that_nobody_would_hear_are_refused(
    words, sentence, data, runs, sounds, tmp_path, capsys
):
    (tmp_path / "deaf.toml").write_text('title = "deaf"\n[augment]\nnoise_share = 0.5\n')
    words = [word.format(recipe=tmp_path / "deaf.toml") for word in words]
    command = train(data, runs / "cache", tmp_path / "run", *words, "--sounds", str(sounds))
    assert main(command) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()
