"""What the real ``listen`` costs while it listens: a share of a core, wake-ups, memory.

It runs as a child of its own, over the microphone or over a file at the pace of speech, and is
watched from outside through ``/proc``, so that the watching is not counted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

import numpy as np

import edge
from edge.benchmark.pace import FixedWork
from edge.benchmark.timings import timings
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError, ParameterError
from edge.machine.process import ProcessUse, read_process
from edge.machine.system import System

__all__ = ["LEAST_S", "LIVE_S", "Listened", "listen_live"]

#: Seconds that are watched, unless said otherwise.
LIVE_S = 30.0
#: Shorter, the processor time of a good board is a handful of the kernel's steps.
LEAST_S = 1.0
_N_SLICES = 10
# Loading, a first decision, and what comes after it for once.
_START_LIMIT_S = 60.0
_SETTLE_S = 1.0
#: How much longer a file is than what is watched.
_SPARE_S = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class Listened:
    """What a child listens to.

    Parameters
    ----------
    words : tuple of str
        Options of ``listen`` that say so.
    name : str
        For a person.
    reason : str or None
        Why it is not the microphone, where that was wanted.
    """

    words: tuple[str, ...]
    name: str
    reason: str | None = None


def listen_live(
    artifact: Path,
    backend: str,
    system: System,
    *,
    duration_s: float = LIVE_S,
    source: str | None = None,
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run ``edge-ser listen`` for a while and watch it.

    Parameters
    ----------
    artifact : Path
        Its folder.
    backend : str
    system : System
        Whose ``/proc`` is read.
    duration_s : float
        Seconds that are watched; the start, up to a second after the first decision, is not.
    source : str, optional
        ``"mic"``, ``"demo"`` or an audio file.  None: the microphone, or the bundled clip where
        that cannot be opened.
    environ : mapping of str to str, optional
        Of the child; None: ours.

    Returns
    -------
    dict
        Plain JSON types, the block ``live`` of docs/benchmark.md.

    Raises
    ------
    ParameterError
        If the duration is too short or the file cannot be read.
    EdgeSerError
        If ``listen`` ends, or does not decide at all.
    """
    if not duration_s >= LEAST_S:
        raise ParameterError(
            f"live listening is watched for {duration_s:g} s, {LEAST_S:g} s or more is wanted"
        )
    if read_process(system, os.getpid()) is None:
        raise EdgeSerError(
            "live listening is watched through /proc, which is not there: run it on Linux, or "
            "leave --live out"
        )
    # What this person has configured for every day, sinks and all, would be another measurement.
    words = ["--config", os.devnull, "--artifact", str(artifact), "--backend", backend]
    environ = dict(os.environ if environ is None else environ)
    environ.pop("NOTIFY_SOCKET", None)
    reason = None
    if source in {None, "mic"}:
        listened = Listened(("--source", "mic", "--give-up-after", "5"), "microphone")
        try:
            return _watch(listened, words, system, duration_s, environ)
        except EdgeSerError as error:
            if source == "mic":
                raise
            reason = str(error)
    with tempfile.TemporaryDirectory(prefix="edge-ser-live-") as folder:
        joined = Path(folder) / "joined.wav"
        place = Path(source) if source and source != "demo" else DEMO_CLIP
        _join(place, joined, duration_s + _SPARE_S)
        told = "bundled dialogue" if place == DEMO_CLIP else place.name
        listened = Listened(("--source", str(joined)), f"{told}, at the pace of speech", reason)
        return _watch(listened, words, system, duration_s, environ)


def _join(place: Path, target: Path, least_s: float) -> None:
    """Write a file over and over into one that is long enough."""
    from edge.audio.file import read_audio, write_wav

    samples, sample_rate = read_audio(place)
    if not samples.size:
        raise ParameterError(f"{place} is empty, a clip to listen to is wanted")
    n_times = int(np.ceil(least_s * sample_rate / samples.size))
    write_wav(target, np.tile(samples, n_times), sample_rate)


