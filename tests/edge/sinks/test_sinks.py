from __future__ import annotations

import io
import json
import re

import pytest

from edge.sinks import JsonLinesSink, TerminalSink
from edge.stream.decision import Decision, Timing
from edge.stream.events import Event
from edge.stream.records import time_of_day
from edge.stream.status import Status

ESCAPE = "\x1b["
QUIET = {"state": "quiet", "label": None, "posterior": None, "raw_label": None}


def decision(**changes: object) -> Decision:
    values: dict[str, object] = {
        "start_s": 0.0, "end_s": 1.984, "state": "speech", "label": "happy",
        "posterior": {"happy": 0.53, "sad": 0.47}, "raw_label": "sad", "level_db": -23.4,
        "timing": Timing(features_ms=1.0, model_ms=2.0, latency_ms=3.1),
    }  # fmt: skip
    return Decision(**{**values, **changes})


class Screen(io.TextIOWrapper):
    """A text stream that says whether it is a terminal."""

    def __init__(self, encoding: str = "utf-8", is_terminal: bool = True) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)


def shown(screen: Screen, environment: dict[str, str] | None = None, **changes: object) -> str:
    TerminalSink(screen, environment or {}).emit(decision(**changes))
    return screen.text()


def test_line_shows_time_emotion_probability_level_and_latency() -> None:
    header, line = shown(Screen(is_terminal=False)).splitlines()
    assert header.split() == ["time", "emotion", "probability", "active", "level", "latency"]
    assert re.fullmatch(r" +0:02\.0  happy +█+\S? +53 % +-23\.4 dB +3\.1 ms", line)
    active = shown(Screen(is_terminal=False), activation=0.834).splitlines()[1]
    assert re.fullmatch(r" +0:02\.0  happy +█+\S? +53 %   0\.83  -23\.4 dB +3\.1 ms", active)
    assert len(active) == len(line) == len(header) <= 80


def test_somebody_whose_label_is_not_sure_may_be_active() -> None:
    unsure = {"state": "uncertain", "label": None, "activation": 0.5}
    header, line = shown(Screen(is_terminal=False), **unsure).splitlines()
    assert re.fullmatch(r" +0:02\.0  unsure +perhaps happy, 53 % +0\.50  -23\.4 dB +3\.1 ms", line)
    assert line.index("0.50") + 4 == header.index("active") + 6


def test_labels_of_any_words_have_colours_and_a_column_that_holds_them() -> None:
    labels = ("calm-down", "cheering", "saddened-by-news")
    screen = Screen()
    sink = TerminalSink(screen, {}, labels=labels)
    sink.emit(decision(**QUIET))
    for label in labels:
        rest = {name: 0.1 for name in labels}
        sink.emit(decision(label=label, posterior={**rest, label: 0.8}))
    lines = screen.text().splitlines()
    painted = [re.search(r"\x1b\[1m\x1b\[(\d+)m", line) for line in lines[2:]]
    assert len({found[1] for found in painted if found}) == 3
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
    # Numbers stand below their heads, also where nobody spoke.
    assert len({len(line) for line in plain}) == 1
    assert {line.index("-23.4 dB") for line in plain[1:]} == {plain[1].index("-23.4 dB")}


def test_a_sink_that_was_told_no_labels_takes_those_of_a_posterior() -> None:
    text = shown(Screen(), label="crying", posterior={"crying": 0.9, "cheering": 0.1})
    assert re.search(r"\x1b\[1m\x1b\[\d+mcrying", text)


def test_header_comes_once() -> None:
    screen = Screen(is_terminal=False)
    sink = TerminalSink(screen, {})
    for _ in range(3):
        sink.emit(decision())
    assert screen.text().count("emotion") == 1
    assert len(screen.text().splitlines()) == 4


def test_bar_is_as_long_as_the_probability() -> None:
    def bar(p: float) -> str:
        line = shown(Screen(is_terminal=False), posterior={"happy": p}).splitlines()[1]
        return line[21:45]

    assert bar(1.0) == "█" * 24
    assert bar(0.5) == "█" * 12 + " " * 12
    assert bar(0.5 + 1 / 48) == "█" * 12 + "▌" + " " * 11
    assert bar(0.0) == " " * 24


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_bar_is_ascii_where_blocks_cannot_be_written(encoding: str) -> None:
    line = shown(Screen(encoding, is_terminal=False)).splitlines()[1]
    assert "#############..........." in line


@pytest.mark.parametrize("p", [0.0, 0.26, 0.999, 1.0])
def test_columns_stay_aligned(p: float) -> None:
    texts = [
        shown(Screen(is_terminal=False), posterior={"happy": p}),
        shown(Screen(is_terminal=False), label="surprised", posterior={"surprised": p}),
        shown(Screen(is_terminal=False), **QUIET, level_db=-120.0, end_s=3599.97),
        shown(Screen("ascii", is_terminal=False), posterior={"happy": p}),
    ]
    assert {len(line) for text in texts for line in text.splitlines()} == {79}


