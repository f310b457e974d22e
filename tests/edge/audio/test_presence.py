"""What changes when a microphone may be back."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.audio.presence import boot_s, sound_signature


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    monkeypatch.delenv("PULSE_RUNTIME_PATH", raising=False)
    return tmp_path


@pytest.fixture
def changes(run: Path) -> Iterator[object]:
    seen = [sound_signature(run / "asound", run / "snd")]

    def changed() -> bool:
        seen.append(sound_signature(run / "asound", run / "snd"))
        return seen[-1] != seen[-2]

    assert not changed()
    return changed


@pytest.mark.parametrize("place", ["pulse/native", "pipewire-0"])
def test_a_server_that_starts_again(run: Path, changes, place: str) -> None:
    path = run / place
    path.parent.mkdir(exist_ok=True)
    for _ in range(3):
        # One that was killed leaves its socket, and the next one takes its place.
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            assert changes()
            assert not changes()
        time.sleep(0.01)


@pytest.mark.parametrize("text", ["unix:{}", "{}", "{{me}}tcp:host unix:{}"])
def test_a_server_at_a_place_of_its_own(run: Path, changes, monkeypatch, text: str) -> None:
    path = run / "mine"
    monkeypatch.setenv("PULSE_SERVER", text.format(path))
    changes()
    path.touch()
    assert changes()


def test_a_card_that_is_plugged_in_let_go_or_allowed(run: Path, changes) -> None:
    cards, nodes = run / "asound", run / "snd"
    (cards / "card1/pcm0c/sub0").mkdir(parents=True)
    nodes.mkdir()
    (cards / "cards").write_text(" 1 [Mic  ]: USB-Audio - USB Mic\n")
    assert changes()
    node = nodes / "pcmC1D0c"
    node.touch()
    assert changes()
    status = cards / "card1/pcm0c/sub0/status"
    status.write_text("state: RUNNING\nowner_pid   : 12\nhw_ptr      : 1\n")
    assert changes()
    status.write_text("state: RUNNING\nowner_pid   : 12\nhw_ptr      : 2\n")
    assert not changes(), "it runs on, which is no news"
    status.write_text("closed\n")
    assert changes()
    if os.getuid():
        node.chmod(0)
        assert changes()


def test_it_is_cheap(run: Path) -> None:
    began_s = time.perf_counter()
    for _ in range(20):
        sound_signature()
    assert (time.perf_counter() - began_s) / 20 < 0.02


def test_a_system_without_such_a_clock(monkeypatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert abs(boot_s() - time.monotonic()) < 1
