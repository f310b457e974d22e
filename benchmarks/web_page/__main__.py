"""Measure what readers of the page, some of them standing still, do to who decides.

    python -m benchmarks.web_page [--clients 200] [--stalled 20] [--minutes 10] [--output FILE]

A thread speaks the bundled dialogue at the pace of sound into the microphone's own buffer of 3 s,
and the pipeline decides: half of the time without a page, then with the page and its readers, which
are a process of their own, then the other half without. Wanted are no sample lost, a p99 latency at
most 5 ms above the one without, and memory back to where it was. The page's last minutes are filled
and as many readers come and go before it is weighed, so that neither what the page shows nor what
Python keeps for the next ones is growth; "cold" is without both. Who measures keeps the latencies
alone. "blocks" are what Python holds, of whatever size: more of them afterwards were not let go.
Who decides has real-time priority where that is allowed, with and without the page, so that what
else the machine does is no part of the difference; the readers have none. It takes twice the
minutes.
"""

from __future__ import annotations

import argparse
import array
import dataclasses
import gc
import io
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from benchmarks.stream.endurance import resident_kb
from benchmarks.stream.overload import Spoken
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from edge.pipeline import run_pipeline
from edge.sinks.base import SinkBase
from edge.sinks.queued import QueuedSink
from edge.sinks.registry import SinkSettings
from edge.sinks.web.settings import WebSettings
from edge.sinks.web.sink import WebSink
from edge.stream.decision import GAP, Decision
from edge.stream.loading import load

MEASURED_FILES = ["edge", "benchmarks/web_page"]
MOST_LATER_MS, MOST_GROWTH_MB = 5.0, 1.0
#: Decisions that the page shows and remembers, and half as many again.
N_FULL = 3_600
#: Of sound before the readers come, and behind their going.
SETTLE_S = 10.0

Floats = NDArray[np.float32]


class Latencies(SinkBase):
    """Keeps how late each decision was, and nothing else: decisions would be a megabyte of ours."""

    def __init__(self) -> None:
        self.all_ms = array.array("d")

    def emit(self, decision: Decision) -> None:
        """Note a decision."""
        if decision.state != GAP:
            self.all_ms.append(decision.timing.latency_ms)


class Readers:
    """Lets the readers come and go while the pipeline runs, and weighs the process."""

    def __init__(
        self,
        page: WebSink,
        args: argparse.Namespace,
        duration_s: float,
        decisions: Sequence[Decision],
    ) -> None:
        self._page, self._args, self._duration_s = page, args, duration_s
        self._decisions = decisions
        self.seen: dict[str, Any] = {}
        self.resident_mb: dict[str, float] = {}
        self.blocks: dict[str, int] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _weigh(self, when: str) -> None:
        gc.collect()
        self.resident_mb[when] = round(resident_kb() * 1.024 / 1000, 1)
        self.blocks[when] = sys.getallocatedblocks()

    def _run(self) -> None:
        time.sleep(SETTLE_S / 2)
        self._weigh("cold")
        for decision in itertools.islice(itertools.cycle(self._decisions), N_FULL):
            self._page.emit(decision)
        self._come_and_go(SETTLE_S / 2)
        self._weigh("before")
        self.seen = self._come_and_go(self._duration_s)
        self._weigh("after")

    def _come_and_go(self, duration_s: float) -> dict[str, Any]:
        numbers = (self._page.port, self._args.clients, self._args.stalled)
        readers = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.web_page.clients", *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(duration_s)
        self._weigh("with_readers")
        out, _ = readers.communicate("", timeout=60)
        time.sleep(SETTLE_S / 2)
        found: dict[str, Any] = json.loads(out)
        return found


def listen(samples: Floats, duration_s: float, sinks: list[SinkBase]) -> dict[str, Any]:
    """Decide on speech for so long; gives counts and all latencies."""
    classifier = load(backend="numpy")
    kept, rate = Latencies(), classifier.spec.sample_rate
    source = Spoken(samples, rate, duration_s, True)
    summary = run_pipeline(source, classifier.stream(), [kept, *sinks])
    return {
        "captured_samples": source.n_captured,
        "lost_samples": source.n_captured - round(summary.audio_s * rate),
        "decisions": len(kept.all_ms),
        "skipped_hops": summary.skipped_hops,
        # The last one is on the rest, when nothing more comes.
        "latencies_ms": kept.all_ms[:-1].tolist(),
    }


def quantiles(latencies_ms: list[float]) -> dict[str, float]:
    """Half, most and nearly all."""
    found = np.percentile(latencies_ms or [0.0], (50, 95, 99)).round(2).tolist()
    return dict(zip(("p50_ms", "p95_ms", "p99_ms"), found, strict=True))


def take_priority() -> str:
    """Go before everything else, where that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (AttributeError, OSError):
        return "usual"
    return "real-time"


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Listen without, with, and without."""
    clip, clip_rate = read_audio(DEMO_CLIP)
    classifier = load(backend="numpy")
    samples = resample(clip, clip_rate, classifier.spec.sample_rate)
    duration_s = 60 * args.minutes
    first = listen(samples, duration_s / 2, [])
    said: list[str] = []
    settings = SinkSettings(io.StringIO(), labels=classifier.labels, warn=said.append)
    page = WebSink(WebSettings("127.0.0.1", 0), settings)
    queued = QueuedSink(page, "web", warn=said.append)
    shown = [
        dataclasses.replace(each, time_s=time.time())
        for each in classifier.classify(samples, classifier.spec.sample_rate)
    ]
    readers = Readers(page, args, duration_s, shown)
    readers.thread.start()
    with_page = listen(samples, duration_s + 3 * SETTLE_S, [queued])
    readers.thread.join(30)
    second = listen(samples, duration_s / 2, [])
    without = {
        name: first[name] + second[name]
        for name in ("captured_samples", "lost_samples", "decisions", "skipped_hops")
    }
    without |= quantiles(first["latencies_ms"] + second["latencies_ms"])
    with_page |= quantiles(with_page.pop("latencies_ms"))
    resident = readers.resident_mb
    later_ms = round(with_page["p99_ms"] - without["p99_ms"], 2)
    growth_mb = round(resident["after"] - resident["before"], 1)
    return {
        "benchmark": "a page with many readers",
        "command": f"python -m benchmarks.web_page --clients {args.clients} --stalled "
        f"{args.stalled} --minutes {args.minutes:g}",
        **git_state(*MEASURED_FILES),
        "machine": describe_machine(),
        "priority": args.priority,
        "load_average": [round(load_, 2) for load_ in os.getloadavg()],
        "without": without,
        "with": with_page,
        "readers": readers.seen,
        "resident_mb": resident,
        "blocks": readers.blocks,
        "sink_dropped": queued.n_dropped,
        "said": said,
        "p99_later_ms": later_ms,
        "growth_mb": growth_mb,
        "bar": "no sample lost, p99 at most 5 ms later, memory within 1 MB of before",
        "met": with_page["lost_samples"] == 0
        and later_ms <= MOST_LATER_MS
        and growth_mb <= MOST_GROWTH_MB,
    }


def main() -> int:
    """Measure and print; 1 where the bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--clients", type=int, default=200, help="readers in all")
    parser.add_argument("--stalled", type=int, default=20, help="how many of them read nothing")
    parser.add_argument("--minutes", type=float, default=10.0, help="with readers")
    parser.add_argument("--output", metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    args.priority = take_priority()
    result = measure(args)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
