"""Real sound servers, alive, frozen and dead; and real users without rights."""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pulse_server import PulseServer, is_there, pulse_server
from runtime_fakes import REPOSITORY

from edge.doctor.examine import examine
from edge.doctor.finding import Finding
from edge.doctor.look import Look, Wishes
from edge.doctor.registry import CHECKS
from edge.machine.programs import Programs
from edge.machine.system import this_system

RATE = 48_000
needs_server = pytest.mark.skipif(not is_there(), reason="PulseAudio is not installed")
#: Without it no device can be asked for.
HAS_PORTAUDIO = ctypes.util.find_library("portaudio") is not None

# A /dev of its own, for one process and its children.
WITHOUT_SOUND = """
set -e
dev=$(mktemp -d); mount -t tmpfs none "$dev"; chmod 755 "$dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom "$dev"
ln -s /proc/self/fd "$dev/fd"; mkdir -m 1777 "$dev/shm"; mount --bind "$dev" /dev
"""
# With a sound card of group audio in it, which the process may not open.
WITHOUT_RIGHTS = f"""{WITHOUT_SOUND}
mkdir "$dev/snd"
mknod "$dev/snd/pcmC0D0c" c 116 24; chown nobody:audio "$dev/snd/pcmC0D0c"
chmod 660 "$dev/snd/pcmC0D0c"
exec setpriv --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all "$@"
"""


Told = tuple[dict[str, list[dict[str, Any]]], float]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a torch that is imported at once; test_cli_doctor.py has the real one."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "torch.py").touch()
    return folder


def doctor(packages: Path, environ: dict[str, str], *before: str) -> Told:
    """Run the whole command, and give its findings by their check and how long it took."""
    paths = [str(packages), environ.get("PYTHONPATH", "")]
    started_s = time.monotonic()
    done = subprocess.run(
        [*before, sys.executable, "-m", "edge_ser", "doctor", "--json"], cwd=REPOSITORY,
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    took_s = time.monotonic() - started_s
    assert "Traceback" not in done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record.get("check", "diagnosis"), []).append(record)
    assert found["diagnosis"][0]["exit_code"] == done.returncode
    return found, took_s


def sound(environ: dict[str, str]) -> dict[str, list[Finding]]:
    """Run the checks of sound alone."""
    programs = Programs()
    system = this_system(programs)
    look = Look(type(system)(**{**_fields(system), "environ": environ}), Wishes())
    found: dict[str, list[Finding]] = {}
    try:
        for finding in examine(look, [row for row in CHECKS if row.lane == "sound"]):
            found.setdefault(finding.check, []).append(finding)
    finally:
        programs.end()
    return found


def _fields(system: Any) -> dict[str, Any]:
    return {name: getattr(system, name) for name in system.__slots__}


@pytest.fixture
def server() -> Iterator[PulseServer]:
    with pulse_server() as running:
        yield running


@pytest.fixture
def playing(server: PulseServer) -> Iterator[PulseServer]:
    """Speech-like bursts on the left, nothing on the right."""
    time_s = np.arange(20 * RATE) / RATE
    burst = 0.2 * np.sin(2 * np.pi * 300 * time_s) * (np.sin(2 * np.pi * 2 * time_s) > 0)
    pcm = np.round(32767 * np.stack([burst, 0 * burst], axis=1)).astype("<i2").tobytes()
    with server.playing(pcm):
        yield server


class Waiting(NamedTuple):
    """What mostly waits, begun before the first test."""

    muted: Future[dict[str, list[Finding]]]
    frozen: Future[Told]
    frozen_pid: int


@pytest.fixture(scope="module", autouse=True)
def waiting(packages: Path) -> Iterator[Waiting | None]:
    """The sound of a muted server, and the whole command with a frozen one."""
    if not is_there():
        yield None
        return
    with pulse_server() as muted, pulse_server() as frozen, ThreadPoolExecutor(2) as pool:
        mute = ["pactl", "set-source-mute", "@DEFAULT_SOURCE@", "1"]
        subprocess.run(mute, env=muted.environ, check=True)
        frozen.freeze()
        yield Waiting(
            pool.submit(sound, muted.environ),
            pool.submit(doctor, packages, frozen.environ),
            frozen.process.pid,
        )


