"""How a sink is named, and what is said of a name that is none."""

from __future__ import annotations

import time

import pytest

from edge.errors import ParameterError
from edge.sinks.amounts import read_count, read_size, read_span
from edge.sinks.kinds import SINKS, SinkRow
from edge.sinks.target import Target, target_from_table, target_from_text


@pytest.fixture
def post(monkeypatch):
    monkeypatch.setitem(
        SINKS, "post", SinkRow("x:make", "post://HOST", ("keep",), True, uses_network=True)
    )


def test_a_name_is_a_kind_an_address_and_options():
    assert target_from_text("terminal") == Target("terminal")
    assert target_from_text("jsonl:a/b.jsonl") == Target("jsonl", "a/b.jsonl")
    named = target_from_text("jsonl:a.jsonl?size=10M&files=3")
    assert named == Target("jsonl", "a.jsonl", {"size": "10M", "files": "3"})
    assert named.option("size", "1M") == "10M"
    assert named.option("keep", "1d") == "1d"
    assert str(named) == "jsonl:a.jsonl?size=10M&files=3"
    assert target_from_text(str(named)) == named


def test_a_file_may_have_a_question_mark():
    assert target_from_text("jsonl:what?") == Target("jsonl", "what?")
    assert target_from_text("jsonl:a?b.jsonl?files=3") == Target(
        "jsonl", "a?b.jsonl", {"files": "3"}
    )


def test_a_table_says_the_same():
    table = {"sink": "jsonl:a.jsonl?size=10M", "files": 3}
    assert target_from_table(table) == Target("jsonl", "a.jsonl", {"size": "10M", "files": "3"})


def test_a_password_is_never_shown(post):
    target = target_from_text("post://me:hush@host:25/x?keep=1d")
    assert target.has_secret
    assert str(target) == repr(target) == "post://me@host:25/x?keep=1d"
    assert not target_from_text(str(target)).has_secret
    with pytest.raises(ParameterError, match=r"//me:\.\.\.@host") as refused:
        target_from_text("fax://me:hush@host")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("front", ["://", ":/", ":", "//", "", ":///"])
def test_no_password_is_shown_of_a_name_that_was_mistyped(front, post):
    text = f"post{front}me:hush/h@ush@host/x"
    said = ""
    try:
        said = str(target_from_text(text))
    except ParameterError as refused:
        said = str(refused)
    assert "ush" not in said


def test_a_name_without_end_is_refused_at_once():
    began_s = time.process_time()
    for text in ("x" * 1_000_000, "x:" * 500_000, "post" + "/" * 1_000_000):
        with pytest.raises(ParameterError):
            target_from_text(text)
    assert time.process_time() - began_s < 2


def test_a_file_keeps_its_name():
    assert str(target_from_text("jsonl:a:b@c.jsonl")) == "jsonl:a:b@c.jsonl"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fax", r"the sink is 'fax', one of terminal, jsonl\[:FILE\]"),
        ("", "the sink is '', one of terminal"),
        ("terminal:x", "terminal takes nothing behind it"),
        ("post", "post://HOST is wanted"),
        ("jsonl:a?keep=1d", r"keep is no option of the sink jsonl\[:FILE\]: one of size, files is"),
        ("terminal?a=b", "no option of the sink terminal: it has none|one of"),
        ("jsonl:a?size=1M&size=2M", "'jsonl' has size twice"),
        ("jsonl:\x1b[2J?q=1", "q is no option"),
        ("\x1b[2J", r"\\x1b"),
    ],
)
def test_what_is_no_sink_is_one_sentence(text, sentence, post):
    with pytest.raises(ParameterError, match=sentence) as refused:
        target_from_text(text)
    assert "\x1b" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "sink is missing, text is wanted"),
        ({"sink": 3}, "sink is 3, text is wanted"),
        ({"sink": "jsonl:a", "size": [1]}, r"size is \[1\], text or a number"),
        ({"sink": "jsonl:a", "size": True}, "size is True, text or a number"),
        ({"sink": "jsonl:a?files=1", "files": 2}, "'jsonl' has files twice"),
        ({"sink": "jsonl:a", "shoe": 2}, "shoe is no option"),
    ],
)
def test_what_is_no_table_is_one_sentence(table, sentence):
    with pytest.raises(ParameterError, match=sentence):
        target_from_table(table)


def test_amounts_have_units():
    assert read_size("size", "500k") == 500_000
    assert read_size("size", "1.5M") == 1_500_000
    assert read_size("size", "2000") == 2_000
    assert read_span("keep", "90d") == 90 * 86_400
    assert read_span("keep", "2w") == 14 * 86_400
    assert read_count("files", "5") == 5
    for wrong in ("", "10", "10X", "-1M", "1e99", "nan", "9" * 400, "10 M"):
        with pytest.raises(
            ParameterError, match=r"size is .*, a size from 1000 bytes on is wanted"
        ):
            read_size("size", wrong)
    for wrong in ("", "3s", "10y", "-1d", "200000d", "inf"):
        with pytest.raises(
            ParameterError, match=r"keep is .*, a span from 60 seconds to 100 years"
        ):
            read_span("keep", wrong)
    for wrong in ("", "0", "1.5", "1001", "9" * 400, "-1"):
        with pytest.raises(ParameterError, match=r"files is .*, a whole number from 1 to 1000"):
            read_count("files", wrong)
