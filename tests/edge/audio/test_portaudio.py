"""PortAudio's prints, its list of devices and its calls that hang."""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
import time

import pytest

from edge.audio import portaudio
from edge.audio.portaudio import AwayError, Call, renew, turn

CHATTER = """
import ctypes, os, sys
from edge.audio.portaudio import hush, hushed, unhush

c = ctypes.CDLL(None)

def chatter(word):
    # As C code does, through stdio.
    c.perror(word.encode())

chatter("before")
with hushed():
    chatter("within")
    print("a notice", file=sys.stderr, flush=True)
    os.write(2, b"a child's line\\n")
    hush()
chatter("still open")
unhush()
chatter("behind")
with hushed():
    chatter("again")
chatter("end")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has another standard error")
def test_what_c_prints_is_kept_away_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHATTER], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert lines == ["before", "a notice", "a child's line", "behind", "end"]


def test_a_c_library_whose_stderr_cannot_be_set_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr(portaudio.sys, "platform", "linux")
    monkeypatch.setattr(portaudio.os, "confstr", lambda name: None)
    assert portaudio._c_stderr() is None
    hush = portaudio._Hush()
    hush.begin()
    hush.end()


def test_renewing_shows_what_was_plugged_in(sounddevice) -> None:
    sounddevice.plugged = sounddevice.devices[:2]
    with turn():
        assert renew(sounddevice)
    assert sounddevice.devices == sounddevice.plugged
    assert sounddevice._initialized == 1


def test_renewing_does_not_end_somebody_else_s_stream(sounddevice) -> None:
    playing = sounddevice.OutputStream()
    assert not renew(sounddevice)
    assert sounddevice.n_renewals == 0
    playing.closed = True
    assert renew(sounddevice)


def test_portaudio_that_does_not_start_may_start_later(sounddevice) -> None:
    sounddevice.broken = True
    for _ in range(2):
        with pytest.raises(AwayError, match="PortAudio does not start: Error initializing"):
            renew(sounddevice)
    assert sounddevice._initialized == 0
    sounddevice.broken = False
    assert renew(sounddevice)


def test_a_turn_is_not_waited_for_for_ever() -> None:
    entered, left = threading.Event(), threading.Event()

    def hold() -> None:
        with turn():
            entered.set()
            left.wait(10)

    call = Call(hold)
    assert entered.wait(5)
    began_s = time.monotonic()
    with pytest.raises(AwayError, match="the sound server does not answer"), turn(0.05):
        pass
    assert time.monotonic() - began_s < 1
    left.set()
    assert call.wait(5)
    with turn(0.05):
        pass


def test_a_call_passes_on_what_failed_once() -> None:
    def fail() -> None:
        raise AwayError("no")

    call = Call(fail)
    assert call.wait(5)
    with pytest.raises(AwayError, match="no"):
        call.check()
    call.check()


def test_a_call_left_behind_does_not_hold_up_the_end_of_the_program(
    sounddevice, monkeypatch
) -> None:
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    frozen = threading.Event()
    call = Call(frozen.wait)
    call.leave()
    assert forgotten == [sounddevice._exit_handler]
    frozen.set()
    assert call.wait(5)
    call.leave()
    assert len(forgotten) == 1