def test_terminal_gets_colours() -> None:
    assert ESCAPE in shown(Screen())


@pytest.mark.parametrize(
    ("is_terminal", "environment"),
    [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})],
)
def test_no_escape_codes_where_they_are_not_wanted(
    is_terminal: bool, environment: dict[str, str]
) -> None:
    assert "\x1b" not in shown(Screen(is_terminal=is_terminal), environment)


def test_empty_no_color_does_not_count() -> None:
    assert ESCAPE in shown(Screen(), {"NO_COLOR": ""})


def test_quiet_segment_says_so_instead_of_an_emotion() -> None:
    line = shown(Screen(), **QUIET, level_db=-71.0).splitlines()[1]
    assert line.startswith("\x1b[2m")
    assert "quiet" in line
    assert "happy" not in line
    assert "%" not in line
    assert "-71.0 dB" in line


def test_lost_samples_are_named() -> None:
    gap = shown(Screen(), **{**QUIET, "state": "gap", "level_db": None, "dropped_samples": 512})
    assert "gap" in gap
    assert "512 samples dropped" in gap


@pytest.mark.parametrize(
    ("end_s", "time"),
    [(1.984, "0:02.0"), (59.97, "1:00.0"), (59.94, "0:59.9"), (3725.0, "62:05.0")],
)
def test_time_is_minutes_and_seconds(end_s: float, time: str) -> None:
    assert shown(Screen(is_terminal=False), end_s=end_s).splitlines()[1].split()[0] == time


class Counting(io.StringIO):
    n_flushes = 0

    def flush(self) -> None:
        self.n_flushes += 1
        super().flush()


def test_json_lines_are_flushed_one_by_one() -> None:
    stream = Counting()
    sink = JsonLinesSink(stream)
    sink.emit(decision())
    assert stream.n_flushes == 1
    sink.write({"type": "summary", "p50_ms": None})
    assert stream.n_flushes == 2
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == decision().to_dict()
    assert second == {"type": "summary", "p50_ms": None}


def test_json_never_holds_what_json_has_no_word_for() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="JSON"):
        JsonLinesSink(stream).write({"rtf": float("nan")})
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [("quiet", "too quiet"), ("no-speech", "nobody speaks"), ("uncertain", "unsure")],
)
def test_no_label_says_in_words_why(state: str, words: str) -> None:
    posterior = {"happy": 0.4, "sad": 0.6} if state == "uncertain" else None
    changes = {**QUIET, "state": state, "posterior": posterior}
    line = shown(Screen(is_terminal=False), **changes).splitlines()[1]
    assert f"  {words}  " in line
    # What it leans to is said as a guess, and of somebody who speaks alone.
    assert ("perhaps sad, 60 %" in line) == (state == "uncertain")
    assert not {"happy", "sad"} & set(line.replace("perhaps sad,", "").split())


def test_time_of_day_where_it_is_wanted_and_known() -> None:
    def time_in(wanted: bool, time_s: float | None) -> str:
        screen = Screen(is_terminal=False)
        TerminalSink(screen, {}, time_of_day=wanted).emit(decision(time_s=time_s))
        return screen.text().splitlines()[1].split()[0]

    assert time_in(True, 1.8e9) == time_of_day(1.8e9)[11:19]
    assert time_in(False, 1.8e9) == time_in(True, None) == "0:02.0"


def event(**changes: object) -> Event:
    values = {
        "event": "end", "label": "happy", "start_s": 58.0, "end_s": 61.54, "peak": 0.8123,
        "mean_probability": 0.615, "time_s": 1.8e9,
    }  # fmt: skip
    return Event(**{**values, **changes})


def test_events_are_lines_in_place_of_decisions() -> None:
    screen = Screen(is_terminal=False)
    sink = TerminalSink(screen, {}, events=True)
    sink.emit(decision(warning="it clips"))
    sink.event(event(event="start", end_s=None))
    sink.event(event())
    sink.emit(decision(**{**QUIET, "state": "gap", "level_db": None, "dropped_samples": 512}))
    assert screen.text().splitlines() == [
        "warning: it clips",
        "  0:58.0  happy      begins",
        "  1:01.5  happy      ends after 3.5 s, 62 % on average, 81 % at most",
        "  0:02.0  gap        512 samples dropped",
    ]


@pytest.mark.parametrize("kind", [TerminalSink, JsonLinesSink])
def test_events_are_not_written_beside_decisions(kind: type) -> None:
    stream = io.StringIO()
    kind(stream).event(event())
    assert stream.getvalue() == ""


def test_status_is_a_line_where_nothing_else_shows_it() -> None:
    for shows in (True, False):
        screen = Screen(is_terminal=False)
        status = Status("lost", "the microphone \x1b[2J went away")
        TerminalSink(screen, {}, shows_warnings=shows).status(status)
        assert screen.text() == ("the microphone \\x1b[2J went away\n" if shows else "")
