"""The lines to paste."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.audio.identity import InputDevice
from edge.audio.mends import loud_sentence, muted_sentence, rights_sentence

CARD = InputDevice(1, "USB Mic: Audio (hw:2,0)", "ALSA", 1, 48_000, True)
SERVER = InputDevice(2, "pulse", "ALSA", 32, 44_100, False)


def test_a_card_is_mended_through_alsa() -> None:
    assert "USB Mic: Audio (hw:2,0) is too loud" in loud_sentence(CARD)
    assert "`amixer -c 2 sset Capture 50%`" in loud_sentence(CARD)
    assert "is it muted?" in muted_sentence(CARD)
    assert "`amixer -c 2 sset Capture cap`" in muted_sentence(CARD)


def test_a_server_is_mended_through_pactl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    assert "`pactl set-source-volume @DEFAULT_SOURCE@ 50%`" in loud_sentence(SERVER)
    monkeypatch.setenv("PULSE_SOURCE", "my mic")
    assert "`pactl set-source-mute 'my mic' 0`" in muted_sentence(SERVER)


def test_a_user_without_rights_is_told_of_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rights_sentence(tmp_path / "none") is None
    (tmp_path / "pcmC0D0p").touch()
    assert rights_sentence(tmp_path) is None, "there is no input"
    for node in ("pcmC0D0c", "pcmC1D0c"):
        (tmp_path / node).touch()
    assert rights_sentence(tmp_path) is None
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    sentence = rights_sentence(tmp_path)
    assert "`sudo usermod -aG audio " in sentence
    assert "log in again" in sentence
    # One that may be opened is enough: it is not the rights, then.
    monkeypatch.setattr(os, "access", lambda path, mode: path.name == "pcmC1D0c")
    assert rights_sentence(tmp_path) is None
