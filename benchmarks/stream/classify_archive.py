"""What ``classify`` of an archive gains from processes, and whether a kill costs a byte.

    python -m benchmarks.stream.classify_archive [--clips 3000] [--jobs 2] [--pairs 3] [--kills 50]
        [--cluster] [--output FILE]

Clips of 1.5 to 3 s are cut out of the bundled dialogue into a temporary folder, some of them
spoilt. The whole command is timed, from the start of its process to its end, with one job and with
several, in pairs that begin with the other one each time; beside the wall clock stands the
processor time of all its processes, and the load of the machine: where others use its cores,
neither says what they would say alone. Then a run of a part of the clips is killed (SIGKILL) again
and again at random moments, and resumed until it is whole; and with --cluster a Dask cluster of
two workers, one of them killed half-way, does it. What is written must be the same bytes each
time.

Exit code 0: all bytes were the same and the bar of 1.8 is met, 1: not, 2: it could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.git_state import git_state
from edge.audio.file import open_audio, write_wav
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP

ROOT = Path(__file__).resolve().parents[2]
MEASURED_FILES = ["edge", "benchmarks/stream/classify_archive.py"]
#: Of this many clips one is empty, and one is no audio.
SPOILT_EVERY = 100
BAR = 1.8


def make_clips(folder: Path, n_clips: int, seed: int) -> None:
    """Cut clips out of the dialogue."""
    with open_audio(str(DEMO_CLIP)) as reader:
        samples, rate = np.concatenate(list(reader.pieces())), reader.sample_rate
    rng = np.random.default_rng(seed)
    for n in range(n_clips):
        path = folder / f"clip{n:05}.wav"
        if n % SPOILT_EVERY == 7:
            path.write_bytes(b"" if n % 2 else b"no audio at all")
            continue
        n_samples = int(rate * rng.uniform(1.5, 3.0))
        start = int(rng.integers(0, samples.size - n_samples))
        write_wav(path, rng.uniform(0.3, 1.0) * samples[start : start + n_samples], rate)


def command(clips: str | Path, output: Path, *options: object) -> list[str]:
    """Give the command of a run."""
    words = [sys.executable, "-m", "edge.cli.main", "classify", str(clips), "--backend", "numpy"]
    return [*words, "--output", str(output), *map(str, options)]


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a run, whose errors are in its file."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)


def timed(words: Sequence[str]) -> dict[str, float]:
    """Run a command to its end: seconds of the clock, and of the processors."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = start(words).wait()
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in (0, 2):
        raise SystemExit(f"edge-ser: error: {' '.join(words)} ended with exit code {code}")
    return {
        "wall_s": wall_s,
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "load": os.getloadavg()[0],
    }


def measure_pairs(clips: Path, folder: Path, n_jobs: int, n_pairs: int) -> dict[str, Any]:
    """Time one job and several, in turns."""
    pairs, contents = [], set()
    for n in range(n_pairs):
        pair: dict[str, Any] = {}
        for jobs in (1, n_jobs) if n % 2 == 0 else (n_jobs, 1):
            output = folder / f"jobs{jobs}.csv"
            pair["one" if jobs == 1 else "several"] = timed(command(clips, output, "--jobs", jobs))
            contents.add(output.read_bytes())
        pair["ratio"] = pair["one"]["wall_s"] / pair["several"]["wall_s"]
        print(f"{n_jobs} jobs: {pair['ratio']:.2f} x one, {pair}", file=sys.stderr)
        pairs.append(pair)
    return {
        "n_jobs": n_jobs,
        "pairs": pairs,
        "ratio": statistics.median(pair["ratio"] for pair in pairs),
        "same_bytes": len(contents) == 1,
    }


