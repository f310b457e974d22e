"""Sinks side by side: one that fails is named, the others go on."""

from __future__ import annotations

import io
import json
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.errors import ParameterError, SinkError
from edge.pipeline import run_pipeline
from edge.sinks import JsonLinesSink, SinkBase
from edge.sinks.group import SinkGroup
from edge.sinks.kinds import SINKS, SinkRow
from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.target import Target
from edge.sources import Block, Status
from edge.stream.decision import Decision
from edge.stream.events import Event, EventSettings
from edge.stream.records import time_of_day

CLIP = voice(64_000)


class Diary(SinkBase):
    """Notes what it is told; fails where it is told to."""

    def __init__(self, fails_in: str = "", error: Exception | None = None, after: int = 0) -> None:
        self.told: list[str] = []
        self._fails_in, self._error, self._after = fails_in, error or RuntimeError("ouch"), after

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what == self._fails_in and self.told.count(what) > self._after:
            raise self._error

    def open(self) -> None:
        self._note("open")

    def emit(self, decision: Decision) -> None:
        self._note("emit")

    def event(self, event: Event) -> None:
        self._note("event")

    def status(self, status: Status) -> None:
        self._note("status")

    def warn(self, sentence: str) -> None:
        self.sentence = sentence
        self._note("warn")

    def summary(self, summary: Mapping[str, Any]) -> None:
        self._note("summary")

    def close(self) -> None:
        self._note("close")


class Blocks:
    name, waited_s = "blocks", 0.0

    def blocks(self, stop: object):
        for start in range(0, CLIP.size, 512):
            yield Block(CLIP[start : start + 512])
            if start == 512:
                yield Status("lost", "away")


def run(*sinks: Diary, notice: Callable[[str], None] = print) -> list[str]:
    group = SinkGroup(sinks, notice, lambda sentence: None)
    run_pipeline(Blocks(), fake_classifier().stream(), group, events=EventSettings(0.0, 0.0))
    return sinks[0].told


def test_a_sink_s_life_is_open_emit_summary_close() -> None:
    told = run(Diary())
    assert told[0] == "open"
    assert told[-2:] == ["summary", "close"]
    assert set(told[1:-2]) == {"emit", "event", "status"}
    assert len(told) >= 8


@pytest.mark.parametrize("where", ["open", "emit", "event", "status", "summary", "close"])
@pytest.mark.parametrize("first", [True, False])
def test_a_sink_that_fails_is_closed_and_named_once(where: str, first: bool) -> None:
    wanted = [one for one in run(Diary()) if one != "warn"]
    notices: list[str] = []
    bad, good = Diary(where), Diary()
    run(*((bad, good) if first else (good, bad)), notice=notices.append)
    assert [one for one in good.told if one != "warn"] == wanted
    (said,) = notices
    assert said.startswith("the sink Diary failed")
    assert "RuntimeError: ouch" in said
    assert bad.told.count(where) == 1
    assert bad.told[-1] == "close"
    assert bad.told.count("close") == 1
    if where in ("emit", "event", "status", "summary"):
        assert good.sentence == said


def test_a_group_knows_that_a_sink_failed_and_not_that_a_reader_went_away() -> None:
    for first, has_failed in (
        (Diary(), False),
        (Diary("emit"), True),
        (Diary("emit", BrokenPipeError()), False),
        (Diary("close"), True),
    ):
        group = SinkGroup([first, Diary()], lambda sentence: None)
        run_pipeline(Blocks(), fake_classifier().stream(), group)
        assert group.has_failed == has_failed


def test_what_a_sink_could_not_write_to_the_end_is_said_as_it_says_it() -> None:
    notices: list[str] = []
    run(Diary("close", SinkError("a.jsonl lacks 3 records")), notice=notices.append)
    assert notices == ["a.jsonl lacks 3 records"]


def test_a_sink_that_fails_late_and_one_that_fails_on_the_news_leave_the_third() -> None:
    notices: list[str] = []
    third = Diary()
    run(Diary("emit", after=2), Diary("warn"), third, notice=notices.append)
    assert len(notices) == 2
    assert third.told.count("warn") == 2
    assert third.told[-1] == "close"


def test_the_run_ends_with_the_error_of_the_last_sink() -> None:
    with pytest.raises(BrokenPipeError):
        run(Diary("emit"), Diary("emit", BrokenPipeError(), after=2))
    with pytest.raises(SinkError, match=r"the sink Diary failed \(RuntimeError: ouch\), and no"):
        run(Diary("emit"), Diary("emit", after=2))
    with pytest.raises(SinkError):
        run(Diary("open"), Diary("open"))


def test_sinks_are_closed_whatever_happens() -> None:
    sink = Diary()
    with pytest.raises(KeyboardInterrupt), SinkGroup([sink], print):
        raise KeyboardInterrupt
    assert sink.told == ["open", "close"]


def test_a_toy_sink_is_one_module_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("toy_sink")
    made: list[SinkSettings] = []

    class Toy(SinkBase):
        def __init__(self, _target: Target, settings: SinkSettings) -> None:
            made.append(settings)
            self.labels: list[str | None] = []

        def emit(self, decision: Decision) -> None:
            self.labels.append(decision.label)

    module.make = Toy
    monkeypatch.setitem(sys.modules, "toy_sink", module)
    monkeypatch.setitem(SINKS, "toy", SinkRow("toy_sink:make", "toy"))
    toy = make_sink("toy", SinkSettings(io.StringIO()))
    run_pipeline(Blocks(), fake_classifier().stream(), [toy])
    assert len(made) == 1
    assert len(toy.labels) > 3


def test_unknown_sink_is_one_sentence() -> None:
    with pytest.raises(ParameterError, match=r"sink is 'fax', one of terminal, jsonl\[:FILE\]"):
        make_sink("fax", SinkSettings(io.StringIO()))


def test_json_lines_have_warnings_and_the_summary() -> None:
    stream = io.StringIO()
    sink = make_sink("jsonl", SinkSettings(stream, now=lambda: 0.0))
    assert isinstance(sink, JsonLinesSink)
    sink.warn("odd")
    sink.summary({"type": "summary"})
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"version": 1, "type": "warning", "time": time_of_day(0.0), "warning": "odd"},
        {"type": "summary"},
    ]


def test_terminal_shows_warnings_where_nothing_else_does() -> None:
    for shows in (True, False):
        stream = io.StringIO()
        sink = make_sink("terminal", SinkSettings(stream, shows_warnings=shows))
        sink.warn("odd \x1b[2J")
        assert stream.getvalue() == ("warning: odd \\x1b[2J\n" if shows else "")


def test_nothing_is_lost_without_sinks() -> None:
    assert run_pipeline(Blocks(), fake_classifier().stream(), []).decisions > 3
    assert np.isfinite(CLIP).all()
