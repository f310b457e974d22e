"""A history as a table, as CSV and as JSON; docs/history.md says what the keys mean."""

from __future__ import annotations

import csv
import datetime
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TextIO

from edge.errors import printable
from edge.history.records import By, HistoryEvent, Period
from edge.stream.records import VERSION, time_of_day

__all__ = ["Form", "event_record", "period_record", "write_events", "write_periods"]

Form = Literal["table", "csv", "json"]

_LABELS = "labels"
#: Those of the records below but the labels, of which there is a column each.
_PERIOD_COLUMNS = (
    "version", "type", "by", "start", "end", "heard_s", "speech_s", "uncertain_s", "no_speech_s",
    "quiet_s", "gap_s", "activation", "probability", "level_db", "peak_db", "dropped_samples",
    "skipped_hops", "n_decisions",
)  # fmt: skip
_EVENT_COLUMNS = (
    "version", "type", "label", "start", "end", "duration_s", "peak", "mean_probability", "run",
)  # fmt: skip


def write_periods(periods: Sequence[Period], by: By, form: Form, stream: TextIO) -> int:
    """Write periods; gives how many there were."""
    totals: dict[str, float] = {}
    for period in periods:
        for label, label_s in period.labels.items():
            totals[label] = totals.get(label, 0.0) + label_s
    # The most common first.
    labels = sorted(totals, key=lambda label: (-totals[label], label))
    records = (period_record(period, by) for period in periods)
    if form == "json":
        _write_json(records, stream)
    elif form == "csv":
        _write_csv([_flat(record, labels) for record in records], _PERIOD_COLUMNS, stream)
    elif periods:
        columns = ("heard", "speech", "lost", "activation", "probability", "level", "peak")
        header = [by, *columns, *map(printable, labels)]
        _write_table(header, [_line(period, by, labels) for period in periods], stream)
    return len(periods)


def write_events(events: Sequence[HistoryEvent], form: Form, stream: TextIO) -> int:
    """Write events; gives how many there were."""
    records = map(event_record, events)
    if form == "json":
        _write_json(records, stream)
    elif form == "csv":
        _write_csv(list(records), _EVENT_COLUMNS, stream)
    elif events:
        header = ["start", "label", "duration", "peak", "probability"]
        lines = [
            [
                _moment(event.start_s, "%Y-%m-%d %H:%M:%S"),
                printable(event.label),
                "?" if event.duration_s is None else f"{event.duration_s:.1f} s",
                _percent(event.peak),
                _percent(event.mean_probability),
            ]
            for event in events
        ]
        _write_table(header, lines, stream)
    return len(events)


def period_record(period: Period, by: By) -> dict[str, Any]:
    """Plain JSON types in a stable order: the record "history" of docs/history.md."""
    return {
        "version": VERSION,
        "type": "history",
        "by": by,
        "start": time_of_day(period.start_s),
        "end": time_of_day(period.end_s),
        "heard_s": round(period.heard_s, 3),
        "speech_s": round(period.speech_s, 3),
        "uncertain_s": round(period.uncertain_s, 3),
        "no_speech_s": round(period.no_speech_s, 3),
        "quiet_s": round(period.quiet_s, 3),
        "gap_s": round(period.gap_s, 3),
        "activation": period.activation,
        "probability": period.probability,
        "level_db": period.level_db,
        "peak_db": period.peak_db,
        "dropped_samples": period.dropped_samples,
        "skipped_hops": period.skipped_hops,
        "n_decisions": period.n_decisions,
        _LABELS: {label: round(label_s, 3) for label, label_s in period.labels.items()},
    }


def event_record(event: HistoryEvent) -> dict[str, Any]:
    """Plain JSON types in a stable order: the record "history_event" of docs/history.md."""
    return {
        "version": VERSION,
        "type": "history_event",
        "label": event.label,
        "start": time_of_day(event.start_s),
        "end": None if event.end_s is None else time_of_day(event.end_s),
        "duration_s": event.duration_s,
        "peak": round(event.peak, 4),
        "mean_probability": round(event.mean_probability, 4),
        "run": event.run,
    }


def _flat(record: dict[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    """One column a label: behind a full stop, so that none is taken for another column."""
    said = record.pop(_LABELS)
    return {**record, **{f"label_s.{label}": said.get(label, 0.0) for label in labels}}


def _write_json(records: Iterable[dict[str, Any]], stream: TextIO) -> None:
    for record in records:
        stream.write(json.dumps(record, allow_nan=False) + "\n")


def _write_csv(records: Sequence[dict[str, Any]], columns: Sequence[str], stream: TextIO) -> None:
    """Write records below a header, which is there without any as well: ``columns`` then."""
    writer = csv.DictWriter(stream, [*records[0]] if records else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


def _line(period: Period, by: By, labels: Sequence[str]) -> list[str]:
    shares = period.shares
    return [
        _start(period.start_s, by),
        _span(period.heard_s),
        _span(period.speech_s + period.uncertain_s),
        _span(period.gap_s) if period.gap_s else "-",
        "-" if period.activation is None else f"{period.activation:.2f}",
        "-" if period.probability is None else _percent(period.probability),
        "-" if period.level_db is None else f"{period.level_db:.1f}",
        "-" if period.peak_db is None else f"{period.peak_db:.1f}",
        *(_percent(shares[label]) if label in shares else "-" for label in labels),
    ]


def _start(time_s: float, by: By) -> str:
    if by in {"day", "week"}:
        return _moment(time_s, "%Y-%m-%d %a")
    # An hour that comes twice has another offset the second time.
    return _moment(time_s, "%Y-%m-%d %H:%M%z")


def _moment(time_s: float, form: str) -> str:
    return datetime.datetime.fromtimestamp(time_s).astimezone().strftime(form)


def _span(span_s: float) -> str:
    minutes, seconds = divmod(round(span_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _write_table(header: list[str], lines: list[list[str]], stream: TextIO) -> None:
    widths = [max(map(_width, column)) for column in zip(header, *lines, strict=True)]
    for line in (header, *lines):
        padding = [" " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
        first, *others = zip(line, padding, strict=True)
        cells = ["".join(first), *(blanks + cell for cell, blanks in others)]
        stream.write("  ".join(cells).rstrip() + "\n")


def _width(text: str) -> int:
    """Columns of a terminal: letters of East Asia take two."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
