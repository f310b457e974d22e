"""``listen --to``: where decisions go, from the command line to the file."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from edge.bundled import DEMO_CLIP
from edge.cli.main import _parser, main
from edge.cli.sink_options import targets
from edge.sinks.kinds import SINKS, SinkRow
from edge.sinks.rotated_file import RotatedFile


def listen(*words: str) -> int:
    return main(["listen", "--source", "demo", "--fast", "--config", os.devnull, *words])


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def told(found: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(each["type"], each.get("start_s")) for each in found]


def test_every_sink_gets_every_record(tmp_path, capsys):
    path = tmp_path / "a.jsonl"
    assert listen("--duration", "4", "--to", f"jsonl:{path}", "--to", "jsonl") == 0
    printed, written = records(capsys.readouterr().out), records(path.read_text())
    assert told(printed) == told(written)
    assert printed[-1]["type"] == "summary"
    assert len(printed) > 4


def test_a_file_alone_leaves_standard_output_empty(tmp_path, capsys):
    assert listen("--duration", "3", "--to", f"jsonl:{tmp_path}/a.jsonl") == 0
    assert capsys.readouterr().out == ""
    assert listen("--duration", "3", "--json", "--to", f"jsonl:{tmp_path}/a.jsonl") == 0
    assert records(capsys.readouterr().out)[-1]["type"] == "summary"
    assert [each["type"] for each in records((tmp_path / "a.jsonl").read_text())].count(
        "summary"
    ) == 2


def test_the_help_names_every_sink(monkeypatch, capsys):
    monkeypatch.setitem(SINKS, "fax", SinkRow("x:make", "fax:NUMBER"))
    with pytest.raises(SystemExit):
        _parser().parse_args(["listen", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert all(row.form in printed for row in SINKS.values())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--to", "fax"), "the sink is 'fax', one of terminal, jsonl[:FILE]"),
        (("--to", "terminal", "--json"), "terminal and jsonl write to standard output"),
        (("--to", "jsonl:/nowhere/a.jsonl"), "there is no folder /nowhere"),
        (("--to", "jsonl?size=1M"), "size is for a file"),
    ],
)
def test_a_sink_that_cannot_be_is_one_sentence_before_anything_is_heard(words, sentence, capsys):
    assert listen(*words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("second", ["jsonl:{}", "sqlite:{}", "jsonl:{}?size=1M"])
def test_two_sinks_do_not_write_into_one_file(tmp_path, monkeypatch, capsys, second):
    monkeypatch.chdir(tmp_path)
    assert listen("--to", "jsonl:a", "--to", second.format(tmp_path / "a")) == 2
    assert "--to jsonl:a and --to " in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_the_voice_is_not_kept_in_the_file_of_a_sink(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "link").symlink_to("a")
    words = ("--state", "link", "--to", f"jsonl:{tmp_path}/a")
    assert listen(*words) == 2
    assert "--state link would write into one file" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert listen(*words, "--reference", "off") == 2
    assert "leave one out" in capsys.readouterr().err


def test_a_recording_is_not_written_to_as_records(tmp_path, capsys):
    talk = tmp_path / "talk.wav"
    shutil.copy(DEMO_CLIP, talk)
    before = talk.read_bytes()
    assert main(["listen", "--source", str(talk), "--fast", "--to", f"jsonl:{talk}"]) == 2
    assert "it holds something else than records" in capsys.readouterr().err
    assert talk.read_bytes() == before


@pytest.mark.parametrize("beside", [(), ("--to", "jsonl")])
def test_records_that_were_lost_are_said_and_the_exit_code_tells(
    tmp_path, monkeypatch, capsys, beside
):
    def full(self: RotatedFile, line: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RotatedFile, "write", full)
    assert listen("--duration", "3", "--to", f"jsonl:{tmp_path}/a.jsonl", *beside) == 2
    printed = capsys.readouterr()
    assert "a.jsonl lacks 4 records, which could not be written" in printed.err
    assert len(records(printed.out)) == (4 if beside else 0)


def test_a_voice_that_could_not_be_kept_is_told_by_the_exit_code(tmp_path, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.stream.voice_file.write_voice", full)
    assert listen("--duration", "3", "--state", f"{tmp_path}/voice.json") == 2
    assert "the voice cannot be kept in" in capsys.readouterr().err


def test_a_command_is_started_when_a_rule_holds(tmp_path, capsys):
    command = f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write(sys.stdin.read())\""
    path = tmp_path / "told"
    words = ("--min-probability", "0", "--duration", "6")
    assert listen(*words, "--on", "activation > 0 for 0s every 1h", f"{command} {path}") == 0
    (told,) = records(path.read_text())
    assert (told["type"], told["rule"]) == ("rule", "activation > 0")
    assert "emotion" in capsys.readouterr().out


def test_what_a_file_names_lies_in_the_folder_of_the_process_and_not_of_the_file(
    tmp_path, monkeypatch, tiny_artifact
):
    for name in ("settings", "runs"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "runs")
    shutil.copytree(tiny_artifact.path, "model")
    shutil.copy(DEMO_CLIP, "talk.wav")
    script = Path("told.sh")
    script.write_text("#!/bin/sh\ncat > told\n")
    script.chmod(0o755)
    config = tmp_path / "settings" / "config.toml"
    config.write_text(
        '[listen]\nartifact = "./model"\nsource = "talk.wav"\n'
        "duration = 4\nfast = true\nmin_probability = 0\n"
        '[[to]]\nsink = "jsonl:heard.jsonl"\n[[to]]\nsink = "sqlite:feelings.db"\n'
        + "".join(
            f'[[on]]\nwhen = "{label}"\nfor = "0s"\ncommand = "./told.sh"\n'
            for label in tiny_artifact.manifest.labels
        )
    )
    assert main(["listen", "--config", str(config)]) == 0
    there = {"heard.jsonl", "feelings.db", "told"}
    assert there <= set(os.listdir())
    assert os.listdir(config.parent) == ["config.toml"]


def test_a_rule_for_no_label_is_one_sentence(capsys):
    assert listen("--on", "bored", "true") == 2
    assert "a rule is for 'bored', one of neutral, calm" in capsys.readouterr().err
    assert listen("--on", "angry for ever", "true") == 2
    assert "for is 'ever', a span from 0 seconds" in capsys.readouterr().err


def test_a_rule_for_a_label_that_may_not_be_said_is_one_sentence(capsys):
    assert listen("--on", "angry", "true", "--labels", "happy,sad") == 2
    assert "for 'angry', and --labels leaves it out" in capsys.readouterr().err
    words = ("--on", "happy", "true", "--on", "activation", "true", "--duration", "2")
    assert listen(*words, "--labels", "happy,sad") == 0


@pytest.mark.parametrize("option", ["--event-min", "--event-merge"])
def test_what_an_event_is_goes_with_events_alone(option, tmp_path, capsys):
    assert listen("--duration", "2", option, "0.5") == 2
    assert f"{option} says what an event is: --events is wanted" in capsys.readouterr().err
    assert listen("--duration", "2", "--events", option, "0.5") == 0
    config = tmp_path / "c.toml"
    config.write_text(f"[listen]\n{option[2:].replace('-', '_')} = 0.5\n")
    words = ("listen", "--source", "demo", "--fast", "--config", str(config))
    assert main([*words]) == 2
    assert f"{option} comes from {config}" in capsys.readouterr().err
    assert main([*words, "--duration", "2", "--events"]) == 0


def test_keep_is_for_every_history_that_does_not_say_itself(tmp_path, capsys):
    with_own = f"sqlite:{tmp_path}/a.db?keep=1d"
    words = ("--keep", "2d", "--to", with_own, "--to", f"sqlite:{tmp_path}/b.db", "--to", "jsonl")
    args = _parser().parse_args(["listen", *words])
    assert [target.options for target in targets(args)] == [{"keep": "1d"}, {"keep": "2d"}, {}]
    assert listen("--duration", "2", *words) == 0
    assert (tmp_path / "b.db").exists()
    # And it comes back as it was written.
    capsys.readouterr()
    assert listen(*words, "--print-config") == 0
    assert 'keep = "2d"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--keep", "2d"), "--keep is for a history, and no sink has one: --to sqlite:FILE"),
        (("--keep", "2d", "--to", "jsonl"), "--keep is for a history"),
        (("--keep", "2"), "--keep is '2', a span from 3600 seconds"),
    ],
)
def test_keep_without_a_history_is_one_sentence(words, sentence, capsys):
    assert listen(*words) == 2
    assert sentence in capsys.readouterr().err


def test_keep_of_a_file_is_left_out_where_the_command_line_names_another_sink(tmp_path, capsys):
    file = tmp_path / "config.toml"
    file.write_text('[listen]\nkeep = "2d"\nto = ["sqlite:nowhere/a.db"]\n')
    words = ["listen", "--source", "demo", "--fast", "--duration", "2", "--config", str(file)]
    assert main([*words, "--to", "jsonl"]) == 0
    file.write_text('[listen]\nkeep = "2d"\n')
    assert main(words) == 2
    assert f"--keep comes from {file}" in capsys.readouterr().err
