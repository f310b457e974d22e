"""What the page shows, as it is now: the last decisions, and what went wrong so far."""

from __future__ import annotations

import collections
import glob
import itertools
import math
import time
from collections.abc import Callable
from typing import Any

from edge.sinks.registry import About
from edge.sinks.web.words import Word, as_json
from edge.stream.decision import GAP, NO_SPEECH, QUIET, SPEECH, UNCERTAIN

__all__ = ["LONGEST_RECENT_S", "Board", "read_temperature"]

#: How far back the last minutes go.
LONGEST_RECENT_S = 600.0
#: However short the hops are.
_N_RECENT = 2_400
#: Decisions of which the latency is told.
_N_LATENCIES = 1_024
#: What the source and the run said last.
_N_NOTES = 20
#: No decision for so many hops: nobody listens any more.
N_LATE_HOPS = 10
#: Told of a microphone that came back.
_BACK = "back"
_ZONES = "/sys/class/thermal/thermal_zone*/temp"
_COLDEST, _HOTTEST = -40.0, 150.0


class Board:
    """Remembers what it is told; belongs to the thread that serves.

    Parameters
    ----------
    about : About
        What decides.
    steady : callable
        Seconds of a clock that is never set.
    """

    def __init__(self, about: About, steady: Callable[[], float] = time.monotonic) -> None:
        self._about, self._steady = about, steady
        self.began_s = steady()
        self.latest: Word | None = None
        self.posterior: dict[str, float] = {}
        self.states: collections.Counter[str] = collections.Counter(
            dict.fromkeys((SPEECH, UNCERTAIN, NO_SPEECH, QUIET), 0)
        )
        self.n_gaps = self.n_back = self.n_warnings = 0
        self.dropped_samples = self.skipped_hops = 0
        self.has_ended = False
        self._latest_s: float | None = None
        self._rows: collections.deque[tuple[float, bytes]] = collections.deque(maxlen=_N_RECENT)
        self._latencies: collections.deque[float] = collections.deque(maxlen=_N_LATENCIES)
        self._notes: collections.deque[bytes] = collections.deque(maxlen=_N_NOTES)

    def tell(self, word: Word) -> None:
        """Take in what the sink was told."""
        now_s = self._steady()
        if word.row:
            self._rows.append((now_s, word.row))
            self.dropped_samples += word.dropped_samples
            self.skipped_hops += word.skipped_hops
            if word.state == GAP:
                self.n_gaps += 1
                return
            self.latest, self._latest_s = word, now_s
            self.states[word.state] += 1
            self.posterior = dict(word.posterior or {})
            if word.latency_ms is not None:
                self._latencies.append(word.latency_ms)
        elif word.kind in {"status", "warning"}:
            self._notes.append(word.record)
            self.n_back += word.kind == "status" and word.state == _BACK
            self.n_warnings += word.kind == "warning"
        elif word.kind == "summary":
            self.has_ended = True

    @property
    def age_s(self) -> float | None:
        """Seconds since the last decision; None before the first."""
        return None if self._latest_s is None else self._steady() - self._latest_s

    @property
    def is_late(self) -> bool:
        """Whether decisions stopped coming, or never came."""
        since_s = self.began_s if self._latest_s is None else self._latest_s
        return self._steady() - since_s > N_LATE_HOPS * self._about.hop_s

    @property
    def uptime_s(self) -> float:
        """Seconds since it was begun."""
        return self._steady() - self.began_s

    def now(self) -> bytes:
        """Give the last decision, as JSON."""
        record = b"null" if self.latest is None else self.latest.record
        return b'{"version":1,"age_s":%s,"decision":%s}' % (
            as_json(_rounded(self.age_s, 3)),
            record,
        )

    def recent(self, span_s: float) -> bytes:
        """Give the decisions of the last seconds in short, as JSON, the oldest first."""
        since_s = self._steady() - span_s
        rows = itertools.takewhile(lambda pair: pair[0] >= since_s, reversed(self._rows))
        texts = [text for _, text in rows]
        return b'{"version":1,"hop_s":%s,"decisions":[%s]}' % (
            as_json(self._about.hop_s),
            b",".join(reversed(texts)),
        )

    def health(self) -> dict[str, Any]:
        """Give how it goes, as plain JSON types; ``notes`` is added by :meth:`health_json`."""
        ordered = sorted(self._latencies)
        return {
            "version": 1,
            "ok": not self.is_late,
            "uptime_s": round(self.uptime_s, 1),
            "age_s": _rounded(self.age_s, 3),
            "decisions": self.states.total(),
            "states": dict(self.states),
            "p50_ms": _rounded(_quantile(ordered, 0.50), 3),
            "p95_ms": _rounded(_quantile(ordered, 0.95), 3),
            "gaps": self.n_gaps,
            "dropped_samples": self.dropped_samples,
            "skipped_hops": self.skipped_hops,
            "reconnections": self.n_back,
            "warnings": self.n_warnings,
            "temperature_c": read_temperature(),
        }

    def health_json(self, clients: int, left_out: int) -> bytes:
        """Give how it goes and what was said last, as JSON."""
        health = self.health() | {"clients": clients, "left_out": left_out}
        return as_json(health)[:-1] + b',"notes":[%s]}' % b",".join(self._notes)


def read_temperature(pattern: str = _ZONES) -> float | None:
    """Give the warmest part of the machine in degrees Celsius; None where nothing tells."""
    found = []
    for path in sorted(glob.glob(pattern))[:32]:
        try:
            with open(path, encoding="ascii") as file:
                found.append(int(file.read(16)) / 1000)
        except (OSError, ValueError):
            continue
    found = [each for each in found if _COLDEST < each < _HOTTEST]
    return round(max(found), 1) if found else None


def _quantile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]


def _rounded(value: float | None, n_digits: int) -> float | None:
    return None if value is None else round(value, n_digits)
