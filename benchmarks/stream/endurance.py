"""Let ``listen`` run for a simulated day, and measure what a real one takes to begin and to go on.

    python -m benchmarks.stream.endurance [--decisions 172800] [--starts 5] [--output FILE]

The day is the real command with the real model, fed at full speed by a source of speech, silence,
noise, hum, clicks and a chord, with lost samples and a microphone that goes away, under a clock
that is set forth and back.  It says by how much resident memory grew after the first minute, and
whether every decision and every gap lies where it must, to the sample.  Ten minutes on one core.

The starts are ``listen`` on a pipe, with a clip already in it: from the beginning of the process
to the line "listening to", and to the first decision; and what is resident while it listens.  They
are given real-time priority where that is allowed, so that what else the machine does is no part
of them.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from benchmarks.stream.endurance_starts import MOST_RESIDENT_MB, MOST_START_S, measure_starts
from edge import pipeline
from edge.audio.file import read_audio
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from edge.cli.main import main as edge_ser
from edge.sinks import JsonLinesSink, SinkBase
from edge.sinks.kinds import SINKS, SinkRow
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.sources.base import BLOCK_SAMPLES, Block, Gap, SourceSettings, Status, Stop
from edge.sources.registry import SOURCES, SourceRow
from edge.stream.decision import GAP, Decision
from edge.stream.events import Event

MEASURED_FILES = [
    *("edge", "benchmarks/stream/endurance.py", "benchmarks/stream/endurance_starts.py"),
]
RATE = 16_000
#: A day of decisions every half second.
DAY = 172_800
MOST_GROWTH_MB = 1.0
#: When the wall clock is set, in seconds of the day, and by how much.
SET_CLOCK = ((1800.0, 2.5), (21_600.0, -3600.0), (43_200.0, 7200.0), (64_800.0, -0.25))


class Day:
    """What there is to hear, when it is, and what must come of it."""

    name = "a simulated day"
    waited_s = 0.0

    def __init__(self, n_decisions: int, seed: int = 0) -> None:
        self._n_wanted = n_decisions
        self._rng = np.random.default_rng(seed)
        self._scenes = scenes(self._rng)
        self.began_s = 1_700_000_000.0
        self.n_heard = self.n_lost = 0
        self.n_decisions = 0
        self.gaps: collections.deque[tuple[int, int]] = collections.deque()
        self.resident_kb = np.zeros(1 + n_decisions // 60, dtype=np.int64)
        self.n_minutes = 0

    @property
    def position(self) -> int:
        """Samples that went by."""
        return self.n_heard + self.n_lost

    def steady_s(self) -> float:
        """Seconds that nobody sets."""
        return self.position / RATE

    def wall_s(self) -> float:
        """Unix time, which somebody sets at times."""
        now_s = self.steady_s()
        return self.began_s + now_s + sum(step for at_s, step in SET_CLOCK if at_s <= now_s)

    def since_set(self) -> tuple[float, float]:
        """Seconds since the clock was set last, and by how much."""
        now_s = self.steady_s()
        passed = [(now_s - at_s, step) for at_s, step in SET_CLOCK if at_s <= now_s]
        return passed[-1] if passed else (np.inf, 0.0)

    def blocks(self, stop: Stop) -> Iterator[Block | Gap | Status]:
        """Yield scene after scene until enough was decided."""
        while self.n_decisions < self._n_wanted:
            scene = self._scenes[int(self._rng.integers(len(self._scenes)))]
            start = int(self._rng.integers(0, BLOCK_SAMPLES))
            while start < scene.size and not stop.requested:
                # As a microphone's: not all of one length.
                n = BLOCK_SAMPLES if self._rng.random() < 0.9 else int(self._rng.integers(1, 2000))
                samples = scene[start : start + n]
                start += samples.size
                self.n_heard += samples.size
                self._look()
                yield Block(samples)
            if stop.requested:
                return
            chance = self._rng.random()
            if chance < 0.05:
                yield Status("lost", "the microphone went away")
            if chance < 0.1:
                n = int(self._rng.integers(1, 10 * RATE))
                self.gaps.append((self.position, self.position + n))
                self.n_lost += n
                self._look()
                if chance < 0.05:
                    yield Status("back", f"the microphone is back after {n / RATE:.1f} s", n / RATE)
                yield Gap(n, "the microphone was away")

    def _look(self) -> None:
        if self.steady_s() >= 60 * (self.n_minutes + 1) and self.n_minutes < self.resident_kb.size:
            self.resident_kb[self.n_minutes] = resident_kb()
            self.n_minutes += 1


def scenes(rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Fifteen seconds each: speech at three levels, and what is none."""
    speech, rate = read_audio(DEMO_CLIP)
    assert rate == RATE
    n = speech.size
    t_s = np.arange(n) / RATE
    noise = rng.normal(size=n)
    clicks = np.where(rng.random(n) < 3 / RATE, 0.3, 0.0)
    chord = sum(np.sin(2 * np.pi * f * t_s) for f in (220.0, 277.2, 329.6)) / 3
    made = [speech, 0.3 * speech, 3.0 * speech, speech + 0.01 * noise, 0 * noise, 1e-4 * noise]
    made += [0.02 * noise, 0.02 * np.sin(2 * np.pi * 50 * t_s), clicks, 0.05 * chord]
    return [np.clip(one, -1, 1).astype(np.float32) for one in made]


