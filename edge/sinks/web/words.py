"""What the sink was told, made into bytes once, for however many read it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from edge.stream.decision import GAP, Decision
from edge.stream.events import Event
from edge.stream.records import head
from edge.stream.status import Status

__all__ = ["Word", "as_json", "of_decision", "of_event", "of_status", "of_summary", "of_warning"]


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """One record, as it crosses from the sink's thread to those who read.

    Parameters
    ----------
    kind : str
        The record's ``type``.
    record : bytes
        The record of docs/records.md, as JSON in one line.
    row : bytes
        A decision in short, for the last minutes; empty for everything else.
    state : str
        A decision's state; a status's kind.
    sentence : str
        Of a status or a warning.
    latency_ms, level_db, activation : float or None
        Of a decision.
    posterior : mapping of str to float, or None
        Of a decision.
    dropped_samples, skipped_hops : int
        Of a decision or a gap.
    """

    kind: str
    record: bytes
    row: bytes = b""
    state: str = ""
    sentence: str = ""
    latency_ms: float | None = None
    level_db: float | None = None
    activation: float | None = None
    posterior: Mapping[str, float] | None = None
    dropped_samples: int = 0
    skipped_hops: int = 0


def as_json(value: Any) -> bytes:
    """Write plain JSON types as bytes, in one line.

    Raises
    ------
    ValueError
        If there is NaN or infinity, which JSON has no words for.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def of_decision(decision: Decision) -> Word:
    """Make one of a decision or a gap."""
    record = decision.to_dict()
    row: dict[str, Any] = {
        "time": record["time"],
        "end_s": record["end_s"],
        "state": decision.state,
    }
    posterior = record.get("posterior")
    if posterior:
        # What it leans to where it is not sure: the page draws it paler.
        best = decision.label or max(posterior, key=lambda label: posterior[label])
        row |= {"label": best, "probability": posterior[best]}
    else:
        row |= {"label": None, "probability": None}
    row |= {"activation": record.get("activation"), "level_db": record.get("level_db")}
    is_gap = decision.state == GAP
    return Word(
        record["type"],
        as_json(record),
        as_json(row),
        decision.state,
        latency_ms=None if is_gap else decision.timing.latency_ms,
        level_db=decision.level_db,
        activation=decision.activation,
        posterior=posterior,
        dropped_samples=decision.dropped_samples,
        skipped_hops=decision.skipped_hops,
    )


def of_event(event: Event) -> Word:
    """Make one of a beginning or an ending."""
    return Word("event", as_json(event.to_dict()), state=event.event)


def of_status(status: Status) -> Word:
    """Make one of what the source says of itself."""
    return Word("status", as_json(status.to_dict()), state=status.kind, sentence=status.sentence)


def of_warning(sentence: str, time_s: float) -> Word:
    """Make one of a warning."""
    record = {**head("warning", time_s), "warning": sentence}
    return Word("warning", as_json(record), sentence=sentence)


def of_summary(summary: Mapping[str, Any]) -> Word:
    """Make one of what the run came to."""
    return Word("summary", as_json(dict(summary)))
