"""Whether `edge-ser listen` comes back, each time, as it was.

    python -m benchmarks.microphone.outages                      # 50 kills, 10 freezes: 6 minutes
    python -m benchmarks.microphone.outages --kills 2 --freezes 1
    python -m benchmarks.microphone.outages --output benchmarks/results/microphone_outages.json

A PulseAudio server of our own is not there when `edge-ser listen --json` starts, is killed and
started again, and is frozen for five seconds.  Measured is how long after it is back, which is when
`pactl info` answers, the first sound is heard and said to be; whether each outage is one line when
the microphone goes, one when it is back, and one gap; whether the stream's time stays that of the
clock; and the threads, descriptors and memory of the listening process before and after.  Exit 0
when all is as wanted, or when PulseAudio is not installed.

The source is a pipe into which a hum is written at the pace of sound.  A null sink's monitor
(``--source monitor``) renders two seconds ahead when it is made and sends nothing before these are
over, whoever listens, so that no program hears it within the limit.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from benchmarks.microphone.pulse_server import MONITOR, PIPE, PulseServer, missing_programs

LIMIT_S = 2.0
#: Longest wait for a record, over which the run is not as wanted.
PATIENCE_S = 20.0
#: What a process may have grown by after all of it.
GROWTH_MB = 1.0
#: Stream and clock may be apart by so much in the end: a block arrives when it does.
CLOCK_S = 0.1


class Listener:
    """`edge-ser listen --json` in a process of its own, and what it says."""

    def __init__(self, environment: dict[str, str], *options: str) -> None:
        command = [sys.executable, "-m", "edge_ser", "listen", "--device", "pulse", "--json"]
        self.process = subprocess.Popen(
            [*command, *options],
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._records: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self.every: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout,)),
            threading.Thread(target=self._read_notices, args=(self.process.stderr,)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            record = json.loads(line)
            self.every.append(record)
            self._records.put((time.monotonic(), record))

    def _read_notices(self, stream: IO[str]) -> None:
        self.lines += [line.rstrip("\n") for line in stream]

    def wait_for(self, type_: str, kind: str | None = None) -> tuple[float, dict[str, Any]] | None:
        """When the next record of a type came, and what it said; None when it does not come."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                came_s, record = self._records.get(timeout=left_s)
            except queue.Empty:
                break
            if record["type"] == type_ and (kind is None or record.get("status") == kind):
                return came_s, record
        return None

    def drain(self) -> None:
        """Forget what came so far."""
        while not self._records.empty():
            self._records.get_nowait()

    def resources(self) -> dict[str, float]:
        """Threads, descriptors and memory now."""
        folder = Path("/proc") / str(self.process.pid)
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return {
            "threads": int(status["Threads"]),
            "descriptors": len(list((folder / "fd").iterdir())),
            "rss_mb": round(int(status["VmRSS"].split()[0]) / 1024, 2),
        }

    def end(self) -> int:
        """Ask it to end, and give its exit status."""
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        for reader in self._readers:
            reader.join()
        return status


def measure(
    server: PulseServer,
    n_kills: int,
    n_freezes: int,
    freeze_s: float,
    seed: int,
    options: list[str],
) -> dict[str, Any]:
    """Start, kill and freeze; gives the figures."""
    chance = random.Random(seed)
    events: list[dict[str, Any]] = []
    listener = Listener(server.environment, *options)
    try:
        waiting = listener.wait_for("status", "waiting")
        time.sleep(1.0)
        events.append(_outage(listener, "absent at start", server.start()))
        events[-1]["said"] = waiting is not None
        listener.wait_for("decision")
        time.sleep(4.0)
        before = listener.resources()
        for index in range(n_kills + n_freezes):
            listener.drain()
            if index < n_kills:
                server.kill(signal.SIGTERM if index % 5 == 4 else signal.SIGKILL)
                time.sleep(chance.uniform(0.1, 3.0))
                events.append(_outage(listener, "killed", server.start()))
            else:
                events.append(_outage(listener, "frozen", server.freeze(freeze_s)))
            listener.wait_for("decision")
            events[-1].update(listener.resources())
            time.sleep(chance.uniform(0.5, 1.5))
        time.sleep(3.0)
        after = listener.resources()
    finally:
        status = listener.end()
    delays_s = [event["back_after_s"] for event in events]
    kinds = [record.get("status", record["type"]) for record in listener.every]
    n_outages = n_kills + n_freezes
    strangers = [line for line in listener.lines if not line.startswith("edge-ser: ")]
    off_s = _clock_off_s(listener.every)
    figures = {
        "exit": status,
        "n_kills": n_kills,
        "n_freezes": n_freezes,
        "slowest_s": max((s for s in delays_s if s is not None), default=None),
        "n_lost": kinds.count("lost"),
        "n_back": kinds.count("back"),
        "n_gaps": kinds.count("gap"),
        "clock_off_s": off_s,
        "before": before,
        "after": after,
        "strange_lines": strangers[:5],
        "events": events,
    }
    figures["passed"] = bool(
        status == 0
        and all(delay_s is not None and delay_s <= LIMIT_S for delay_s in delays_s)
        and events[0]["said"]
        and (kinds.count("lost"), kinds.count("back")) == (n_outages, n_outages + 1)
        and kinds.count("gap") == n_outages
        and not strangers
        and off_s is not None
        and abs(off_s) <= CLOCK_S
        and after["threads"] <= before["threads"]
        and after["descriptors"] <= before["descriptors"]
        and after["rss_mb"] - before["rss_mb"] <= GROWTH_MB
    )
    return figures


def _outage(listener: Listener, what: str, back_s: float) -> dict[str, Any]:
    heard = listener.wait_for("status", "back")
    return {
        "event": what,
        "away_s": None if heard is None else round(heard[1]["away_s"], 2),
        "back_after_s": None if heard is None else round(heard[0] - back_s, 3),
    }


def _clock_off_s(records: list[dict[str, Any]]) -> float | None:
    """By how much the stream's time ran ahead of the clock from the first decision to the last."""
    decided = [record for record in records if record["type"] == "decision"]
    if len(decided) < 2:
        return None
    first, last = decided[0], decided[-1]
    times = [datetime.datetime.fromisoformat(record["time"]) for record in (first, last)]
    return round(last["end_s"] - first["end_s"] - (times[1] - times[0]).total_seconds(), 3)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--freezes", type=int, default=10)
    parser.add_argument("--freeze-s", type=float, default=5.0)
    parser.add_argument("--source", choices=("pipe", "monitor"), default="pipe")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="write the figures to this file too")
    arguments, options = parser.parse_known_args(argv)
    missing = missing_programs()
    if missing:
        print(
            f"skipped: {', '.join(missing)} not installed: sudo apt-get install "
            "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="edge-ser-") as name:
        source = PIPE if arguments.source == "pipe" else MONITOR
        server = PulseServer(Path(name) / "run", source)
        try:
            figures = measure(
                server, arguments.kills, arguments.freezes, arguments.freeze_s, arguments.seed,
                options,
            )  # fmt: skip
        finally:
            server.kill()
    text = json.dumps({"source": arguments.source, **figures}, indent=1)
    if arguments.output:
        temporary = arguments.output.with_name(f".{arguments.output.name}.part")
        temporary.write_text(text + "\n")
        os.replace(temporary, arguments.output)
    print(text)
    print("all as wanted" if figures["passed"] else "NOT as wanted")
    return 0 if figures["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
