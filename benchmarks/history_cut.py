"""A history that is cut by ``kill -9`` at random moments, and what a day of it writes.

    python -m benchmarks.history_cut --output benchmarks/results/history_cut.json

A child tells the sink decisions as fast as it takes them, half a second of its clock each, so
that it spends its time in writing; it says how many it told.  After each cut the file must open,
be whole and hold all but the last minute of what was told.  Three of four cuts go on with the file
of the one before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.git_state import git_state
from edge.history import open_history
from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.sqlite import SqliteSink
from edge.stream.decision import Decision, State
from quantize.basics.files import write_json

_HOP_S = 0.5
_START_S = 1_800_000_000
#: Between two cuts: none is heard in the minutes of another.
_APART_S = 120_000
_LABELS = ("angry", "calm", "happy", "neutral", "sad")


def main(argv: Sequence[str] | None = None) -> int:
    """Cut, look, and measure a day; 1 when anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=200, help="(default: 200)")
    parser.add_argument("--hours", type=float, default=24.0, help="of the day (default: 24)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        cuts = _cuts(Path(name), arguments.cuts, random.Random(0))
        day = _day(Path(name) / "day.db", arguments.hours)
    result = {**git_state("edge", "benchmarks/history_cut.py"), "cuts": cuts, "day": day}
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_json(arguments.output, result)
    return int(bool(cuts["wrong"]))


def _cuts(folder: Path, n_cuts: int, chance: random.Random) -> dict[str, Any]:
    wrong: list[str] = []
    lost_s: list[float] = []
    n_in_log = n_after_writing = 0
    path = folder / "0.db"
    for cut in range(n_cuts):
        if cut % 4 == 0:
            path = folder / f"{cut}.db"
        start_s = _START_S + cut * _APART_S
        told_s = _HOP_S * _cut_one(path, start_s, chance.uniform(0.0, 1.2))
        n_after_writing += told_s >= 30
        log = Path(f"{path}-wal")
        n_in_log += log.exists() and log.stat().st_size > 0
        if not path.exists() or not path.stat().st_size:
            # Before there was a file: nothing but the last minute was lost.
            lost_s.append(told_s)
        else:
            heard_s, said = _look(path, start_s)
            wrong += [f"cut {cut}: {each}" for each in said]
            lost_s.append(max(0.0, told_s - heard_s))
            if heard_s > told_s + 2 * _HOP_S:
                wrong.append(f"cut {cut}: {heard_s} s of {told_s} s are there")
        if lost_s[-1] > 60:
            wrong.append(f"cut {cut}: {lost_s[-1]} s were lost")
    return {
        "trials": n_cuts,
        "wrong": wrong,
        "lost_s_most": max(lost_s),
        "lost_s_mean": round(sum(lost_s) / len(lost_s), 2),
        "after_writing": n_after_writing,
        "with_a_log_to_recover": n_in_log,
    }


def _cut_one(path: Path, start_s: float, after_s: float) -> int:
    """Begin a child and kill it; gives how many decisions the sink took for sure."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        with contextlib.suppress(BaseException):
            _tell(path, start_s, writer)
        os._exit(1)
    os.close(writer)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reader, "rb") as told:
        return len(told.read())


def _tell(path: Path, start_s: float, writer: int) -> None:
    sink, steady = _sink(path, start_s)
    sink.open()
    n = 0
    while True:
        n += 1
        steady[0] += _HOP_S
        sink.emit(_decision(n, start_s))
        os.write(writer, b".")


def _sink(path: Path, start_s: float) -> tuple[SqliteSink, list[float]]:
    steady = [0.0]
    settings = SinkSettings(sys.stdout, now=lambda: start_s + steady[0])
    sink = make_sink(f"sqlite:{path}", settings)
    assert isinstance(sink, SqliteSink)
    sink._steady = sink._writer._tidier._steady = lambda: steady[0]
    return sink, steady


def _decision(n: int, start_s: float) -> Decision:
    """Ten minutes of talking in half an hour, in which a label holds for 20 s."""
    end_s = n * _HOP_S
    speaks = end_s % 1_800 < 600
    label = _LABELS[int(end_s / 20) % len(_LABELS)] if speaks else None
    state: State = "speech" if speaks else "quiet"
    posterior = None if label is None else {label: 0.8}
    level_db = -25.0 + n % 7 if speaks else -60.0
    return Decision(
        end_s - _HOP_S,
        end_s,
        state,
        label,
        posterior,
        label,
        level_db,
        activation=0.5 if speaks else None,
        time_s=start_s + end_s,
    )


def _look(path: Path, start_s: float) -> tuple[float, list[str]]:
    """Seconds of a cut that are in the file, and what is wrong with that."""
    said = []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        said.append(f"integrity_check says {found[:3]}")
    try:
        minutes = open_history(path).minutes(start_s, start_s + _APART_S)
    except Exception as error:
        if "nothing was written to it yet" in str(error):
            return 0.0, said
        return 0.0, [*said, f"{error!r}"]
    said += [f"a minute of {m.heard_s} s" for m in minutes[:-1] if abs(m.heard_s - 60) > 1e-6]
    return sum(minute.heard_s for minute in minutes), said


def _day(path: Path, hours: float) -> dict[str, Any]:
    sink, steady = _sink(path, _START_S)
    written, began_s = _written(), time.process_time()
    sink.open()
    for n in range(1, int(hours * 3_600 / _HOP_S) + 1):
        steady[0] += _HOP_S
        sink.emit(_decision(n, _START_S))
    sink.close()
    days = hours / 24
    return {
        "hours": hours,
        "events": len(open_history(path).events(0, _START_S + hours * 3_600)),
        "file_bytes_a_day": round(path.stat().st_size / days),
        "written_bytes_a_day": round((_written() - written) / days),
        "cpu_s_a_day": round((time.process_time() - began_s) / days, 1),
    }


def _written() -> int:
    """Bytes that this process wrote, to the disk's cache."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


if __name__ == "__main__":
    sys.exit(main())