class Checker(SinkBase):
    """Holds every decision against the day, and writes it as ``--json`` does."""

    def __init__(self, day: Day, settings: SinkSettings) -> None:
        self._day = day
        self._json = [JsonLinesSink(settings.stream, events=events) for events in (False, True)]
        self.states: collections.Counter[str] = collections.Counter()
        self.n_events = 0
        self.faults: list[str] = []
        self.summary_record: dict[str, Any] = {}
        # Of the part since the last gap: where it began, and where the next decision must end.
        self._part = 0
        self._next_end: int | None = None
        self._is_rest = False

    def emit(self, decision: Decision) -> None:
        """Check where it lies and when it was."""
        self.states[decision.state] += 1
        start, end = decision.start_s * RATE, decision.end_s * RATE
        if max(abs(start - round(start)), abs(end - round(end))) > 1e-4:
            self._complain("is no whole number of samples", decision)
        if decision.state == GAP:
            if (round(start), round(end)) != self._day.gaps.popleft():
                self._complain("is no gap of the day", decision)
            self._part, self._next_end, self._is_rest = round(end), None, False
        else:
            self._day.n_decisions += 1
            self._check_end(round(start), round(end), decision)
        self._check_time(decision)
        for sink in self._json:
            sink.emit(decision)

    def _check_end(self, start: int, end: int, decision: Decision) -> None:
        if start < self._part or end > self._day.position or self._is_rest:
            self._complain("straddles a gap", decision)
        wanted = self._next_end or self._part + 60 * 512 + 1024
        if end == wanted:
            self._next_end = end + 16 * 512
        else:
            # What is left before a gap, and the only one such.
            self._is_rest = True

    def _check_time(self, decision: Decision) -> None:
        assert decision.time_s is not None
        off_s = decision.time_s - self._day.wall_s()
        since_s, step_s = self._day.since_set()
        if abs(off_s) > 1e-4 and (since_s > 60 or abs(off_s + step_s) > 1e-4):
            self._complain(f"is off by {off_s:.6f} s of the clock", decision)

    def _complain(self, what: str, decision: Decision) -> None:
        if len(self.faults) < 20:
            self.faults.append(f"{decision!r} {what}")

    def event(self, event: Event) -> None:
        """Write it."""
        self.n_events += event.event == "start"
        for sink in self._json:
            sink.event(event)

    def status(self, status: Status) -> None:
        """Write it."""
        for sink in self._json:
            sink.status(status)

    def warn(self, sentence: str) -> None:
        """A model that failed, a sink or a tap: none of them has a reason to."""
        for sink in self._json:
            sink.warn(sentence)
        if "failed" in sentence and len(self.faults) < 20:
            self.faults.append(sentence)

    def summary(self, summary: Any) -> None:
        """Keep it."""
        self.summary_record = dict(summary)


