"""``--save-audio`` through the command: nothing is kept unless it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import complaint

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP
from edge.cli.main import main
from edge.taps.recordings import Recordings

DEMO = ["listen", "--source", "demo", "--fast"]


def test_what_is_heard_is_kept_and_said_once(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kept"
    assert main([*DEMO, "--save-audio", str(folder), "--save-max-mb", "5", *model]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "saved" in line]
    assert said == [f"edge-ser: what is heard is saved in {folder}, 5 MB at most"]
    (name,) = os.listdir(folder)
    np.testing.assert_array_equal(read_audio(folder / name)[0], read_audio(DEMO_CLIP)[0])


def test_sound_that_could_not_be_kept_is_told_by_the_exit_code(
    model: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(self: Recordings, time_s: float) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Recordings, "begin", full)
    assert main([*DEMO, "--duration", "1", "--save-audio", str(tmp_path), *model]) == 2
    assert "what is heard is not saved in" in capsys.readouterr().err


def test_nothing_is_kept_unless_it_is_asked_for(
    model: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*DEMO, "--duration", "1", *model]) == 0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--save-audio", ""], "is empty"),
        (["--save-audio", "/dev/null"], "audio cannot be saved in /dev/null: Not a directory"),
        (["--save-max-mb", "5"], "--save-max-mb limits what --save-audio DIR keeps"),
        (["--save-audio", "x", "--save-max-mb", "0"], "'0' is not a number of megabytes"),
    ],
)
def test_options_that_cannot_be_used_are_one_sentence(
    options: list[str], match: str, model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DEMO, *options, *model]) == 2
    assert match in complaint(capsys.readouterr().err)
