"""What systemd is told, through a socket that is made here."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import ENVIRONMENT, start_cli, voice

from edge.artifact import Artifact
from edge.cli.notify import Notifier, ServiceTap
from edge.sources.base import Block, Gap, Status


class Manager:
    """A service manager that only listens."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self.socket.settimeout(60)

    def message(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")

    def until(self, state: str) -> list[list[str]]:
        got = [self.message()]
        while state not in got[-1]:
            got.append(self.message())
        return got

    def rest(self) -> list[list[str]]:
        self.socket.setblocking(False)
        got = []
        try:
            while True:
                got.append(self.message())
        except BlockingIOError:
            return got


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = str(tmp_path / "n") if request.param == "path" else f"@edge-ser-{os.getpid()}"
    one = Manager(name)
    yield one
    one.socket.close()


def test_states_and_text_are_one_datagram(manager: Manager) -> None:
    notifier = Notifier(manager.address)
    notifier.tell("READY=1", status="a\nREADY=0" + "x" * 400)
    ready, status = manager.message()
    assert ready == "READY=1"
    assert status.startswith("STATUS=a\\x0aREADY=0xxx")
    assert len(status) <= 210
    notifier.reloading()
    state, clock = manager.message()
    assert state == "RELOADING=1"
    us = int(re.fullmatch(r"MONOTONIC_USEC=(\d+)", clock)[1])
    assert abs(us / 1e6 - time.monotonic()) < 60


@pytest.mark.parametrize("address", [None, "", "vsock:2:1", "/nowhere/at/all", "@" + "x" * 300])
def test_nobody_to_tell_is_no_error(address: str | None) -> None:
    Notifier(address).tell("READY=1")


def test_a_manager_that_takes_nothing_is_not_waited_for(tmp_path: Path) -> None:
    deaf = Manager(str(tmp_path / "n"))
    notifier = Notifier(deaf.address)
    started_s = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100_000):
                sender.sendto(b"x", deaf.address)
    notifier.tell("WATCHDOG=1")
    assert time.monotonic() - started_s < 5
    deaf.socket.close()


def test_the_environment_is_taken_and_not_handed_on() -> None:
    environment = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1", "A": "b"}
    notifier = Notifier.from_environment(environment)
    assert environment == {"A": "b"}
    # The watchdog is another process's.
    assert (notifier.is_heard, notifier.watchdog_s) == (True, None)
    mine = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier.from_environment(mine).watchdog_s == 2.0
    for us in ("", "-1", "x", "0"):
        got = Notifier.from_environment({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": us})
        assert got.watchdog_s is None
    assert not Notifier.from_environment({}).is_heard


SOUND = Block(np.zeros(512, np.float32))
NOTHING = Block(np.zeros(0, np.float32))


class Ears(Notifier):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("@nobody", watchdog_s=4.0)
        self.told: list[tuple[str, ...]] = []

    def tell(self, *states: str, status: str | None = None) -> None:
        self.told.append(states if status is None else (*states, status))


def test_beats_come_with_sound_and_stop_with_it() -> None:
    ears, now_s = Ears(), [0.0]
    tap = ServiceTap(ears, lambda: now_s[0])
    tap(NOTHING)
    tap(Gap(100))
    assert ears.told == []
    for _ in range(100):
        now_s[0] += 0.1
        tap(SOUND)
    assert ears.told[0] == ("READY=1", "WATCHDOG=1", "listening")
    # A quarter of the watchdog's time apart.
    assert ears.told[1:] == [("WATCHDOG=1",)] * 9
    del ears.told[:]
    for item in (NOTHING, Gap(512), Status("muted", "digital silence"), Gap(512)):
        now_s[0] += 100
        tap(item)
    assert ears.told == []


def test_a_microphone_that_is_late_is_waited_for() -> None:
    ears, now_s = Ears(), [0.0]
    tap = ServiceTap(ears, lambda: now_s[0])
    tap(Status("waiting", "the microphone USB is not there yet"))
    assert ears.told == [("READY=1", "WATCHDOG=1", "the microphone USB is not there yet")]
    for _ in range(10):
        now_s[0] += 2
        tap.attempted()
    assert ears.told[1:] == [("WATCHDOG=1",)] * 10
    tap.opened("USB")
    tap(Status("back", "it is back", away_s=20.0))
    assert ears.told[-1] == ("WATCHDOG=1", "listening to USB")
    now_s[0] += 0.1
    tap(Status("lost", "USB went away"))
    assert ears.told[-1] == ("WATCHDOG=1", "USB went away")


def test_the_command_tells_of_its_life(tiny_artifact: Artifact, tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "n"))
    environment = {**ENVIRONMENT, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    process = start_cli(
        "listen", "--source", "-", "--json", "--artifact", tiny_artifact.path,
        "--segment", "0.2", "--hop", "0.1", text=False, env=environment, start_new_session=True,
    )  # fmt: skip
    raw = (voice(1600) * 32767).astype("<i2").tobytes()
    with process:
        process.stdin.write(raw)
        process.stdin.flush()
        *_, ready = manager.until("READY=1")
        assert "WATCHDOG=1" in ready
        for _ in range(4):
            time.sleep(0.11)
            process.stdin.write(raw)
            process.stdin.flush()
            assert manager.until("WATCHDOG=1")
        # Nothing comes any more: no beat either, though the process lives.
        manager.rest()
        time.sleep(0.4)
        assert manager.rest() == []
        # Without a file of its own it is a service all the same, and SIGHUP is no end.
        process.send_signal(signal.SIGHUP)
        manager.socket.settimeout(60)
        told = manager.until("READY=1")
        assert told[0][0] == "RELOADING=1"
        process.send_signal(signal.SIGTERM)
        assert manager.until("STOPPING=1")
        assert process.wait(timeout=60) == 0
        process.stdin.close()
    manager.socket.close()


def test_what_it_failed_with_is_its_status(tiny_artifact: Artifact, tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "n"))
    environment = {**ENVIRONMENT, "NOTIFY_SOCKET": manager.address}
    process = start_cli(
        "listen", "--source", tmp_path / "none.wav", "--artifact", tiny_artifact.path,
        env=environment,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    *_, last = manager.until("STOPPING=1")
    assert last[1].removeprefix("STATUS=") in err
    manager.socket.close()
