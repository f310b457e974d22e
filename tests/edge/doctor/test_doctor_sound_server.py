"""Sound servers that a test makes up: alive, frozen, gone, of another user."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from system_fakes import fake_look, one

from edge.doctor.server_socket import ask_pipewire, ask_pulse
from edge.doctor.sound_server import sound_server
from edge.machine.programs import Ran

Serve = Callable[[Path, bytes | None], "Server"]

CARD = {"/dev/snd/pcmC0D0c": "", "/dev/snd/controlC0": ""}


class Server:
    """A socket that replies to what it gets, hangs, or is left behind."""

    def __init__(self, path: Path, reply: bytes | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.heard, self.delay_s = b"", 0.0
        self.thread = threading.Thread(target=self.serve, args=(reply,), daemon=True)
        if reply is not None:
            self.thread.start()

    def serve(self, reply: bytes) -> None:
        # Ends when the socket is shut.
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    self.heard = connection.recv(1024)
                    time.sleep(self.delay_s)
                    with contextlib.suppress(BrokenPipeError):
                        connection.sendall(reply)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        if self.thread.is_alive():
            self.thread.join()
        self.listener.close()


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: that of a socket has 107 letters."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def make(path: Path, reply: bytes | None) -> Server:
        servers.append(Server(path, reply))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def test_a_server_that_answers_is_alive_and_one_that_hangs_is_silent(
    runtime: Path, serve: Serve
) -> None:
    alive, hung = runtime / "alive", runtime / "hung"
    server = serve(alive, b"\0" * 20)
    serve(hung, None)
    assert ask_pulse(alive, 1.0).state == "alive"
    assert len(server.heard) == 20 + 3 * 5 + 5 + 256
    assert ask_pipewire(alive, 1.0).state == "alive"
    assert len(server.heard) == 16 + 24
    answer = ask_pulse(hung, 0.1)
    assert (answer.state, answer.pid) == ("silent", os.getpid())


def test_a_server_that_closes_is_alive_and_one_that_is_gone_is_refused(
    runtime: Path, serve: Serve
) -> None:
    serve(runtime / "closes", b"")
    assert ask_pulse(runtime / "closes", 1.0).state == "alive"
    serve(runtime / "gone", None).close()
    assert ask_pulse(runtime / "gone", 1.0).state == "refused"
    assert ask_pulse(runtime / "never", 1.0).state == "absent"
    (runtime / "file").write_text("")
    assert ask_pulse(runtime / "file", 1.0).state == "refused"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_server_of_another_user_is_forbidden(runtime: Path, serve: Serve) -> None:
    serve(runtime / "theirs" / "native", b"")
    (runtime / "theirs").chmod(0)
    assert ask_pulse(runtime / "theirs" / "native", 1.0).state == "forbidden"
    (runtime / "theirs").chmod(0o700)


def test_a_server_over_the_network_that_is_not_there(runtime: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    look = fake_look(runtime, environ={"PULSE_SERVER": f"tcp:127.0.0.1:{port}"})
    finding = one(sound_server(look))
    assert (finding.state, finding.mend) == ("error", "unset PULSE_SERVER")


INFO = "Server Name: PulseAudio (on PipeWire 1.2.7)\nServer Version: 15.0.0\nDefault Source: {}\n"
MICROPHONE, MONITOR = "alsa_input.usb", "alsa_output.pci.monitor"


@pytest.mark.parametrize(
    ("source", "sources", "mute", "state", "mend"),
    [
        (MICROPHONE, [MICROPHONE], "no", "ok", None),
        (MICROPHONE, [MICROPHONE], "yes", "warning", "pactl set-source-mute @DEFAULT_SOURCE@ 0"),
        (MONITOR, [MONITOR, MICROPHONE], "no", "warning",
         "pactl set-default-source alsa_input.usb"),
        (MONITOR, [MONITOR], "no", "warning",
         "plug in a microphone, then: pactl list short sources"),
        ("", [], None, "warning", "pactl list short cards, then plug the microphone in again"),
    ],
)  # fmt: skip
def test_an_alive_server_and_what_it_records_from(
    runtime: Path, serve: Serve, source: str, sources: list[str], mute: str | None, state: str,
    mend: str | None,
) -> None:  # fmt: skip
    serve(runtime / "run/user/1000/pulse/native", b"\0")
    listed = "".join(f"{i}\t{name}\tmodule\ts16le\n" for i, name in enumerate(sources))
    programs = {
        "pactl info": INFO.format(source), "pactl list short sources": listed,
        "pactl get-source-mute": f"Mute: {mute}\n" if mute else Ran(1),
    }  # fmt: skip
    look = fake_look(runtime, programs=programs)
    server, found = sound_server(look)
    assert server.sentence == "PulseAudio (on PipeWire 1.2.7) 15.0.0 answers"
    assert (server.state, found.state, found.mend) == ("ok", state, mend)
    assert look.notes["server"] == "alive"


def test_a_pipewire_without_its_session_manager_gets_it_back(runtime: Path, serve: Serve) -> None:
    serve(runtime / "run/user/1000/pulse/native", b"\0")
    files = {f"/proc/{os.getpid()}/comm": "pipewire-pulse\n"}
    programs = {"pactl info": INFO.format(""), "pactl list": ""}
    _, found = sound_server(fake_look(runtime, files, programs))
    assert (found.state, found.mend) == ("warning", "systemctl --user restart wireplumber")


def test_an_alive_server_without_pactl_is_alive(runtime: Path, serve: Serve) -> None:
    serve(runtime / "run/user/1000/pulse/native", b"\0")
    assert one(sound_server(fake_look(runtime))).sentence == "pulseaudio answers"


def test_a_frozen_server_is_told_with_what_thaws_it(runtime: Path, serve: Serve) -> None:
    serve(runtime / "run/user/1000/pulse/native", None)
    pid = os.getpid()
    files = {f"/proc/{pid}/comm": "pulseaudio", f"/proc/{pid}/stat": f"{pid} (a) b) T 1 1 1"}
    look = fake_look(runtime, files)
    look._ends_s = 0.0  # Nobody waits in a test.
    finding = one(sound_server(look))
    assert (finding.state, finding.mend) == ("error", f"kill -CONT {pid}")
    files[f"/proc/{pid}/stat"] = f"{pid} (pulseaudio) S 1 1 1"
    look = fake_look(runtime, files)
    look._ends_s = 0.0
    assert one(sound_server(look)).mend == "pulseaudio --kill; pulseaudio --start"
    assert look.notes["server"] == "silent"


def test_a_server_that_is_started_for_who_asks_is_given_time(
    runtime: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(runtime / "run/user/1000/pulse/native", b"\0").delay_s = 0.3
    monkeypatch.setattr("edge.doctor.sound_server._ASK_S", 0.1)
    files = {f"/proc/{os.getpid()}/comm": "systemd"}
    assert one(sound_server(fake_look(runtime, files))).state == "ok"
    files = {f"/proc/{os.getpid()}/comm": "pulseaudio"}
    assert one(sound_server(fake_look(runtime, files))).state == "error"


def test_a_frozen_pipewire_is_restarted_with_its_session(runtime: Path, serve: Serve) -> None:
    serve(runtime / "run/user/1000/pipewire-0", None)
    look = fake_look(runtime)
    look._ends_s = 0.0
    assert "restart pipewire" in one(sound_server(look)).mend


def test_a_socket_that_was_left_behind(runtime: Path, serve: Serve) -> None:
    serve(runtime / "run/user/1000/pulse/native", None).close()
    finding = one(sound_server(fake_look(runtime)))
    assert (finding.state, finding.mend[:10]) == ("error", "pulseaudio")


def test_no_server_is_fine_with_a_card_and_root_is_told_whose_it_is(tmp_path: Path) -> None:
    assert one(sound_server(fake_look(tmp_path, CARD))).state == "ok"
    look = fake_look(tmp_path, environ={"SUDO_USER": "anna"})
    assert one(sound_server(look)).mend == "run edge-ser without sudo"
