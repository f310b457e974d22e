"""Rules: what they take for holding, and what they start."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from waiting import wait_for

from edge.errors import ParameterError
from edge.sinks.rule import Rule, rule_from_table, rule_from_words
from edge.sinks.rules import RulesSink
from edge.stream.decision import Decision

REPOSITORY = Path(__file__).parents[3]
NOON_S = time.mktime((2026, 11, 27, 12, 0, 0, 0, 0, -1))


def heard(n: int, label: str | None = "angry", probability: float = 0.9, **other) -> Decision:
    """Give the decision that ends at second ``n``, a hop of one second after the one before."""
    posterior = None
    if label is not None:
        posterior = {name: (1 - probability) for name in ("angry", "happy")} | {label: probability}
    state = "speech" if label else "quiet"
    return Decision(
        n - 2.0, float(n), state, label, posterior, label, -20.0,
        activation=0.8 if label else None, time_s=NOON_S + n, **other,
    )  # fmt: skip


@pytest.fixture
def started(monkeypatch):
    """Note what would be started in place of starting it."""
    found: list[dict] = []

    class Noted:
        is_running = False

        def __init__(self, rule, record, warn) -> None:
            found.append(record)

        def end(self, wait_s) -> None:
            pass

    monkeypatch.setattr("edge.sinks.rules.Started", Noted)
    return found


def run(text: str, decisions, now=time.time) -> None:
    sink = RulesSink([rule_from_words(text, "x")], now=now, warn=print)
    for decision in decisions:
        sink.emit(decision)
    sink.close()


def ends(found) -> list[float]:
    return [record["end_s"] for record in found]


def test_a_label_has_to_hold_without_a_break(started):
    run("angry for 3s every 1s", [heard(n) for n in range(2, 5)])
    # The first speaks for its whole segment: two seconds, and one more hop.
    assert ends(started) == [3.0, 4.0]
    started.clear()
    broken = [heard(2), heard(3, "happy"), heard(4), heard(5, None), heard(6), heard(7), heard(8)]
    run("angry for 3s every 1s", broken)
    assert ends(started) == [8.0]
    assert started[0]["start_s"] == 5.0
    started.clear()
    run("angry for 3s every 1s", [heard(2), Decision.of_gap(2.0, 3.0, 16_000, "lost"), heard(5)])
    assert started == []


def test_a_bar_is_for_the_probability_or_the_activation(started):
    run("angry > 0.8 for 0s every 1s", [heard(2, probability=0.8), heard(3, probability=0.81)])
    assert ends(started) == [3.0]
    assert (started[0]["value"], started[0]["rule"]) == (0.81, "angry > 0.8")
    started.clear()
    run("activation>0.7 for 0s every 1s", [heard(2, "happy"), heard(3, None)])
    assert [(r["value"], r["label"]) for r in started] == [(0.8, "happy")]
    started.clear()
    run("activation > 0.8 for 0s", [heard(2)])
    assert started == []


def test_it_starts_once_in_its_time(started):
    run("angry for 0s every 10s", [heard(n) for n in range(2, 25)])
    assert ends(started) == [2.0, 12.0, 22.0]
    started.clear()
    # A clock that was set back by a day does not silence it for a day.
    late = [dataclasses.replace(heard(n), time_s=NOON_S - 86_400 * (n > 4)) for n in range(2, 8)]
    run("angry for 0s every 1h", late)
    assert ends(started) == [2.0, 5.0]


def test_it_is_told_what_it_was(started):
    run("angry for 2s", [heard(2, probability=0.95)])
    (record,) = started
    assert list(record) == [
        "version", "type", "time", "rule", "label", "value", "peak", "activation", "start_s",
        "end_s",
    ]  # fmt: skip
    assert (record["type"], record["label"], record["peak"]) == ("rule", "angry", 0.95)


@pytest.mark.parametrize(
    ("between", "hour", "is_in"),
    [
        ("09:00-17:00", 9, True), ("09:00-17:00", 17, False), ("09:00-17:00", 8, False),
        ("22:00-6:00", 23, True), ("22:00-6:00", 5, True), ("22:00-6:00", 6, False),
        ("12:00-12:00", 3, True),
    ],
)  # fmt: skip
def test_hours_are_of_the_day_here_and_may_pass_midnight(between, hour, is_in):
    rule = rule_from_words(f"angry between {between}", "x")
    assert rule.is_in_time(NOON_S + 3_600 * (hour - 12)) == is_in


def test_words_and_tables_say_the_same():
    words = rule_from_words("angry>0.8 for 10s every 5m between 22:00-06:30 limit 1m", "say 'a b'")
    want = Rule("angry", 0.8, ("say", "a b"), 10.0, 300.0, (1_320, 390), 60.0)
    assert words == want
    assert rule_from_table(words.to_table()) == want
    assert rule_from_table({"when": "activation > 0.7", "command": "x", "for": 5}) == Rule(
        "activation", 0.7, ("x",), 5.0
    )
    assert rule_from_words("activation", "x").above == 0.5


@pytest.mark.parametrize(
    ("text", "command", "sentence"),
    [
        ("", "x", "a rule is '', LABEL or activation is wanted"),
        ("angry for", "x", "LABEL or activation is wanted"),
        ("angry because 3s", "x", "LABEL or activation is wanted"),
        ("angry for 3s for 4s", "x", "each word is wanted once"),
        ("angry > 2", "x", "the bar of a rule is '2', a number from 0 to 1"),
        ("angry > nan", "x", "the bar of a rule is 'nan', a number"),
        ("angry for 3y", "x", "for is '3y', a span"),
        ("angry every 0s", "x", "every is '0s', a span from 1 seconds"),
        ("angry between 25:00-26:00", "x", "between is '25:00-26:00', times of the day"),
        ("angry", "", "the command of a rule is '', a program"),
        ("angry", "say 'a", "the command of a rule is .*: no closing quotation"),
        ("angry", "say a | tee b", r"no shell reads its \|: sh -c 'say a \| tee b' is wanted"),
        ("angry", "say a >> b", "no shell reads its >>: sh -c"),
        ("angry", "say a 2>/dev/null", "no shell reads its 2>/dev/null: sh -c"),
        ("angry", "say a && say b", "no shell reads its &&: sh -c"),
        ("angry", "say a &", "no shell reads its &: sh -c"),
    ],
)
def test_what_is_no_rule_is_one_sentence(text, command, sentence):
    with pytest.raises(ParameterError, match=sentence):
        rule_from_words(text, command)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"command": "x"}, "when is missing, a label or a bar is wanted"),
        ({"when": "angry for 3s", "command": "x"}, "when is 'angry for 3s', a label"),
        ({"when": "angry"}, "the command of a rule is missing, a program"),
        ({"when": "angry", "command": [1]}, r"the command of a rule is \[1\]"),
        ({"when": "angry", "command": []}, r"the command of a rule is \[\]"),
        ({"when": "angry", "command": "x", "shoe": 1}, "shoe is unknown, when, command, for,"),
        ({"when": "angry", "command": "x", "for": True}, "for is True, text or a number"),
    ],
)
def test_what_is_no_table_is_one_sentence(table, sentence):
    with pytest.raises(ParameterError, match=sentence):
        rule_from_table(table)


@pytest.mark.parametrize(
    "command",
    [
        "sh -c 'a | b > c; d &'",
        r'sh -c "echo \"hi\" > out"',
        r"say \> \| a",
        r"sh -c 'a '\'' > b'",
        "curl http://x/?a=1&b=2",
        'say "|" "a > b"',
        "say 'it''s' <b>",
        "#1",
    ],
)
def test_what_is_no_work_for_a_shell_is_left_as_it_is(command):
    assert rule_from_words("angry", command).command == tuple(shlex.split(command))


def test_words_of_a_list_are_no_work_for_a_shell():
    table = {"when": "angry", "command": ["say", "|", ">", "a"]}
    assert rule_from_table(table).command == ("say", "|", ">", "a")


def test_a_rule_for_a_label_that_is_not_there_is_refused():
    rule_from_words("activation > 0.5", "x").check(("happy", "sad"))
    with pytest.raises(ParameterError, match="for activation, which the labels of this model do n"):
        rule_from_words("activation > 0.5", "x").check(("happy", "clapping"))
    with pytest.raises(ParameterError, match="a rule is for 'angry', one of happy, sad or activ"):
        rule_from_words("angry", "x").check(("happy", "sad"))


def really(code: str, *words: str, limit_s: float = 10.0, monkeypatch=None) -> list[str]:
    """Start Python with some code for one decision, and give what was said of it."""
    said: list[str] = []
    rule = Rule("angry", 0.0, (sys.executable, "-c", code, *words), 0.0, 600.0, None, limit_s)
    sink = RulesSink([rule], now=time.time, warn=said.append)
    sink.emit(heard(2))
    started = sink._held[0][1].running
    assert started is not None
    started._thread.join(20)
    sink.close()
    return said


def test_a_command_gets_a_line_of_json_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_SER_MQTT_PASSWORD", "hush")
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read());"
        "sys.exit('EDGE_SER_MQTT_PASSWORD' in os.environ)"
    )
    assert really(code, str(tmp_path / "a; touch b")) == []
    (line,) = (tmp_path / "a; touch b").read_text().splitlines()
    assert json.loads(line)["label"] == "angry"
    assert os.listdir(tmp_path) == ["a; touch b"]


def test_one_that_fails_or_never_ends_is_said():
    (said,) = really("raise SystemExit(3)")
    assert said.endswith("of the rule angry > 0 failed with exit code 3")
    (said,) = really("import time; time.sleep(60)", limit_s=0.3)
    assert "was ended after 0.3 s; limit gives it longer" in said


def test_one_that_is_not_there_is_said():
    said: list[str] = []
    sink = RulesSink([rule_from_words("angry for 0s", "/no/such")], now=time.time, warn=said.append)
    sink.emit(heard(2))
    assert wait_for(lambda: said, 10)
    sink.close()
    assert said == [
        "the command /no/such of the rule angry > 0 did not start: No such file or directory"
    ]


def test_the_end_ends_what_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.sinks.rules._LAST_S", 0.1)
    said: list[str] = []
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    command = (sys.executable, "-c", code, str(tmp_path / "pid"))
    sink = RulesSink([Rule("angry", 0.0, command, 0.0)], now=time.time, warn=said.append)
    sink.emit(heard(2))
    assert wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 10)
    sink.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert said == []


def test_its_record_is_as_the_schema_says(started):
    run("activation > 0 for 0s every 1s", [heard(2), heard(3, "happy")])
    schema = json.loads((REPOSITORY / "docs" / "records.schema.json").read_text(encoding="utf-8"))
    assert len(started) == 2
    for record in started:
        jsonschema.Draft202012Validator(schema).validate(record)
        assert set(record) == set(schema["required"]) | set(schema["$defs"]["rule"]["properties"])
