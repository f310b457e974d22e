"""``edge-ser classify``: what is said about files, and ends that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import REPOSITORY, complaint, records, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.main import main

CLIP = voice(48_000)


@pytest.fixture
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]


def test_silence_is_quiet_in_a_line_and_in_json(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "silence.wav"
    write_wav(file, np.zeros(48_000, np.float32), 16_000)
    assert main(["classify", str(file), *model]) == 0
    line = capsys.readouterr().out
    assert "quiet" in line
    assert "%" not in line
    assert main(["classify", str(file), "--json", *model]) == 0
    (record,) = records(capsys.readouterr().out)
    assert (record["state"], record["label"], record["posterior"]) == ("quiet", None, None)
    assert record["n_speech_segments"] == 0
    assert record["duration_s"] == 3.0


def test_listen_and_classify_agree_about_silence(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "silence.wav"
    write_wav(file, np.zeros(48_000, np.float32), 16_000)
    assert main(["listen", "--source", str(file), "--fast", "--json", *model]) == 0
    *decisions, _ = records(capsys.readouterr().out)
    assert {(d["state"], d["label"], d["posterior"]) for d in decisions} == {("quiet", None, None)}


def test_a_warning_is_a_line_and_a_key(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hot.wav"
    write_wav(file, 20 * CLIP, 16_000)
    assert main(["classify", str(file), "--json", *model]) == 0
    captured = capsys.readouterr()
    (record,) = records(captured.out)
    assert record["warning"].startswith("the sound clips")
    assert captured.err == f"edge-ser: warning: {file}: {record['warning']}\n"


def test_a_short_segment_alone_is_enough(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.wav"
    write_wav(file, CLIP, 16_000)
    assert main(["classify", str(file), "--segment", "0.4", "--json", *model]) == 0
    (record,) = records(capsys.readouterr().out)
    assert record["n_segments"] > 7


@pytest.mark.parametrize("bad", ["", "x" * 300, "x/" * 2500, "pipe.wav", "nobody", "a.wav/b"])
def test_a_path_that_leads_nowhere_ends_nothing_but_itself(
    bad: str, model: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_wav("a.wav", CLIP, 16_000)
    write_wav("b.wav", CLIP, 16_000)
    os.mkfifo("pipe.wav")
    assert main(["classify", "a.wav", bad, "b.wav", "--json", *model]) == 2
    captured = capsys.readouterr()
    assert [record["path"] for record in records(captured.out)] == ["a.wav", "b.wav"]
    first, last = captured.err.splitlines()
    assert complaint(first)
    assert last == "edge-ser: 1 failed, 2 classified"


def test_nobody_reads_the_notices_and_nothing_is_lost(
    model: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(tmp_path / "hot.wav", 20 * CLIP, 16_000)
    write_wav(tmp_path / "plain.wav", CLIP, 16_000)
    command = [sys.executable, "-m", "edge.cli.main", "classify", str(tmp_path), "none.wav", *model]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=full, text=True, check=False, cwd=REPOSITORY
        )
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 2


def test_a_name_cannot_command_the_terminal(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "a\x1b[2J.wav", 20 * CLIP, 16_000)
    assert main(["classify", str(tmp_path), *model]) == 0
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
