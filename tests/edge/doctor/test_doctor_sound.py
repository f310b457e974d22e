"""Sound cards, servers and microphones that a test makes up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from system_fakes import fake_look, one, steps

from edge.doctor.look import Look, Wishes
from edge.doctor.rights import rights
from edge.doctor.sound import capture, devices, portaudio
from edge.machine.programs import Ran

CARD = {"/dev/snd/pcmC0D0c": "", "/dev/snd/controlC0": ""}
PORTAUDIO = {"step": "portaudio", "version": "PortAudio V19.6.0-devel, revision 1",
             "sounddevice": "0.5.6", "host_apis": ["ALSA"]}  # fmt: skip
OPENED = {"step": "opened", "index": 1, "name": "USB Mic: Audio (hw:1,0)", "host_api": "ALSA",
          "is_default": True, "is_picked": True, "sample_rate": 48000, "n_channels": 2,
          "rates": [44100, 48000]}  # fmt: skip
GOOD = {"level_db": -41.0, "floor_db": -62.0, "peak_db": -20.0, "dc": 0.001, "clipped_share": 0.0,
        "is_zero": False, "is_dead": False}  # fmt: skip


def captured(*channels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "step": "captured", "name": "USB Mic", "sample_rate": 48000, "n_channels": len(channels),
        "n_samples": 96000, "n_wanted": 96000, "overflows": 0, "took_s": 2.0, "late_s": 0.1,
        "channels": list(channels), "are_inverted": False, **changes,
    }  # fmt: skip


def looked(root: Path, *told: dict[str, Any], **changes: Any) -> Look:
    """Let the child have told its steps."""
    reply = changes.pop("reply", steps(*told))
    look = fake_look(root, changes.pop("files", {}), {"edge.doctor.sound_trial": reply}, **changes)
    look.notes["first"] = one(portaudio(look))
    return look


# Rights


def test_a_user_outside_of_group_audio_is_sent_into_it(tmp_path: Path) -> None:
    look = fake_look(
        tmp_path, CARD, group_ids=frozenset({1000}), may_use=lambda path: "snd" not in str(path)
    )
    finding = one(rights(look))
    assert (finding.state, "not in group audio" in finding.sentence) == ("error", True)
    assert finding.mend == 'sudo usermod -aG audio "$USER", then log out and in again'


def test_a_user_who_was_added_after_logging_in_is_sent_out_and_in(tmp_path: Path) -> None:
    files = {**CARD, "/etc/group": "audio:x:29:pulse,anna", "/etc/passwd": "anna:x:1000:1000:::"}
    look = fake_look(tmp_path, files, group_ids=frozenset({1000}), may_use=lambda path: False)
    finding = one(rights(look))
    assert finding.state == "error"
    assert "newgrp audio" in finding.mend


def test_a_container_without_the_group_is_started_with_it(tmp_path: Path) -> None:
    files = {**CARD, "/.dockerenv": ""}
    look = fake_look(tmp_path, files, group_ids=frozenset(), may_use=lambda path: False)
    assert "--group-add audio" in one(rights(look)).mend


def test_a_card_that_group_audio_may_not_open_is_mended_itself(tmp_path: Path) -> None:
    look = fake_look(tmp_path, CARD, may_use=lambda path: False)
    finding = one(rights(look))
    assert (finding.state, finding.mend[:23]) == ("error", "sudo chgrp audio /dev/s")


def test_rights_that_are_there_or_not_needed_are_ok(tmp_path: Path) -> None:
    assert one(rights(fake_look(tmp_path, CARD))).state == "ok"
    look = fake_look(tmp_path, CARD, group_ids=frozenset(), may_use=lambda path: False)
    look.notes["server"] = "alive"
    assert one(rights(look)).state == "ok"


def test_a_machine_without_a_card_or_without_an_input(tmp_path: Path) -> None:
    assert one(rights(fake_look(tmp_path))).state == "skipped"
    outputs_only = {"/dev/snd/pcmC0D0p": ""}
    assert one(rights(fake_look(tmp_path, outputs_only))).state == "warning"


# PortAudio and its devices


def test_a_missing_library_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    problem = "a microphone needs the PortAudio library: sudo apt-get install libportaudio2"
    failed = {"step": "failed", "at": "import", "problem": problem}
    look = looked(tmp_path, {"step": "library", "path": None}, failed)
    first = look.notes["first"]
    assert (first.state, first.mend) == ("error", "sudo apt-get install libportaudio2")
    assert one(devices(look)).state == "skipped"
    assert one(capture(look)).state == "skipped"


def test_a_missing_sounddevice_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    problem = "a microphone needs sounddevice: pip install sounddevice"
    look = looked(tmp_path, {"step": "failed", "at": "import", "problem": problem})
    assert look.notes["first"].mend == "pip install sounddevice"


def test_a_portaudio_that_does_not_start_is_no_missing_one(tmp_path: Path) -> None:
    problem = "PortAudio does not start: Internal error"
    look = looked(tmp_path, {"step": "failed", "at": "import", "problem": problem})
    first = look.notes["first"]
    assert (first.state, first.sentence) == ("error", problem)
    assert "--reinstall libportaudio2" in first.mend


def test_a_portaudio_that_hangs_or_dies_is_told_and_ends_nothing(tmp_path: Path) -> None:
    library = {"step": "library", "path": "libportaudio.so.2"}
    late = looked(tmp_path, reply=Ran(None, steps(library), is_late=True))
    assert (late.notes["first"].state, one(devices(late)).state) == ("error", "skipped")
    dead = looked(tmp_path, reply=Ran(-11, steps(library)))
    assert "exit code -11" in dead.notes["first"].sentence


def test_a_frozen_server_takes_four_seconds_of_portaudio_and_no_more(tmp_path: Path) -> None:
    limits = []

    def run(command: Any, timeout_s: float, environ: Any = None) -> Ran:
        limits.append(timeout_s)
        return Ran(None, is_late=True)

    look = fake_look(tmp_path, run=run)
    look.notes |= {"server": "silent", "server_mend": "kill -CONT 7"}
    finding = one(portaudio(look))
    assert "frozen sound server" in finding.sentence
    assert finding.mend == "kill -CONT 7"
    assert limits[0] <= 4.0


def test_every_device_tells_what_it_opens_at(tmp_path: Path) -> None:
    refused = {**OPENED, "step": "refused", "name": "sysdefault", "is_picked": False,
               "is_default": False, "problem": "Invalid sample rate"}  # fmt: skip
    told = (PORTAUDIO, {"step": "devices", "n_devices": 2}, OPENED, refused, {"step": "end"})
    opened, other = devices(looked(tmp_path, *told))
    assert opened.sentence == (
        "USB Mic: Audio (hw:1,0) (default) opens at 48000 Hz, 2 channels; takes 44.1, 48 kHz"
    )
    assert (opened.state, other.state) == ("ok", "skipped")
    assert opened.facts["rates"] == [44100, 48000]


def test_the_wanted_device_that_does_not_open_is_an_error(tmp_path: Path) -> None:
    refused = {**OPENED, "step": "refused", "problem": "Device unavailable"}
    told = (PORTAUDIO, {"step": "devices", "n_devices": 1}, refused, {"step": "end"})
    finding = one(devices(looked(tmp_path, *told)))
    assert (finding.state, finding.mend.startswith("fuser -v /dev/snd/")) == ("error", True)


def test_a_device_that_hangs_takes_no_earlier_step_with_it(tmp_path: Path) -> None:
    told = steps(PORTAUDIO, {"step": "devices", "n_devices": 3}, OPENED) + '\n{"step": "cap'
    opened, rest = devices(looked(tmp_path, reply=Ran(None, told, is_late=True)))
    assert (opened.state, rest.state) == ("ok", "skipped")
    told = steps(PORTAUDIO, {"step": "devices", "n_devices": 3})
    assert one(devices(looked(tmp_path, reply=Ran(None, told, is_late=True)))).state == "error"


@pytest.mark.parametrize(
    ("files", "notes", "mend"),
    [
        ({}, {}, "plug in a microphone, then: arecord -l"),
        ({"/.dockerenv": ""}, {}, "--device /dev/snd --group-add audio"),
        ({}, {"server": "alive"}, "sudo apt-get install libasound2-plugins"),
        ({}, {"rights_mend": "newgrp audio"}, "newgrp audio"),
        ({}, {"server": "silent", "server_mend": "kill -CONT 7"}, "kill -CONT 7"),
    ],
)
def test_why_there_is_no_device(
    tmp_path: Path, files: dict[str, str], notes: dict[str, Any], mend: str
) -> None:
    told = (PORTAUDIO, {"step": "devices", "n_devices": 0}, {"step": "end"})
    look = looked(tmp_path, *told, files=files)
    look.notes.update(notes)
    finding = one(devices(look))
    assert (finding.state, mend in finding.mend) == ("error", True)
    assert one(capture(look)).state == "skipped"


# What the microphone hears


def heard(root: Path, *channels: dict[str, Any], **changes: Any) -> Look:
    return looked(root, PORTAUDIO, OPENED, captured(*channels, **changes), {"step": "end"})


def test_a_good_microphone_is_ok_with_its_figures(tmp_path: Path) -> None:
    finding = one(capture(heard(tmp_path, GOOD, GOOD)))
    assert finding.state == "ok"
    assert "level -41 dBFS, noise floor -62, peak -20" in finding.sentence
    assert finding.facts["channels"][0]["dc"] == 0.001


@pytest.mark.parametrize(
    ("channels", "changes", "sentence", "mend"),
    [
        ([{**GOOD, "is_zero": True, "is_dead": True}] * 2, {}, "muted", "set-source-mute"),
        ([GOOD, {**GOOD, "is_dead": True}], {}, "dead channel: 2 of 2", "--channel auto"),
        ([GOOD, GOOD], {"are_inverted": True}, "cancel each other", "--channel auto"),
        ([{**GOOD, "clipped_share": 0.02}], {}, "clips: 2.0 %", "set-source-volume"),
        ([{**GOOD, "dc": -0.05}], {}, "offset of -5.0 %", "another input"),
        ([{**GOOD, "floor_db": -30.0}], {}, "noise of -30 dBFS", "away from fans"),
        ([GOOD], {"n_samples": 40_000}, "lost sound: 40000 samples of 96000", "USB socket"),
        ([GOOD], {"overflows": 3}, "3 overflows", "USB socket"),
    ],
)
def test_what_is_wrong_with_a_microphone(
    tmp_path: Path, channels: list[Any], changes: dict[str, Any], sentence: str, mend: str
) -> None:
    finding = one(capture(heard(tmp_path, *channels, **changes)))
    assert finding.state == "warning"
    assert sentence in finding.sentence
    assert mend in finding.mend


def test_a_card_is_set_by_its_number_and_a_server_by_its_name(tmp_path: Path) -> None:
    muted = {**GOOD, "is_zero": True}
    (finding,) = capture(heard(tmp_path, muted, name="USB Mic: Audio (hw:2,0)"))
    assert finding.mend == "amixer -c 2 sset Capture cap"
    (finding,) = capture(heard(tmp_path, {**GOOD, "clipped_share": 0.1}, name="pulse"))
    assert finding.mend == "pactl set-source-volume @DEFAULT_SOURCE@ 50%"


@pytest.mark.parametrize(
    ("others", "mend"),
    [(["usb mic"], "pactl set-default-source 'usb mic'"), ([], "switch it on at its own switch")],
)
def test_silence_of_an_open_source_is_no_matter_of_muting(
    tmp_path: Path, others: list[str], mend: str
) -> None:
    look = heard(tmp_path, {**GOOD, "is_zero": True}, name="default")
    look.notes |= {"is_muted": False, "other_sources": others}
    assert one(capture(look)).mend.startswith(mend)


def test_a_microphone_that_sends_nothing_is_an_error(tmp_path: Path) -> None:
    finding = one(capture(heard(tmp_path, n_samples=0, late_s=None)))
    assert (finding.state, "sent nothing" in finding.sentence) == ("error", True)


def test_nothing_is_recorded_where_that_was_asked_for(tmp_path: Path) -> None:
    asked = []

    def run(command: Any, timeout_s: float, environ: Any = None) -> Ran:
        asked.append(list(command))
        return Ran(0, steps(PORTAUDIO, {"step": "end"}))

    look = fake_look(tmp_path, run=run, wishes=Wishes(captures=False, device="Mic"))
    assert one(portaudio(look)).state == "ok"
    assert asked[0][-2:] == ["Mic", "0.0"]
    assert one(capture(look)).sentence == "--no-capture was given"
