"""One line a decision, for a person."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TextIO

from edge.errors import how_many, printable
from edge.sinks.base import SinkBase
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.stream.decision import GAP, NO_SPEECH, QUIET, UNCERTAIN, Decision
from edge.stream.events import Event
from edge.stream.label_colours import colour_places
from edge.stream.records import time_of_day
from edge.stream.status import Status

__all__ = ["TerminalSink", "make"]

_BAR_CELLS = 24
_FULL = "█"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
#: Of the sixteen colours every terminal has, so that its own theme keeps them readable.
_COLOURS = tuple(f"\x1b[{code}m" for code in (37, 36, 33, 34, 31, 35, 32, 93, 91, 92, 94, 95, 96))
#: Labels that have one of their own, its place.
_OWN = {
    label: place
    for place, label in enumerate(
        ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    )
}
#: Columns of a label: as wide as the longest of the model, within these.
_NARROWEST_LABEL, _WIDEST_LABEL = 10, 24
#: The reference for the voice acts.
_VOICE = "  ref"
#: What is said where there is no label.
_WORDS = {QUIET: "too quiet", NO_SPEECH: "nobody speaks", UNCERTAIN: "unsure"}


class TerminalSink(SinkBase):
    """Write time, emotion, its probability, activation (0 calm to 1 aroused), level and latency.

    Parameters
    ----------
    stream : text file
        Colours are used when it is a terminal and ``NO_COLOR`` is not set, block
        characters when its encoding has them.
    environment : mapping, optional
        For ``NO_COLOR`` (https://no-color.org) and ``TERM``; None: the process's.
    shows_warnings : bool
        Whether to write warnings among the decisions.
    events : bool
        Whether to write beginnings and endings in place of decisions.
    time_of_day : bool
        Whether a line begins with the time of day, where it is known, in place of minutes and
        seconds from the start.
    labels : sequence of str
        Those of the model; a label that is not among them is written without colour, or, where
        none are given, those of the first posterior are taken.

    Notes
    -----
    Where there is no label a line says in words why: "too quiet", "nobody speaks", or "unsure" and
    what it leans to.  A line ends in "ref" once the reference for the voice acts.
    """

    def __init__(
        self,
        stream: TextIO,
        environment: Mapping[str, str] | None = None,
        *,
        shows_warnings: bool = True,
        events: bool = False,
        time_of_day: bool = False,
        labels: Sequence[str] = (),
    ) -> None:
        environment = os.environ if environment is None else environment
        self._stream = stream
        self._has_colour = (
            stream.isatty()
            and not environment.get("NO_COLOR")
            and environment.get("TERM", "") != "dumb"
        )
        self._has_blocks = _can_encode(stream, _FULL + "".join(_EIGHTHS))
        self._has_header = False
        self._shows_warnings = shows_warnings
        self._events = events
        self._time_of_day = time_of_day
        self._know(labels)

    def emit(self, decision: Decision) -> None:
        """Write a decision, or a gap; where events are written, a gap alone."""
        if not self._colours and decision.posterior is not None:
            self._know(tuple(decision.posterior))
        if not self._events or decision.state == GAP:
            self._begin()
            self._stream.write(self._line(decision) + "\n")
        if decision.warning is not None:
            self.warn(decision.warning)
        self._stream.flush()

    def event(self, event: Event) -> None:
        """Write a beginning or an ending, where events are wanted."""
        if self._events:
            time = self._time(event.start_s if event.end_s is None else event.end_s, event.time_s)
            label = self._label(event.label)
            what = "begins"
            if event.end_s is not None:
                what = (
                    f"ends after {event.end_s - event.start_s:.1f} s, "
                    f"{100 * event.mean_probability:.0f} % on average, "
                    f"{100 * event.peak:.0f} % at most"
                )
            self._stream.write(f"{time}  {label} {what}\n")
            self._stream.flush()

    def status(self, status: Status) -> None:
        """Write what the source has to say of itself, where nothing else shows it."""
        if self._shows_warnings:
            self._stream.write(self._paint(printable(status.sentence), _DIM) + "\n")
            self._stream.flush()

    def _know(self, labels: Sequence[str]) -> None:
        """Choose colours for a model's labels, and how wide their column is."""
        places = colour_places(labels, _OWN, len(_COLOURS))
        self._colours = {label: _COLOURS[place] for label, place in places.items()}
        longest = max((len(printable(label)) for label in labels), default=0)
        self._width = min(max(longest, _NARROWEST_LABEL), _WIDEST_LABEL)

    def _label(self, label: str) -> str:
        return self._paint(
            f"{printable(label):<{self._width}}", _BOLD + self._colours.get(label, "")
        )

    def _begin(self) -> None:
        if not self._has_header and not self._events:
            self._has_header = True
            header = (
                f"{'time':>8}  {'emotion':<{self._width}} {'probability':<{_BAR_CELLS + 6}} "
                f"{'active':>6} {'level':>9} {'latency':>10}"
            )
            self._stream.write(self._paint(header, _DIM) + "\n")

    def warn(self, sentence: str) -> None:
        """Write a warning."""
        if self._shows_warnings:
            self._stream.write(self._paint(f"warning: {printable(sentence)}", _DIM) + "\n")
            self._stream.flush()

    def _time(self, at_s: float, time_s: float | None) -> str:
        if self._time_of_day and time_s is not None:
            return time_of_day(time_s)[11:19]
        minutes, tenths = divmod(round(10 * at_s), 600)
        return f"{minutes}:{tenths / 10:04.1f}".rjust(8)

    def _line(self, decision: Decision) -> str:
        time = self._time(decision.end_s, decision.time_s)
        if decision.level_db is None:
            lost = f"{how_many(decision.dropped_samples, 'sample')} dropped"
            return self._paint(f"{time}  {decision.state:<{self._width}} {lost}", _DIM)
        active = "" if decision.activation is None else f"{decision.activation:.2f}"
        latency = f"{decision.timing.latency_ms:7.1f} ms"
        numbers = f"{active:>6} {decision.level_db:6.1f} dB {latency}"
        if decision.reference_s:
            numbers += _VOICE
        name = decision.label
        if name is None or decision.posterior is None:
            words = f"{self._word(decision):<{self._width + 1 + _BAR_CELLS + 6}}"
            return self._paint(f"{time}  {words} {numbers}", _DIM)
        probability = decision.posterior[name]
        bar = self._paint(self._bar(probability), self._colours.get(name, ""))
        return f"{time}  {self._label(name)} {bar} {100 * probability:3.0f} % {numbers}"

    def _word(self, decision: Decision) -> str:
        """Why there is no label, and what it would have been where one was nearly probable."""
        word: str = _WORDS.get(decision.state, decision.state)
        if decision.posterior is None:
            return word
        name, probability = max(decision.posterior.items(), key=lambda pair: pair[1])
        return f"{word:<{self._width}} perhaps {printable(name)}, {100 * probability:.0f} %"

    def _bar(self, share: float) -> str:
        if not self._has_blocks:
            n_full = round(share * _BAR_CELLS)
            return "#" * n_full + "." * (_BAR_CELLS - n_full)
        n_full, n_eighths = divmod(round(share * _BAR_CELLS * 8), 8)
        return (_FULL * n_full + _EIGHTHS[n_eighths]).ljust(_BAR_CELLS)

    def _paint(self, text: str, codes: str) -> str:
        return f"{codes}{text}{_RESET}" if self._has_colour and codes else text


def _can_encode(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def make(_target: Target, settings: SinkSettings) -> TerminalSink:
    """Make one for the registry."""
    return TerminalSink(
        settings.stream,
        shows_warnings=settings.shows_warnings,
        events=settings.events,
        time_of_day=settings.time_of_day,
        labels=settings.labels,
    )