def measure_kills(
    clips: Path, folder: Path, n_clips: int, n_jobs: int, n_kills: int, seed: int
) -> dict[str, Any]:
    """Kill runs at random moments and resume them, until as many as wanted were killed."""
    some = folder / "some"
    some.mkdir()
    for path in sorted(clips.iterdir())[:n_clips]:
        (some / path.name).hardlink_to(path)
    whole = folder / "whole.csv"
    whole_s = timed(command(some, whole))["wall_s"]
    draw, n_killed, n_whole, n_same = random.Random(seed), 0, 0, 0
    while n_killed < n_kills:
        output = folder / "killed.csv"
        output.unlink(missing_ok=True)
        while True:
            jobs = draw.choice([1, n_jobs])
            process = start(command(some, output, "--resume", "--jobs", jobs))
            try:
                process.wait(draw.uniform(0, 0.7 * whole_s))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                n_killed += 1
            if process.returncode in (0, 2):
                break
            if n_killed >= n_kills:
                timed(command(some, output, "--resume"))
                break
        n_whole += 1
        n_same += output.read_bytes() == whole.read_bytes()
        print(f"{n_killed} kills, {n_same} of {n_whole} the same", file=sys.stderr)
    return {
        "n_clips": n_clips,
        "kills": n_killed,
        "files": n_whole,
        "same_bytes": n_same == n_whole,
    }


@contextlib.contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Run a scheduler and two workers."""
    log = folder / "scheduler.log"
    processes: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *options: str) -> None:
        words = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{name}", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with open(log if not processes else folder / f"worker{len(processes)}.log", "wb") as file:
            processes.append(
                subprocess.Popen(words, stdout=file, stderr=file, env=environment, cwd=folder)
            )

    try:
        begin("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        while not (found := re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())):
            time.sleep(0.1)
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        for _ in range(2):
            begin("dask_worker", found[1], "--host", "127.0.0.1", *options)
        while log.read_text().count("Register worker") < 2:
            time.sleep(0.1)
        yield found[1], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_cluster(clips: Path, folder: Path, whole: bytes) -> dict[str, Any]:
    """Let a cluster do it, and kill one of its workers half-way."""
    output = folder / "cluster.csv"
    partial = Path(f"{output}.partial")
    n_files = sum(1 for _ in clips.iterdir())
    with dask_cluster(folder) as (address, workers):
        began_s = time.perf_counter()
        process = start(command(clips, output, "--cluster", address))
        while process.poll() is None:
            if partial.exists() and partial.read_bytes().count(b"\n") > n_files // 2:
                workers[0].kill()
                break
            time.sleep(0.2)
        process.wait()
    return {
        "wall_s": time.perf_counter() - began_s,
        "same_bytes": output.exists() and output.read_bytes() == whole,
        "worker_killed": workers[0].returncode is not None,
    }


def main() -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=3000, metavar="N", help="default: 3000")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="default: 2")
    parser.add_argument("--pairs", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="default: 50")
    parser.add_argument(
        "--kill-clips", type=int, default=200, metavar="N", help="clips of a killed run (200)"
    )
    parser.add_argument("--cluster", action="store_true", help="also on a Dask cluster")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = folder / "clips"
        clips.mkdir()
        make_clips(clips, args.clips, args.seed)
        result: dict[str, Any] = {
            "benchmark": "an archive, classified by several processes",
            "command": f"python -m benchmarks.stream.classify_archive --clips {args.clips} --jobs "
            f"{args.jobs} --pairs {args.pairs} --kills {args.kills}"
            + (" --cluster" if args.cluster else ""),
            **git_state(*MEASURED_FILES),
            "machine": describe_machine(),
            "clips": args.clips,
            "jobs": measure_pairs(clips, folder, args.jobs, args.pairs),
        }
        if args.kills:
            result["kills"] = measure_kills(
                clips, folder, args.kill_clips, args.jobs, args.kills, args.seed
            )
        if args.cluster:
            whole = (folder / "jobs1.csv").read_bytes()
            result["cluster"] = measure_cluster(clips, folder, whole)
    text = json.dumps(result, indent=1)
    print(text)
    if args.output is not None:
        args.output.write_text(text + "\n")
    parts = [result[part] for part in ("jobs", "kills", "cluster") if part in result]
    same = all(part["same_bytes"] for part in parts)
    return 0 if same and result["jobs"]["ratio"] >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
