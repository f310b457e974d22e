"""The command line and the microphones that are there, or not."""

from __future__ import annotations

import re
import sys

import pytest
from runtime_fakes import complaint, records

import edge.audio.devices
from edge.audio.identity import InputDevice
from edge.cli.main import main

DEVICES = [
    InputDevice(0, "Desk microphone", "ALSA", 2, 48_000, True),
    InputDevice(12, "Array", "PulseAudio", 6, 16_000, False),
]


def test_devices_are_listed_in_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edge.audio.devices, "list_input_devices", lambda: DEVICES)
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert re.match(r"\* +0 +Desk microphone \[ALSA\] +48000 Hz +2$", lines[1])
    assert re.match(r" +12 +Array \[PulseAudio\] +16000 Hz +6$", lines[2])


def test_devices_json_has_the_documented_schema(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edge.audio.devices, "list_input_devices", lambda: DEVICES)
    assert main(["devices", "--json"]) == 0
    first, second = records(capsys.readouterr().out)
    assert list(first.items()) == [
        ("type", "device"), ("index", 0), ("name", "Desk microphone"), ("host_api", "ALSA"),
        ("n_channels", 2), ("sample_rate", 48_000), ("is_default", True),
        ("identity", "Desk microphone [ALSA]"),
    ]  # fmt: skip
    assert second["index"] == 12


def test_no_input_device_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edge.audio.devices, "list_input_devices", list)
    assert main(["devices"]) == 2
    assert "there is no input device" in complaint(capsys.readouterr().err)


@pytest.mark.parametrize("command", [["devices"], ["listen"]])
def test_missing_sounddevice_is_one_sentence(
    command: list[str], model: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main([*command, *(model if command == ["listen"] else [])]) == 2
    assert "needs sounddevice" in complaint(capsys.readouterr().err)


def test_a_device_s_name_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = [InputDevice(0, "Mic\x1b[2J\n", "AL\x07SA", 2, 48_000, True)]
    monkeypatch.setattr(edge.audio.devices, "list_input_devices", lambda: strange)
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "Mic\\x1b[2J\\x0a" in lines[1]
    assert "AL\\x07SA" in lines[1]
