"""The systemd unit: what it says, and what systemd and the system say to it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from runtime_fakes import complaint

from edge.cli.main import main
from edge.cli.unit import UnitSettings, quoted, unit_text
from edge.sinks.kinds import SINKS, SinkRow

ANALYZE = shutil.which("systemd-analyze")


def unit(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["service", *words]) == 0
    return capsys.readouterr().out


def command(text: str) -> list[str]:
    return shlex.split(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])


def test_the_command_is_absolute_and_has_the_options(
    capsys: pytest.CaptureFixture[str], model: list[str]
) -> None:
    text = unit(capsys, "--system", "--device", "USB 50%", "--hop=0.25", *model)
    words = command(text)
    assert os.path.isabs(words[0])
    assert "--system" not in words
    assert words[words.index("listen") + 1 :] == ["--device", "USB 50%%", "--hop=0.25", *model]


def test_paths_mean_the_same_in_another_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.toml").write_text("[listen]\nhop = 0.5\n")
    Path("a.wav").touch()
    text = unit(capsys, "--user", "--config=c.toml", "--source", "a.wav", "--artifact", "claf-ser")
    words = command(text)
    assert f"--config={tmp_path}/c.toml" in words
    assert f"{tmp_path}/a.wav" in words
    assert words[-1] == "claf-ser"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], "required"),
     (["--user", "--system"], "not allowed with"),
     (["--user", "--hop", "x"], "'x' is not a number of seconds above 0"),
     (["--user", "--config", "/nowhere.toml"], "is not there"),
     (["--user", "--source", "-"], "a service has no pipe"),
     (["--user", "--print-config"], "--print-config is of listen"),
     (["--system", "--device", "a\nExecStart=/bin/sh"], "no unit can hold")],
)  # fmt: skip
def test_what_listen_would_refuse_is_refused(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", *words]) == 2
    assert sentence in complaint(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("word", "text"),
    [("a", "a"), ("", '""'), ("a b", '"a b"'), ("50%", "50%%"), ("$HOME", "$$HOME"),
     ('a"b', '"a\\"b"'), ("a\\b", '"a\\\\b"'), ("it's", '"it\'s"'), (";", '";"')],
)  # fmt: skip
def test_a_word_is_written_as_systemd_reads_it(word: str, text: str) -> None:
    assert quoted(word) == text


def test_home_is_hidden_where_nothing_in_it_is_read() -> None:
    there = unit_text(UnitSettings(["/usr/bin/edge-ser", "listen"], True))
    assert "ProtectHome=yes" in there
    assert "ReadWritePaths" not in there
    home = "/home/" + "pi"
    assert "ProtectHome=read-only" in unit_text(UnitSettings([f"{home}/bin/edge-ser"], True))
    # A user's PulseAudio is below /run/user, which goes with the homes.
    assert "ProtectHome=read-only" in unit_text(UnitSettings(["/usr/bin/edge-ser"], False))
    saving = UnitSettings(["/usr/bin/edge-ser"], True, writes=["/srv/kept sound"])
    assert 'ReadWritePaths="/srv/kept sound"' in unit_text(saving)


def test_a_user_unit_comes_after_the_sound_servers(capsys: pytest.CaptureFixture[str]) -> None:
    text = unit(capsys, "--user")
    for name in ("pipewire", "pipewire-pulse", "pulseaudio"):
        assert f" {name}.service" in text
    # Asked of a user's manager they end the service at once.
    assert "CapabilityBoundingSet" not in text
    assert "DynamicUser" not in text


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_verifies_the_unit_and_finds_it_closed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "edge-ser.service"
    path.write_text(unit(capsys, "--system", "--device", "USB 50%"))
    verified = subprocess.run(
        [ANALYZE, "verify", path], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    asked = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--no-pager", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "exposure level" not in asked.stdout:
        pytest.skip("this systemd cannot look at files")
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", asked.stdout)[1])
    assert exposure <= 2.0


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_verifies_the_unit_of_a_user(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "edge-ser.service"
    path.write_text(unit(capsys, "--user"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    verified = subprocess.run(
        [ANALYZE, "--user", "verify", path],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_voice_is_kept_where_the_service_may_write(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = unit(capsys, "--system", "--state", "voice.json")
    assert command(text)[-2:] == ["--state", "voice.json"]
    assert "\nStateDirectory=edge-ser\nStateDirectoryMode=0700\n" in text
    assert "ReadWritePaths" not in text
    text = unit(capsys, "--user", "--state", f"{tmp_path}/voice.json")
    assert command(text)[-1] == f"{tmp_path}/voice.json"
    assert f"\nReadWritePaths={tmp_path}\n" in text


def test_a_sink_s_file_may_be_written_and_means_the_same_elsewhere(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = unit(capsys, "--user", "--to", "jsonl:a.jsonl?files=2", "--to=jsonl", *model)
    words = command(text)
    assert f"jsonl:{tmp_path}/a.jsonl?files=2" in words
    assert "--to=jsonl" in words
    assert f"\nReadWritePaths={tmp_path}\n" in text
    assert "RestrictAddressFamilies=AF_UNIX\n" in text


def test_the_files_that_a_sink_reads_mean_the_same_elsewhere(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = unit(
        capsys, "--system", "--to", "mqtt://me@host/a%20b?password_file=secret&name=A b",
        "--to=web:127.0.0.1:8080?token_file=token", *model,
    )  # fmt: skip
    words = command(text)
    assert f"mqtt://me@host/a%%20b?password_file={tmp_path}/secret&name=A b" in words
    assert f"--to=web:127.0.0.1:8080?token_file={tmp_path}/token" in words
    monkeypatch.setattr("edge.cli.unit._HOMES", (f"{os.path.realpath(tmp_path)}/",))
    text = unit(capsys, "--system", "--to", "mqtt://me@host?password_file=secret", *model)
    assert "\nProtectHome=read-only\n" in text


def test_the_network_is_open_for_a_sink_that_needs_it_alone(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: list[str],
) -> None:
    monkeypatch.setitem(SINKS, "post", SinkRow("x:make", "post://HOST", uses_network=True))
    closed = unit(capsys, "--system", *model)
    assert "PrivateNetwork=yes" in closed
    assert "IPAddressDeny=any" in closed
    (tmp_path / "c.toml").write_text('[[to]]\nsink = "post://me:hush@host"\n')
    words = ("--system", "--config", str(tmp_path / "c.toml"), *model)
    for text in (unit(capsys, "--system", "--to", "post://host", *model), unit(capsys, *words)):
        assert "PrivateNetwork" not in text
        assert "IPAddressDeny" not in text
        assert "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n" in text
        assert "hush" not in text


def test_a_password_does_not_come_into_the_unit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, model: list[str]
) -> None:
    monkeypatch.setitem(SINKS, "post", SinkRow("x:make", "post://HOST", uses_network=True))
    for words in (("--to", "post://me:hush@host"), ("--to=post://me:hush@host",)):
        assert main(["service", "--user", *words, *model]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "--to post://me@host has a password, which everybody could read" in printed.err
        assert "hush" not in printed.err


def test_what_a_file_names_without_a_slash_in_front_lies_in_the_folder_of_the_service(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edge.cli.unit._HOMES", (f"{os.path.realpath(tmp_path)}/elsewhere/",))
    Path("c.toml").write_text(
        '[listen]\nsave_audio = "kept"\nstate = "voice.json"\n'
        '[[to]]\nsink = "jsonl:a/b.jsonl"\n'
        '[[to]]\nsink = "sqlite:feelings.db"\n'
        '[[to]]\nsink = "jsonl:/srv/far/c.jsonl"\n'
        '[[to]]\nsink = "web:127.0.0.1:8080"\ntoken_file = "elsewhere/token"\n'
        '[[on]]\nwhen = "angry"\ncommand = "elsewhere/alarm.sh"\n'
    )
    text = unit(capsys, "--system", "--config", "c.toml", *model)
    assert "\nWorkingDirectory=%S/edge-ser\n" in text
    assert re.findall("^ReadWritePaths=(.*)$", text, re.MULTILINE) == ["/srv/far"]
    assert "\nProtectHome=yes\n" in text
    # Named here, all of it lies here.
    text = unit(capsys, "--system", "--to", "jsonl:b.jsonl", "--on", "angry", "./alarm.sh 'a b'",
                "--on", "sad", "notify-send x", *model)  # fmt: skip
    assert re.findall("^ReadWritePaths=(.*)$", text, re.MULTILINE) == [str(tmp_path)]
    assert f"{tmp_path}/alarm.sh 'a b'" in command(text)
    assert "notify-send x" in command(text)


def test_a_checkout_is_found_from_the_folder_of_the_service() -> None:
    text = unit_text(UnitSettings(["/usr/bin/python3"], True, folder='/opt/50% "a"'))
    assert '\nEnvironment="PYTHONPATH=/opt/50%% \\"a\\"" PYTHONSAFEPATH=1\n' in text
    assert text.count("WorkingDirectory=") == 1
