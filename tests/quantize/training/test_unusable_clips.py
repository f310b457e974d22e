"""A training names what it cannot learn from, goes on without it, and is measured without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import write_wav
from quantize.commands.main import main
from quantize.data.corpora.synthetic import synthetic_speech, write_synthetic_corpus
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


def test_a_training_says_what_it_made_no_clip_of(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(mine / "stray.wav", np.zeros(RATE, np.float32), RATE)
    for take in range(4):
        (mine / f"sad/{take}.m4a").write_bytes(b"x")
        (mine / f"sad/{take}.flac").write_bytes(b"x")
    (mine / "rest.zip").write_bytes(b"x")
    words = ["train", "--data", str(mine), "--out", str(tmp_path / "run"), "--epochs", "1"]
    words += ["--cache", str(tmp_path / "cache"), "--hidden", "4", "--variants", "0"]
    assert main([*words, "--workers", "1", "--no-pictures"]) == 0
    said = capsys.readouterr().err
    assert "passed over (1), lies in no label's folder: stray.wav" in said
    copies = ", ".join(str(mine / f"sad/{take}.flac") for take in range(3))
    assert f"passed over (4), second copy of a clip: {copies} and 1 more" in said
    assert "passed over (4), .m4a has to be converted to WAV or FLAC first" in said
    assert "passed over (1), an archive has to be unpacked first" in said


def test_a_training_says_which_names_of_a_known_corpus_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_synthetic_corpus(tmp_path / "corpora", 1, 2)
    actor = tmp_path / "corpora/RAVDESS/Actor_01"
    odd = actor / "03-01-09-01-01-01-01.wav"
    next(iter(sorted(actor.iterdir()))).rename(odd)
    words = ["train", "--data", str(tmp_path / "corpora"), "--out", str(tmp_path / "run")]
    words += ["--cache", str(tmp_path / "cache"), "--hidden", "4", "--variants", "0"]
    words += ["--epochs", "1", "--workers", "1", "--no-pictures", "--corpora", "ravdess", "emo-db"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert f"a field of the name is out of range: {odd.relative_to(tmp_path / 'corpora')}" in said
    assert "'boredom' has no class (--map-label boredom=LABEL gives it one)" in said


def test_a_teacher_that_is_not_there_is_told_before_clips_are_heard(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(mine), "--out", str(tmp_path / "run"), "--cache", str(tmp_path / "c")]
    for more in (["distill", "--teachers"], ["train", "--start"], ["train", "--teachers"]):
        assert main([*more, str(tmp_path / "none"), *words, "--workers", "1"]) == 2
        assert "there is no checkpoint at" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


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