@needs_server
def test_a_live_server_is_heard(playing: PulseServer) -> None:
    found = sound(playing.environ)
    assert [each.state for each in found["sound-server"]] == ["ok", "ok"]
    assert "16" in found["sound-server"][0].sentence or found["sound-server"][0].facts["version"]
    assert [each.state for each in found["portaudio"]] == ["ok"]
    assert {each.state for each in found["device"]} == {"ok"}
    assert {each.facts["sample_rate"] for each in found["device"]} == {RATE}
    heard = found["capture"][0].facts
    assert heard["n_samples"] == heard["n_wanted"] == 2 * RATE
    loudest = max(each["level_db"] for each in heard["channels"])
    assert -35 < loudest < -15
    assert max(each["floor_db"] for each in heard["channels"]) < -60


@needs_server
def test_a_server_that_was_killed_left_its_socket(server: PulseServer) -> None:
    server.kill()
    found = sound(server.environ)
    (told,) = found["sound-server"]
    assert (told.state, told.mend) == ("error", "pulseaudio --kill; pulseaudio --start")
    assert found["device"][0].mend == told.mend


def can_stage_devices() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv"))):
        return False
    trial = ["unshare", "--mount", "sh", "-c", WITHOUT_RIGHTS, "sh", "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


needs_namespace = pytest.mark.skipif(
    not can_stage_devices(), reason="needs root and a mount namespace"
)


def silent_environ(runtime: Path) -> dict[str, str]:
    """An environment that leads to no sound server."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE", "PIPEWIRE"))}
    return {**ours, "XDG_RUNTIME_DIR": str(runtime)}


def assert_asks_for_portaudio(found: dict[str, list[dict[str, Any]]]) -> None:
    (told,) = found["portaudio"]
    assert (told["state"], told["mend"]) == ("error", "sudo apt-get install libportaudio2")
    assert found["device"][0]["state"] == "skipped"


@needs_namespace
def test_a_container_without_sound_is_told_how_to_get_some(packages: Path, tmp_path: Path) -> None:
    script = f'{WITHOUT_SOUND}\nexec "$@"'
    before = ("unshare", "--mount", "sh", "-c", script, "sh")
    found, took_s = doctor(packages, silent_environ(tmp_path), *before)
    assert took_s < 15
    states = {name: found[name][0]["state"] for name in ("sound-server", "rights", "capture")}
    assert set(states.values()) == {"skipped"}
    (told,) = found["device"]
    if not HAS_PORTAUDIO:
        assert_asks_for_portaudio(found)
        return
    assert (told["state"], "there is no input device" in told["sentence"]) == ("error", True)
    # Outside of a container it is plugged in.
    assert "--device /dev/snd" in told["mend"] or "arecord -l" in told["mend"]


@needs_namespace
def test_a_user_without_rights_is_sent_into_group_audio(packages: Path, tmp_path: Path) -> None:
    environ = silent_environ(tmp_path)
    before = ("unshare", "--mount", "sh", "-c", WITHOUT_RIGHTS, "sh")
    found, took_s = doctor(packages, environ, *before)
    assert took_s < 15
    (told,) = found["rights"]
    assert told["state"] == "error"
    assert "not in group audio" in told["sentence"]
    # In a container the host has to give the group.
    assert told["mend"].startswith(("sudo usermod -aG audio", "start it with the group"))
    if not HAS_PORTAUDIO:
        assert_asks_for_portaudio(found)
        return
    assert found["device"][0]["state"] == "error"
    assert found["device"][0]["mend"] == told["mend"]


@needs_server
def test_a_muted_source_is_told_with_the_line_that_opens_it(waiting: Waiting) -> None:
    found = waiting.muted.result()
    assert found["sound-server"][1].state == "warning"
    assert found["sound-server"][1].mend == "pactl set-source-mute @DEFAULT_SOURCE@ 0"
    assert "digital silence" in found["capture"][0].sentence


@needs_server
def test_a_frozen_server_is_found_in_time_with_what_thaws_it(waiting: Waiting) -> None:
    found, took_s = waiting.frozen.result()
    assert took_s < 15
    (told,) = found["sound-server"]
    assert (told["state"], told["mend"]) == ("error", f"kill -CONT {waiting.frozen_pid}")
    assert found["portaudio"][0]["state"] == "error"
    assert found["portaudio"][0]["mend"] == told["mend"]
    assert found["capture"][0]["state"] == "skipped"
    assert found["diagnosis"][0]["exit_code"] == 2
