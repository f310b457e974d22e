"""``listen --to``: where decisions go, from the command line to the file."""

from __future__ import annotations

import json
import os
import sys

import pytest

from edge.cli.main import main
from edge.cli.sink_options import SINK_FORMS
from edge.sinks.kinds import SINKS


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


def test_the_help_names_every_sink():
    assert ", ".join(row.form for row in SINKS.values()) == SINK_FORMS


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


def test_a_command_is_started_when_a_rule_holds(tmp_path, capsys):
    command = f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write(sys.stdin.read())\""
    path = tmp_path / "told"
    words = ("--min-probability", "0", "--duration", "6")
    assert listen(*words, "--on", "activation > 0 for 0s every 1h", f"{command} {path}") == 0
    (told,) = records(path.read_text())
    assert (told["type"], told["rule"]) == ("rule", "activation > 0")
    assert "emotion" in capsys.readouterr().out


def test_a_rule_for_no_label_is_one_sentence(capsys):
    assert listen("--on", "bored", "true") == 2
    assert "a rule is for 'bored', one of neutral, calm" in capsys.readouterr().err
    assert listen("--on", "angry for ever", "true") == 2
    assert "for is 'ever', a span from 0 seconds" in capsys.readouterr().err
