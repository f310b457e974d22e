"""Measure memory and the time to the first decision of recordings that last for hours.

    python -m benchmarks.stream.long_files [--minutes 240] [--stereo-minutes 30] [--output FILE]

Makes a mono file of 16 kHz and a stereo one of 44.1 kHz out of the bundled dialogue in a temporary
folder, and lets ``listen --fast --json`` and ``classify --json`` go through each in a process of
its own. Four hours take some minutes and half a gigabyte of the disk for as long as they take.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.git_state import git_state
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP

ROOT = Path(__file__).resolve().parents[2]
MEASURED_FILES = ["edge", "benchmarks/stream/long_files.py"]
#: Resident at most, in MB, and seconds from opening the file to the first decision.
MOST_MB, MOST_FIRST_S = 60.0, 0.5

# What runs the command: the clock of the file's first opening and of the first decision goes to
# standard error, beside what else is said there. An audit hook sees every opening of a file.
CHILD = """
import sys, time
path, command = sys.argv[1], sys.argv[2:]
stamps = {}
def stamp(name):
    if name not in stamps:
        stamps[name] = time.perf_counter()
        print("@", name, stamps[name], file=sys.stderr, flush=True)
def hook(event, args):
    if event == "open" and args[0] == path:
        stamp("opened")
sys.addaudithook(hook)
from edge.stream.stream import Stream
push = Stream.push
def stamped(self, *args, **kwargs):
    decisions = push(self, *args, **kwargs)
    if "opened" in stamps and decisions:
        stamp("decided")
    return decisions
Stream.push = stamped
from edge.cli.main import main
sys.exit(main(command))
"""


def make_clip(path: Path, sample_rate: int, n_channels: int, minutes: float) -> None:
    """Write the dialogue over and over."""
    samples, rate = read_audio(DEMO_CLIP)
    samples = np.clip(resample(samples, rate, sample_rate), -1.0, 1.0)
    once = np.repeat(np.round(samples * 32767).astype("<i2"), n_channels).tobytes()
    n_left = round(60 * minutes * sample_rate) * 2 * n_channels
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(n_channels)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        while n_left > 0:
            writer.writeframesraw(once[:n_left])
            n_left -= len(once)


def peak_mb(pid: int) -> float | None:
    """Peak resident memory of a process that lives; None where it cannot be read."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def run(command: list[str], path: Path) -> dict[str, Any]:
    """Run one command on one file and watch it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    begun_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    stamps: dict[str, float] = {}

    def read_stamps() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("@ "):
                _, name, at_s = line.split()
                stamps[name] = float(at_s)
            else:
                print(line, end="", file=sys.stderr)

    peaks: list[float] = []

    def watch() -> None:
        # The figure only grows, so the last look is short of it by 20 ms of work at most.
        while process.poll() is None:
            now = peak_mb(process.pid)
            if now:
                peaks.append(now)
            time.sleep(0.02)

    threads = [threading.Thread(target=read_stamps), threading.Thread(target=watch)]
    with process:
        for thread in threads:
            thread.start()
        n_lines = sum(1 for _ in process.stdout)
        for thread in threads:
            thread.join()
    took_s = time.perf_counter() - begun_s
    first_s = stamps["decided"] - stamps["opened"] if len(stamps) == 2 else None
    return {
        "exit_code": process.returncode,
        "n_lines": n_lines,
        "peak_mb": round(max(peaks), 1) if peaks else None,
        "first_decision_s": None if first_s is None else round(first_s, 3),
        "took_s": round(took_s, 1),
        "met": bool(
            process.returncode == 0
            and peaks
            and max(peaks) <= MOST_MB
            and first_s is not None
            and first_s <= MOST_FIRST_S
        ),
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run both commands on both files."""
    state = git_state(*MEASURED_FILES)
    kinds = {
        "16 kHz mono": (16_000, 1, args.minutes),
        "44.1 kHz stereo": (44_100, 2, args.stereo_minutes),
    }
    runs = []
    for kind, (sample_rate, n_channels, minutes) in kinds.items():
        if minutes <= 0:
            continue
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path = Path(folder, "long.wav")
            make_clip(path, sample_rate, n_channels, minutes)
            for command in (
                ["listen", "--backend", "numpy", "--fast", "--json", "--source", str(path)],
                ["classify", "--backend", "numpy", "--json", str(path)],
            ):
                row = {"kind": kind, "minutes": minutes, "command": command[0]}
                runs.append({**row, **run(command, path)})
                print(json.dumps(runs[-1]), file=sys.stderr)
    return {
        "benchmark": "recordings of hours",
        "command": f"python -m benchmarks.stream.long_files --minutes {args.minutes:g} "
        f"--stereo-minutes {args.stereo_minutes:g}",
        **state,
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "bar": {"peak_mb": MOST_MB, "first_decision_s": MOST_FIRST_S},
        "runs": runs,
    }


def main() -> int:
    """Measure and print; 1 when a figure is above its bar."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=240.0, help="of the mono file")
    parser.add_argument("--stereo-minutes", type=float, default=30.0, help="of the stereo file")
    parser.add_argument("--folder", help="where the files are made; default: the system's")
    parser.add_argument("--output", metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    result = measure(args)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
    return 0 if all(each["met"] for each in result["runs"]) else 1


if __name__ == "__main__":
    sys.exit(main())
