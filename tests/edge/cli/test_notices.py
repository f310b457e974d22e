"""Standard error may be gone; the decisions go on."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runtime_fakes import fake_classifier, records, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli import notices
from edge.pipeline import run_pipeline
from edge.sinks import JsonLinesSink
from edge.sinks.group import SinkGroup
from edge.sources import Block, Stop


class Dead(io.StringIO):
    """Fails on every write, as a closed pipe or a full disk."""

    n_writes = 0

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        self.n_writes += 1
        raise self._error


DEATHS = [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left"), ValueError("closed")]


@pytest.mark.parametrize("error", DEATHS)
def test_a_dead_standard_error_is_no_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Dead(error))
    assert not notices.say("hello")
    notices.warn("hello")
    notices.complain("hello")
    assert sys.stderr.n_writes == 3


def test_a_standard_error_that_is_closed_or_missing_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert not notices.say("hello")


def decided(warnings: int) -> list[tuple[object, object]]:
    """JSON of a run whose source has something to say with every block."""
    out = io.StringIO()
    # A clock that jumps: nothing is held back.
    clock = iter(range(0, 10**9, 100))
    sinks = SinkGroup([JsonLinesSink(out)], notices.Notices(lambda: next(clock)).warn)
    clip = voice(64_000)

    class Chatty:
        name, waited_s = "chatty", 0.0

        def blocks(self, stop: Stop):
            for start in range(0, 64_000, 640):
                for _ in range(warnings // 100):
                    notices.warn("odd")
                    sinks._notice("odd")
                yield Block(clip[start : start + 640])

    run_pipeline(Chatty(), fake_classifier().stream(), sinks)
    return [(one.get("start_s"), one.get("label")) for one in records(out.getvalue())]


def test_ten_thousand_deaths_of_standard_error_lose_no_decision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = decided(0)
    assert len(wanted) > 5
    for error in DEATHS:
        dead = Dead(error)
        monkeypatch.setattr(sys, "stderr", dead)
        assert decided(10_000) == wanted
        assert dead.n_writes == 20_000


@pytest.mark.parametrize("death", ["2>&-", "2>/dev/full", "2>closed-pipe", ""])
@pytest.mark.parametrize("code", [0, 2])
def test_results_and_exit_code_do_not_depend_on_standard_error(
    death: str, code: int, tiny_artifact: Artifact, tmp_path: Path
) -> None:
    if "/dev/full" in death and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    write_wav(tmp_path / "a.wav", voice(48_000 if code == 0 else 100), 16_000)
    command = (
        f'exec "{sys.executable}" -m edge.cli.main listen --json --fast '
        f'--source "{tmp_path}/a.wav" --artifact "{tiny_artifact.path}" '
    )
    read_end, write_end = os.pipe()
    os.close(read_end)
    if death == "2>closed-pipe":
        death = f"2>&{write_end}"
    try:
        done = subprocess.run(
            ["bash", "-c", command + death], stdout=subprocess.PIPE, text=True, check=False,
            pass_fds=[write_end], stderr=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
    finally:
        os.close(write_end)
    assert done.returncode == code
    assert len(done.stdout.splitlines()) == (4 if code == 0 else 0)


def test_a_reader_who_takes_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(write_end, bytes(4096)):
            pass
    os.set_blocking(write_end, True)
    with os.fdopen(write_end, "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        monkeypatch.setattr(notices, "_PATIENCE_S", 0.05)
        notices.Notices().say("nobody hears this")
        os.read(read_end, 65_536)
        notices.Notices().say("but this")
    assert os.read(read_end, 65_536).endswith(b"edge-ser: but this\n")
    os.close(read_end)


def test_sentences_that_differ_in_numbers_are_said_once_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 0.0
    said = notices.Notices(lambda: now_s)
    for n in range(100):
        said.warn(f"{n} samples lost")
        said.warn(f"another {n}")
    now_s = 61.0
    said.warn("7 samples lost")
    assert capsys.readouterr().err.splitlines() == [
        "edge-ser: warning: 0 samples lost",
        "edge-ser: warning: another 0",
        "edge-ser: warning: 7 samples lost (99 more like it since the last was said)",
    ]


def test_news_is_told_each_time_but_a_storm_of_it_fills_no_disk(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 0.0
    told = notices.Notices(lambda: now_s)
    # Fifty outages are told, each with its end.
    for n in range(50):
        now_s += 10
        told.report("the microphone went away")
        told.report(f"the microphone is back after {n}.5 s")
    assert len(capsys.readouterr().err.splitlines()) == 100
    # A loose plug, for a day.
    for n in range(43_200):
        now_s += 2
        told.report(("the microphone went away", f"it is back after {n}.5 s")[n % 2])
    lines = capsys.readouterr().err.splitlines()
    assert 240 <= len(lines) < 6100
    assert lines[-1].endswith(" more like it since the last was said)")
    now_s += 3600
    told.report("the microphone went away")
    assert "more like it" in capsys.readouterr().err
    told.report("the microphone went away")
    assert capsys.readouterr().err == "edge-ser: the microphone went away\n"


def test_kinds_of_sentences_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    said = notices.Notices(lambda: 0.0)
    for n in range(1000):
        said.warn("x" * n)
    assert len(said._said) <= 64
    capsys.readouterr()


def test_a_stranger_s_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    notices.complain("\x1b[2J\x9b1m\u202egnp.wav\n\x00\ud800 is not audio")
    assert capsys.readouterr().err == (
        "edge-ser: error: \\x1b[2J\\x9b1m\\u202egnp.wav\\x0a\\x00\\ud800 is not audio\n"
    )


def test_a_library_that_writes_to_a_closed_standard_error_spoils_no_file(
    tmp_path: Path,
) -> None:
    # Without a word to say, descriptor 2 would be the next file that is opened.
    code = (
        "import os, sys\n"
        "from edge.cli import main\n"
        "main.main = lambda: print(os.open(sys.argv[1], os.O_RDONLY))\n"
        "main.run()\n"
    )
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$1" "$2" <&- 2>&-', sys.executable, code, tmp_path / "file"],
        stdout=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert int(done.stdout) > 2
