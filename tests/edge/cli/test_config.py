"""Options of ``edge-ser listen`` from TOML files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from runtime_fakes import complaint

from edge.cli import config
from edge.cli.config import COMMAND_LINE, Configured, configure, print_config
from edge.cli.main import _parser, main
from edge.cli.toml_file import ConfigurationError
from edge.sinks.kinds import SINKS, SinkRow
from edge.sinks.rule import Rule


def listen(*words: str) -> Configured:
    return configure(_parser().parse_args(["listen", *words]))


@pytest.fixture
def layers(
    tmp_path: Path, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """One file of everybody, one of this user."""
    everybody = write('[listen]\ndevice = "USB"\nsegment = 1\njson = true\n', "etc.toml")
    user = write("[listen]\nsegment = 3\nhop = 1\n", "home/edge-ser/config.toml")
    monkeypatch.setattr(config, "SYSTEM_FILE", everybody)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return everybody, user


def test_a_later_file_overrides_key_by_key_and_the_command_line_all(
    layers: tuple[str, str],
) -> None:
    everybody, user = layers
    got = listen("--hop", "0.25")
    assert (got.args.device, got.args.segment, got.args.hop) == ("USB", 3.0, 0.25)
    assert (got.args.json, got.args.source) == (True, "mic")
    assert got.files == (everybody, user)
    assert dict(got.origins) == {
        "device": everybody, "segment": user, "hop": COMMAND_LINE, "json": everybody,
    }  # fmt: skip


def test_a_named_file_is_read_alone(layers: tuple[str, str], write: Callable[..., str]) -> None:
    path = write("[listen]\nhop = 0.5\n")
    got = listen("--config", path)
    assert (got.args.hop, got.args.device, got.files) == (0.5, None, (path,))
    nothing = listen("--config", os.devnull)
    assert nothing.args.device is None
    assert not nothing.origins


def test_a_stronger_file_can_take_a_flag_back(
    layers: tuple[str, str], write: Callable[..., str]
) -> None:
    write("[listen]\njson = false\n", "home/edge-ser/config.toml")
    assert listen().args.json is False


def test_without_a_home_or_rights_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "SYSTEM_FILE", str(tmp_path / "none.toml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert listen().files == ()
    folder = tmp_path / ".config" / "edge-ser"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[listen]\nhop = 0.75\n")
    assert listen().args.hop == 0.75


REFUSED = [
    ("[listen]\nsegmnt = 2", "segmnt is an unknown key: did you mean segment?"),
    ("[listen]\nmodel_folder = 2", "model_folder is an unknown key: `edge-ser listen --print-c"),
    ("[listen]\nconfig = 'x'", "config is an unknown key"),
    ("[listen]\nwindow = 2", "window is an unknown key"),
    ("[lisen]\nhop = 2", "lisen is an unknown table: did you mean listen?"),
    ("[other]", "other is an unknown table: did you mean listen?"),
    ("hop = 2", "hop is in no table, the line [listen] is wanted above it"),
    ("listen = 2", "listen is a value, a table [listen] is wanted"),
    ("[[listen]]", "listen is a value, a table [listen] is wanted"),
    ("[listen]\nsegment = '2'", "segment is '2', a number is wanted: segment = 2"),
    ("[listen]\nsegment = -1", "segment: '-1' is not a number of seconds above 0"),
    ("[listen]\nsegment = nan", "segment: 'nan' is not a number of seconds above 0"),
    ("[listen]\nsegment = [1, 2]", "segment: '1,2' is not a number of seconds above 0"),
    ("[listen]\nsegment = true", "segment is true, S is wanted"),
    ("[listen]\nsegment = 2026-01-01", "segment is datetime.date(2026, 1, 1), S is wanted"),
    ("[listen]\ndevice = 3", 'device is 3, text in quotes is wanted: device = "3"'),
    ("[listen]\ndevice = ['a']", "device is ['a'], one value is wanted, not a list"),
    ("[listen]\njson = 1", "json is 1, true or false is wanted"),
    ("[listen]\njson = 'yes'", "json is 'yes', true or false is wanted"),
    ("[listen]\nhop = ", "is no TOML: Invalid value"),
    ("[listen]\nhop = 1\nhop = 2", "is no TOML: Cannot overwrite a value"),
    ("[listen]\nhop = 0x" + "f" * 5000, "hop is one int, S is wanted"),
    ("[listen]\nhop = " + "9" * 5000, "is no TOML"),
    ("[listen]\nhop = " + "[" * 9000, "is no TOML"),
    ("#" * 40_000, "has more than 32768 bytes"),
    ("[listen]\n'a\\u001b' = 1", "a\\x1b is an unknown key".replace("\\x1b", "\\u001b")),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED, ids=[text[:30] for text, _ in REFUSED])
def test_a_wrong_file_is_refused_by_name(
    text: str, sentence: str, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(text)
    assert main(["listen", "--config", path]) == 2
    said = complaint(capsys.readouterr().err)
    assert path in said
    assert sentence in said


def test_what_is_no_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "latin.toml").write_bytes(b"[listen]\ndevice = '\xe9'\n")
    for name, sentence in (
        (str(tmp_path), "cannot be read: it is a folder"),
        (str(tmp_path / "pipe.toml"), "cannot be read: it is a named pipe"),
        ("/dev/zero", "cannot be read: it is a device"),
        (str(tmp_path / "none.toml"), "is not there; `edge-ser listen --print-config > FILE`"),
        (str(tmp_path / "latin.toml"), "is no UTF-8 text (line 2)"),
        ("x" * 300, "cannot be read: File name too long"),
        ("", "--config is empty"),
    ):
        assert main(["listen", "--config", name]) == 2
        assert sentence in complaint(capsys.readouterr().err)


def test_an_unreadable_file_of_everybody_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc.toml").mkdir()
    monkeypatch.setattr(config, "SYSTEM_FILE", str(tmp_path / "etc.toml"))
    with pytest.raises(ConfigurationError, match="it is a folder"):
        listen()


def test_a_mark_at_the_beginning_is_borne(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf[listen]\r\nhop = 2\r\n")
    assert listen("--config", str(tmp_path / "a.toml")).args.hop == 2.0


def test_the_print_says_where_values_came_from_and_is_a_file(
    layers: tuple[str, str], capsys: pytest.CaptureFixture[str], write: Callable[..., str]
) -> None:
    everybody, user = layers
    assert main(["listen", "--print-config", "--artifact", 'a "quoted"\x1b\x7fö', "--fast"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert f'device = "USB"  # {everybody}' in lines
    assert f"segment = 3.0  # {user}" in lines
    assert "fast = true  # command line" in lines
    assert 'source = "mic"  # default' in lines
    assert "# duration =  # default" in lines
    assert "\x1b" not in printed
    again = listen("--config", write(printed))
    assert again.args.artifact == 'a "quoted"\x1b\x7fö'
    assert (again.args.device, again.args.segment, again.args.fast) == ("USB", 3.0, True)


def test_a_name_that_is_no_text_is_printed_as_a_remark(write: Callable[..., str]) -> None:
    printed = print_config(listen("--config", os.devnull, "--artifact", os.fsdecode(b"a\xff")))
    assert "# artifact is " in printed
    assert listen("--config", write(printed)).args.artifact is None


def test_a_password_is_never_printed(monkeypatch: pytest.MonkeyPatch, write) -> None:
    monkeypatch.setitem(SINKS, "post", SinkRow("x:make", "post://HOST", uses_network=True))
    for given in (
        listen("--config", os.devnull, "--to", "terminal", "--to", "post://me:hunter2@host/x"),
        listen("--config", write('[[to]]\nsink = "post://me:hunter2@host/x"\n')),
    ):
        printed = print_config(given)
        assert "hunter2" not in printed
        assert '"post://me@host/x"' in printed
        assert "# a password in to is not shown" in printed


def test_sinks_are_a_list_or_tables(write: Callable[..., str]) -> None:
    tables = '[listen]\nhop = 1\n[[to]]\nsink = "jsonl:a"\nfiles = 3\n[[to]]\nsink = "terminal"\n'
    given = listen("--config", write(tables))
    assert list(map(str, given.args.to)) == ["jsonl:a?files=3", "terminal"]
    again = listen("--config", write(print_config(given)))
    assert again.args.to == given.args.to
    stronger = listen("--config", write(tables), "--to", "jsonl")
    assert list(map(str, stronger.args.to)) == ["jsonl"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[on]]\nwhen = "angry"\n', r"\[\[on\]\]: the command of a rule is missing"),
        ("on = 3\n", r"on is 3, tables \[\[on\]\] are wanted"),
        ('[listen]\non = ["angry"]\n', "on is an unknown key"),
        ('to = "jsonl"\n', r"to is 'jsonl', tables \[\[to\]\] are wanted"),
        ("[to]\n", r"to is \{\}, tables"),
        ("[[to]]\n", r"\[\[to\]\]: sink is missing, text is wanted"),
        ('[[to]]\nsink = "fax"\n', r"\[\[to\]\]: the sink is 'fax', one of terminal"),
        ('[[to]]\nsink = "jsonl:a"\nshoe = 1\n', r"\[\[to\]\]: shoe is no option of the sink"),
        ('[listen]\nto = ["fax"]\n', "to: the sink is 'fax', one of terminal"),
        ('[listen]\nto = ["jsonl"]\n[[to]]\nsink = "jsonl"\n', "both a key of .* and a table"),
    ],
)
def test_what_is_no_sink_is_one_sentence(text: str, sentence: str, write) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        listen("--config", write(text))


def test_rules_are_tables_and_come_back(write: Callable[..., str]) -> None:
    table = '[[on]]\nwhen = "angry > 0.8"\nevery = "5m"\ncommand = ["say", "a \\u001b b"]\n'
    given = listen("--config", write(table))
    assert given.args.on == [Rule("angry", 0.8, ("say", "a \x1b b"), every_s=300.0)]
    assert listen("--config", write(print_config(given))).args.on == given.args.on
    stronger = listen("--config", write(table), "--on", "happy between 8:00-9:30", "x y")
    printed = print_config(stronger)
    assert 'command = ["x", "y"]' in printed
    assert 'between = "08:00-09:30"' in printed
    assert "angry" not in printed


@pytest.mark.skipif(sys.platform == "win32", reason="no such folders")
def test_files_are_read_by_the_command_itself(
    layers: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    everybody, _ = layers
    Path(everybody).write_text("[listen]\nsource = 'mic'\nfast = true\n")
    assert main(["listen"]) == 2
    said = complaint(capsys.readouterr().err)
    assert "--fast is for a file" in said
    assert f"--fast comes from {everybody}" in said


def test_a_file_for_the_microphone_does_not_forbid_another_source(
    layers: tuple[str, str], model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["listen", "--source", "demo", "--fast", *model, "--segment", "0.5", "--hop", "0.4"]
    assert main(words) == 0
    capsys.readouterr()
    assert main([*words, "--device", "USB"]) == 2
    assert "--device names a microphone" in complaint(capsys.readouterr().err)
