"""Ctrl-C and SIGTERM end ``edge-ser listen`` in good order."""

from __future__ import annotations

import array
import fcntl
import json
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import TextIO

import pytest
from runtime_fakes import start_cli, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav

RAW = (voice(16_000) * 32767).astype("<i2").tobytes()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_wav(tmp_path / "long.wav", voice(480_000), 16_000)
    return tmp_path / "long.wav"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("as_json", [False, True])
def test_signal_ends_a_paced_file_with_a_summary(
    number: signal.Signals, as_json: bool, tiny_artifact: Artifact, clip: Path
) -> None:
    options = ["--json"] if as_json else []
    process = start_cli(
        "listen", "--source", clip, "--artifact", tiny_artifact.path,
        "--window", "0.2", "--hop", "0.1", *options,
    )  # fmt: skip
    with process:
        first = process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    said, summary = err.splitlines()
    assert "listening to" in said
    assert summary.startswith("edge-ser: ")
    assert " decisions in " in summary
    if as_json:
        last = json.loads((first + out).splitlines()[-1])
        assert last["type"] == "summary"
        assert 0 < last["audio_s"] < 20
        assert last["decisions"] == len((first + out).splitlines()) - 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_wait_for_stdin(number: signal.Signals, tiny_artifact: Artifact) -> None:
    process = start_cli(
        "listen", "--source", "-", "--json", "--artifact", tiny_artifact.path,
        "--window", "0.5", "--hop", "0.4", text=False,
    )  # fmt: skip
    with process:
        process.stdin.write(RAW)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "decision"
        process.send_signal(number)
        # Nobody closes the pipe.
        assert process.wait(timeout=60) == 0
        *_, last = process.stdout.read().splitlines()
        assert json.loads(last)["type"] == "summary"


def wait_until_full(pipe: TextIO) -> None:
    """Wait until a pipe of 64 kB has no room for another line."""
    n_waiting = array.array("i", [0])
    deadline_s = time.monotonic() + 60
    while n_waiting[0] < 64_000 and time.monotonic() < deadline_s:
        time.sleep(0.05)
        fcntl.ioctl(pipe.fileno(), termios.FIONREAD, n_waiting)


def test_second_signal_ends_it_the_hard_way(tiny_artifact: Artifact, clip: Path) -> None:
    # A reader that takes nothing: the pipe fills, and no write ever returns.
    process = start_cli(
        "listen", "--source", clip, "--artifact", tiny_artifact.path, "--fast", "--json",
        "--window", "0.1", "--hop", "0.03",
    )  # fmt: skip
    with process:
        try:
            wait_until_full(process.stdout)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == -signal.SIGTERM
        finally:
            process.kill()