def _watch(
    listened: Listened, words: list[str], system: System, duration_s: float, environ: dict[str, str]
) -> dict[str, Any]:
    with _Child([*listened.words, *words], environ) as child:
        child.first_decision()
        time.sleep(_SETTLE_S)
        records_before = len(child.records)
        work, paces_ms = FixedWork(), list[float]()
        uses, times_s = [_use(system, child)], [time.perf_counter()]
        for i in range(1, _N_SLICES + 1):
            due_s = times_s[0] + i * duration_s / _N_SLICES
            time.sleep(max(0.0, due_s - time.perf_counter()))
            uses.append(_use(system, child))
            times_s.append(time.perf_counter())
            paces_ms.append(round(work.moment_ms(), 4))
        records = child.records[records_before:]
    elapsed_s = times_s[-1] - times_s[0]
    decisions = [record for record in records if record["type"] == "decision"]
    voluntary, involuntary = uses[-1].switches(uses[0])
    pairs = list(zip(uses, uses[1:], np.diff(times_s), strict=False))
    latencies_ms = [record["latency_ms"] for record in decisions]
    return {
        "source": listened.name,
        "source_reason": listened.reason,
        "duration_s": round(elapsed_s, 3),
        "core_share": _rounded(uses[-1].used_s(uses[0]) / elapsed_s),
        "wakeups_per_s": round(voluntary / elapsed_s, 2),
        "involuntary_per_s": round(involuntary / elapsed_s, 2),
        "slices": {
            "duration_s": round(duration_s / _N_SLICES, 3),
            "core_share": [_rounded(b.used_s(a) / each_s) for a, b, each_s in pairs],
            "wakeups_per_s": [round(b.switches(a)[0] / each_s, 2) for a, b, each_s in pairs],
            "pace_ms": paces_ms,
        },
        "threads": len(uses[-1].voluntary),
        "rss_mb": round(uses[-1].rss_mb, 1),
        "peak_rss_mb": round(uses[-1].peak_rss_mb, 1),
        "decisions": len(decisions),
        "states": dict(Counter(record["state"] for record in decisions)),
        "skipped_hops": sum(record.get("skipped_hops") or 0 for record in records),
        "dropped_samples": sum(record.get("dropped_samples") or 0 for record in records),
        "latency_ms": timings(latencies_ms) if latencies_ms else None,
    }


def _rounded(share: float) -> float:
    return round(float(share), 6)


def _use(system: System, child: _Child) -> ProcessUse:
    use = read_process(system, child.pid)
    if use is None:
        raise EdgeSerError(f"`edge-ser listen` ended while it was watched: {child.last_words()}")
    return use


class _Child:
    """``listen``, whose records are read as they come."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        if getattr(sys, "frozen", False):
            command = [sys.executable]
        else:
            command = [sys.executable, "-m", "edge.cli.main"]
            ours = str(Path(edge.__file__).resolve().parent.parent)
            paths = filter(None, [ours, environ.get("PYTHONPATH")])
            environ = {**environ, "PYTHONPATH": os.pathsep.join(paths)}
        self._process = subprocess.Popen(
            [*command, "listen", "--json", *words],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace",
        )  # fmt: skip
        self.pid = self._process.pid
        self.records: list[dict[str, Any]] = []
        self._said: list[str] = []
        self._came: queue.Queue[bool] = queue.Queue()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._threads = [
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._hear, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, lines: TextIO) -> None:
        is_first = True
        for line in lines:
            with contextlib.suppress(ValueError):
                self.records.append(json.loads(line))
                if is_first and self.records[-1].get("type") == "decision":
                    is_first = False
                    self._came.put(True)
        self._came.put(False)

    def _hear(self, lines: TextIO) -> None:
        self._said.extend(lines)

    def first_decision(self) -> None:
        """Wait for it."""
        with contextlib.suppress(queue.Empty):
            if self._came.get(timeout=_START_LIMIT_S):
                return
            self._process.wait(timeout=_START_LIMIT_S)
            self._threads[1].join(timeout=1.0)
            raise EdgeSerError(f"`edge-ser listen` does not listen: {self.last_words()}")
        raise EdgeSerError(
            f"`edge-ser listen` made no decision within {_START_LIMIT_S:.0f} s: {self.last_words()}"
        )

    def last_words(self) -> str:
        """What it said last."""
        lines = [line.strip() for line in self._said if line.strip()]
        return lines[-1].removeprefix("edge-ser: error: ") if lines else "it said nothing"

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._process.terminate, self._process.kill):
            if self._process.poll() is None:
                end()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=5.0)
        for thread in self._threads:
            thread.join(timeout=5.0)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
