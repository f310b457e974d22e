"""Ctrl-C and SIGTERM end ``edge-ser listen`` in good order."""

from __future__ import annotations

import array
import fcntl
import json
import os
import re
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import start_cli, start_python, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.signals import SIGNALS, stopped_by_signals
from edge.sources import Stop

#: Linux's number; Python names it from 3.10 on.
F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)

RAW = (voice(16_000) * 32767).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "long.wav"
    write_wav(path, voice(480_000), 16_000)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("as_json", [False, True])
def test_signal_ends_a_paced_file_with_a_summary(
    number: signal.Signals, as_json: bool, tiny_artifact: Artifact, clip: Path
) -> None:
    options = ["--json"] if as_json else []
    process = start_cli(
        "listen", "--source", clip, "--artifact", tiny_artifact.path,
        "--segment", "0.2", "--hop", "0.1", *options,
    )  # fmt: skip
    with process:
        first = process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    said, summary = err.splitlines()
    assert "listening to" in said
    assert summary.startswith("edge-ser: ")
    assert re.search(r" (1 decision|\d+ decisions) in ", summary)
    if as_json:
        last = json.loads((first + out).splitlines()[-1])
        assert last["type"] == "summary"
        assert 0 < last["audio_s"] < 20
        assert last["decisions"] == len((first + out).splitlines()) - 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_wait_for_stdin(number: signal.Signals, tiny_artifact: Artifact) -> None:
    process = start_cli(
        "listen", "--source", "-", "--json", "--artifact", tiny_artifact.path,
        "--segment", "0.5", "--hop", "0.4", text=False,
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


def wait_until_full(descriptor: int) -> None:
    """Wait until a pipe of one page has no room for another line."""
    n_waiting = array.array("i", [0])
    deadline_s = time.monotonic() + 60
    while n_waiting[0] < 3500 and time.monotonic() < deadline_s:
        time.sleep(0.02)
        fcntl.ioctl(descriptor, termios.FIONREAD, n_waiting)


#: The command itself, whose second signal may come sooner.
SOON = """
from edge.cli import main, signals
assert signals.GRACE_S == 2.0
signals.GRACE_S = 0.8
main.run()
"""


def test_second_signal_ends_it_the_hard_way(tiny_artifact: Artifact, clip: Path) -> None:
    # A reader that takes nothing: the pipe fills, and no write ever returns.
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, F_SETPIPE_SZ, 4096)
    process = start_python(
        SOON, "listen", "--source", clip, "--artifact", tiny_artifact.path, "--fast", "--json",
        "--segment", "0.1", "--hop", "0.03", stdout=write_end,
    )  # fmt: skip
    with process:
        try:
            wait_until_full(read_end)
            process.send_signal(signal.SIGTERM)
            first_s = time.monotonic()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
            # The same wish again and again, until it is taken for another one.
            while process.poll() is None and time.monotonic() < first_s + 60:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.1)
            assert process.wait(timeout=60) == -signal.SIGTERM
            assert time.monotonic() - first_s >= 0.8
        finally:
            process.kill()
            os.close(read_end)
            os.close(write_end)


LOOP_IN_C = """
import hashlib
from edge.cli import signals
from edge.sources import Stop
signals.GRACE_S = 0.1
with signals.stopped_by_signals(Stop()):
    print("looping", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2_000_000_000)
"""


def test_second_signal_ends_even_a_runtime_that_loops_in_c() -> None:
    with start_python(LOOP_IN_C) as process:
        assert process.stdout.readline() == "looping\n"
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == -signal.SIGINT


@pytest.mark.parametrize("n_senders", [1, 3])
def test_a_storm_of_signals_is_one_stop(
    tiny_artifact: Artifact, clip: Path, n_senders: int
) -> None:
    process = start_cli(
        "listen", "--source", clip, "--artifact", tiny_artifact.path, "--json",
        "--segment", "0.1", "--hop", "0.05",
    )  # fmt: skip
    ended = threading.Event()

    def storm() -> None:
        # To the very end: a child that nobody has waited for can still be sent signals.
        for count in range(1_000_000):
            if ended.is_set():
                return
            os.kill(process.pid, (signal.SIGINT, signal.SIGTERM)[count % 2])

    lines = [process.stdout.readline() for _ in range(3)]
    senders = [threading.Thread(target=storm) for _ in range(n_senders)]
    for sender in senders:
        sender.start()
    out, err = process.stdout.read(), process.stderr.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    ended.set()
    for sender in senders:
        sender.join()
    with process:
        pass
    assert process.returncode == 0, err
    *decisions, summary = map(json.loads, [*lines, *out.splitlines()])
    assert {one["type"] for one in decisions} == {"decision"}
    assert summary["decisions"] == len(decisions)
    starts_s = np.array([one["start_s"] for one in decisions])
    assert np.ptp(np.diff(starts_s)) < 0.002
    assert len(err.splitlines()) == 2, err


def test_a_signal_that_was_ignored_stays_ignored(tiny_artifact: Artifact, clip: Path) -> None:
    # As `nohup`, and a plain shell's `&`, start a program.
    process = start_cli(
        "listen", "--source", clip, "--artifact", tiny_artifact.path, "--json", "--duration", "0.6",
        "--segment", "0.2", "--hop", "0.1",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    with process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads((first + out).splitlines()[-1])["audio_s"] == 0.6


def test_only_the_flag_is_set_and_the_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    stop = Stop()
    with stopped_by_signals(stop):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_another_thread_leaves_the_signals_alone() -> None:
    seen: list[object] = []

    def use() -> None:
        with stopped_by_signals(Stop()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
