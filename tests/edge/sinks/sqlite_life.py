"""A sink of a history, its clocks, and what it hears."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.sqlite import SqliteSink
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, State

DAY = 1_795_046_400

HAPPY = {"happy": 0.75, "sad": 0.25}


class Life:
    """A sink, its clocks, and a stream of decisions of half a second."""

    def __init__(self, path: Path, *, keep: str = "90d", size: str = "100M", **more: Any) -> None:
        self.path, self.wall_s, self.steady_s, self.stream_s = path, float(DAY), 0.0, 0.0
        self.late_s = 0.0
        self.said: list[str] = []
        settings = SinkSettings(sys.stdout, now=lambda: self.wall_s, warn=self.said.append, **more)
        made = make_sink(target_from_text(f"sqlite:{path}?keep={keep}&size={size}"), settings)
        assert isinstance(made, SqliteSink)
        self.sink = made
        made._steady = made._writer._tidier._steady = lambda: self.steady_s
        made.open()
        connection = made._writer._connection
        # What a disk takes to be sure is the same for every test, and long.
        if connection is not None:
            connection.execute("PRAGMA synchronous=OFF")

    def go(self, s: float) -> None:
        self.wall_s += s
        self.steady_s += s
        self.stream_s += s

    def hear(
        self, duration_s: float, state: State = "quiet", hop_s: float = 0.5, **more: Any
    ) -> None:
        for _ in range(round(duration_s / hop_s)):
            self.go(hop_s)
            start_s = max(0.0, self.stream_s - max(hop_s, 1.0))
            if hop_s == 60.0 and self.stream_s // 60 % (10 if duration_s < 20_000 else 200):
                # Hours and days are written in larger pieces.
                self.steady_s -= hop_s
                self.late_s += hop_s
            else:
                self.steady_s += self.late_s
                self.late_s = 0.0
            label = "happy" if state == "speech" else None
            posterior = HAPPY if state in {"speech", "uncertain"} else None
            values: dict[str, Any] = {"time_s": self.wall_s, **more}
            self.sink.emit(
                Decision(start_s, self.stream_s, state, label, posterior, label, -40.0, **values)
            )

    def lose(self, duration_s: float) -> None:
        self.go(duration_s)
        gap = Decision.of_gap(self.stream_s - duration_s, self.stream_s, 16_000, "lost")
        object.__setattr__(gap, "time_s", self.wall_s)
        self.sink.emit(gap)


def whole(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