def resident_kb() -> int:
    """Resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def simulate(n_decisions: int, backend: str, artifact: str | None) -> dict[str, Any]:
    """Run the day in this process."""
    day = Day(n_decisions)
    checkers: list[Checker] = []

    class SimulatedClock(pipeline.WallClock):
        def __init__(self) -> None:
            super().__init__(day.steady_s, day.wall_s, day.steady_s)

    def open_day(_: SourceSettings) -> Day:
        return day

    def make_checker(_target: Target, settings: SinkSettings) -> Checker:
        checkers.append(Checker(day, settings))
        return checkers[-1]

    module = sys.modules[__name__]
    module.open_day, module.make_checker = open_day, make_checker  # type: ignore[attr-defined]
    SOURCES["day"] = SourceRow("day", __name__, "open_day", is_live=True)
    SINKS["jsonl"] = SinkRow(f"{__name__}:make_checker", "jsonl")
    pipeline.WallClock = SimulatedClock  # type: ignore[misc]
    chosen = [] if artifact is None else ["--artifact", artifact]
    began_s, out, err = time.perf_counter(), sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere, tempfile.TemporaryFile("w+") as said:
        sys.stdout, sys.stderr = nowhere, said
        try:
            code = edge_ser(
                ["listen", "--source", "day", "--backend", backend, "--json", "--events", *chosen]
            )
        finally:
            sys.stdout, sys.stderr = out, err
        said.seek(0)
        sentences = said.read().splitlines()
    (checker,) = checkers
    summary = checker.summary_record
    faults = list(checker.faults)
    if code:
        faults.append(f"exit code {code}: {sentences[-1:]}")
    if day.gaps:
        faults.append(f"{len(day.gaps)} gaps were not told")
    audio_s, n_dropped = summary["audio_s"], summary["dropped_samples"]
    if (audio_s, n_dropped) != (round(day.n_heard / RATE, 3), day.n_lost):
        faults.append(f"{day.n_heard} samples heard, {day.n_lost} lost; the summary: {summary}")
    resident = day.resident_kb[: day.n_minutes] / 1000 * 1.024
    growth_mb = float(resident.max() - resident[0])
    return {
        "decisions": day.n_decisions,
        "simulated_hours": round(day.steady_s() / 3600, 3),
        "took_s": round(time.perf_counter() - began_s, 1),
        "states": dict(checker.states),
        "events": checker.n_events,
        "lines_on_stderr": len(sentences),
        "resident_mb": {
            "after_the_first_minute": round(float(resident[0]), 2),
            "hourly": [round(float(value), 2) for value in resident[59::60]],
            "most": round(float(resident.max()), 2),
            "growth": round(growth_mb, 2),
        },
        "summary": summary,
        "faults": faults,
        "met": not faults and growth_mb <= MOST_GROWTH_MB,
    }


def main() -> int:
    """Measure and print; 1 when a figure is beyond its bar."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--decisions", type=int, default=DAY, help="of the day; 0: none")
    parser.add_argument("--starts", type=int, default=5, help="of each backend; 0: none")
    parser.add_argument("--backend", default="numpy", help="of the day")
    parser.add_argument("--artifact", help="of the day; default: the bundled one")
    parser.add_argument("--output", metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "a simulated day of listening, and real starts",
        "command": f"python -m benchmarks.stream.endurance --decisions {args.decisions} "
        f"--starts {args.starts} --backend {args.backend}",
        **git_state(*MEASURED_FILES),
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "bar": {"growth_mb": MOST_GROWTH_MB, "resident_mb": MOST_RESIDENT_MB,
                "start_s": MOST_START_S},
    }  # fmt: skip
    met = True
    if args.starts:
        result["starts"] = measure_starts(args.starts)
        met &= all(row["memory_met"] and row["start_met"] for row in result["starts"].values())
    if args.decisions:
        result["day"] = simulate(args.decisions, args.backend, args.artifact)
        met &= result["day"]["met"]
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
