"""Measure how many live streams one core serves, and what another one takes.

    python -m benchmarks.stream.streams [--seconds 6] [--heard 0] [--models claf-ser claf-ser-tiny]
                                 [--backends numpy onnx]
                                 [--modes loop together threads processes]
                                 [--most 4096] [--runs 200] [--core 0] [--output FILE]

`streams`: 1, 2, 4 ... streams of the bundled dialogue hear a block of 32 ms each at the pace of
sound, each at a moment of its own, until they are too many for one core; then the number between is
looked for. The core is enough while the 99th percentile of the time from the arrival of the block
that completes a hop to its decision stays within a hop, and the work takes no more than the time of
the sound. `loop` is one thread, as a server's, `together` the same with a `StreamGroup`, which is
pushed two blocks of every stream in a call, `threads` are four in one process and `processes` four
of one thread, which share the core and the streams.

A stream looks at the band of its first five seconds of speech, which takes a tenth of its time
then. With `--heard 20` all streams have that behind them when the sound begins, as most of a
server's have; without it none has.

`decisions`: the time that a hop takes, of every model and runtime in turn, for segments of 1 to 8 s
and hops of 0.25 to 1 s; by the hop it is what a core would serve if nothing else took time.

It takes about four minutes for each model, runtime and mode. Exit status 0: the bars are met;
1: not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.git_state import git_state
from benchmarks.stream.streams_child import BLOCK_SAMPLES, Speaker, blocks_of, bundled
from edge.benchmark.machine import describe_machine
from edge.bundled import MODELS

ROOT = Path(__file__).resolve().parents[2]
MEASURED_FILES = [
    "edge",
    *("benchmarks/stream/streams.py", "benchmarks/stream/streams_child.py"),
]
#: Processes and threads of each.
MODES = {"loop": (1, 1), "together": (1, 1), "threads": (1, 4), "processes": (4, 1)}
ONE_THREAD = ("loop", "together")
#: Of the time of the sound, that the work of all streams may take.
MOST_LOAD = 0.98
#: To find the number between the last power of two that was served and the first that was not.
N_HALVINGS = 5
SEGMENTS_S, HOPS_S = (1.0, 2.0, 4.0, 8.0), (0.25, 0.5, 1.0)
#: At the hop of the artifact; memory in bytes, the ratio of a decision's medians, share of a core.
BARS = {
    "streams": {"claf-ser": 400, "claf-ser-tiny": 1000},
    "bytes_a_further_stream": 300_000,
    "numpy_by_onnx": 3.0,
    "live_core_share": 0.01,
}


class Child:
    """A process that serves streams, see :mod:`benchmarks.stream.streams_child`."""

    def __init__(self, task: dict[str, Any]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stream.streams_child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True,
        )  # fmt: skip
        self._say(json.dumps(task))

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Read its next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with exit code {self._process.wait()}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def begin(self, starts_s: float) -> None:
        """Tell when the sound begins."""
        self._say(repr(starts_s))

    def end(self) -> dict[str, Any]:
        """Read what it measured, and wait for its end."""
        result = self.hear()
        with self._process:
            return result


def run_streams(n_streams: int, task: dict[str, Any], mode: str) -> dict[str, Any]:
    """Run so many streams on one core."""
    n_processes, n_threads = MODES[mode]
    shares = [len(range(k, n_streams, n_processes)) for k in range(n_processes)]
    children = [
        Child(
            {
                **task,
                "together": mode == "together",
                **{"n_streams": share, "n_threads": min(share, n_threads), "seed": k},
            }
        )
        for k, share in enumerate(shares)
        if share
    ]
    memory = [child.hear() for child in children]
    starts_s = time.perf_counter() + 0.2
    for child in children:
        child.begin(starts_s)
    found = [child.end() for child in children]
    latencies_ms = np.concatenate([each["latencies_ms"] for each in found])
    sound_s = found[0]["sound_s"]
    a_stream = [each["bytes_a_further_stream"] for each in memory]
    quantiles = np.percentile(latencies_ms, (50, 95, 99, 100)) if latencies_ms.size else [0.0] * 4
    p50_ms, p95_ms, p99_ms, most_ms = (round(float(each), 2) for each in quantiles)
    return {
        "n_streams": n_streams,
        "n_decisions": int(latencies_ms.size),
        **{"p50_ms": p50_ms, "p95_ms": p95_ms, "p99_ms": p99_ms, "max_ms": most_ms},
        "load": round(sum(each["cpu_s"] for each in found) / sound_s, 4),
        "late_s": round(max(each["took_s"] for each in found) - sound_s, 3),
        "rss_mb": round(sum(each["rss_bytes"] for each in memory) / 1e6, 1),
        "bytes_a_further_stream": None if None in a_stream else round(float(np.mean(a_stream))),
    }


def is_served(run: dict[str, Any], hop_ms: float) -> bool:
    """Whether one core was enough."""
    return run["p99_ms"] <= hop_ms and run["load"] <= MOST_LOAD


def saturate(task: dict[str, Any], mode: str, hop_ms: float, most: int) -> dict[str, Any]:
    """Run ever more streams until they are too many, and look for the number between."""
    runs: list[dict[str, Any]] = []
    served, too_many, n_streams = 0, most + 1, 1

    def is_enough(n_streams: int) -> bool:
        runs.append(run_streams(n_streams, task, mode))
        print(json.dumps({**task, "mode": mode, **runs[-1]}), file=sys.stderr, flush=True)
        return is_served(runs[-1], hop_ms)

    while n_streams <= most and too_many > most:
        if is_enough(n_streams):
            served = n_streams
        else:
            too_many = n_streams
        n_streams *= 2
    for _ in range(N_HALVINGS if too_many <= most else 0):
        n_streams = (served + too_many) // 2
        if n_streams in (served, too_many):
            break
        if is_enough(n_streams):
            served = n_streams
        else:
            too_many = n_streams
    # Of many streams, where one page more or less is nothing.
    largest = max(runs, key=lambda run: run["n_streams"])
    return {
        **{"model": task["model"], "backend": task["backend"], "mode": mode},
        "streams": served,
        "bytes_a_further_stream": largest["bytes_a_further_stream"],
        "runs": runs,
    }


def decisions(models: list[str], backends: list[str], n_runs: int) -> list[dict[str, Any]]:
    """Time a hop of every kind, all kinds taking turns."""
    kinds: list[tuple[dict[str, Any], Speaker, int, list[float]]] = []
    for model in models:
        for backend in backends:
            classifier = bundled(model, backend)
            blocks = blocks_of(classifier)
            for segment_s, hop_s in [(None, None), *((s, h) for s in SEGMENTS_S for h in HOPS_S)]:
                stream = classifier.stream(segment_s, hop_s)
                about = {"model": model, "backend": backend}
                about |= {"segment_s": stream.segment_s, "hop_s": stream.hop_s}
                about["is_default"] = segment_s is None
                speaker = Speaker(stream, blocks, 0)
                n_segment = round(stream.segment_s * classifier.spec.sample_rate)
                speaker.warm_up(-(-n_segment // BLOCK_SAMPLES))
                n_hop = round(stream.hop_s * classifier.spec.sample_rate / BLOCK_SAMPLES)
                kinds.append((about, speaker, n_hop, []))
    for run in range(-3, n_runs):
        for _, speaker, n_hop, times_ms in kinds:
            started_s = time.perf_counter()
            speaker.warm_up(n_hop)
            if run >= 0:
                times_ms.append(1000 * (time.perf_counter() - started_s))
    return [summed_up(about, times_ms) for about, _, _, times_ms in kinds]


def summed_up(about: dict[str, Any], times_ms: list[float]) -> dict[str, Any]:
    """Median and tail of the hops of a kind, and the streams that would fill a core."""
    p25, p50, p75, p99 = (float(each) for each in np.percentile(times_ms, (25, 50, 75, 99)))
    return {
        **about,
        "n": len(times_ms),
        **{"p25_ms": round(p25, 4), "p50_ms": round(p50, 4), "p75_ms": round(p75, 4)},
        "p99_ms": round(p99, 4),
        "core_share": round(p50 / 1000 / about["hop_s"], 5),
        "streams_that_fill_a_core": int(1000 * about["hop_s"] / float(np.mean(times_ms))),
    }


def bars(streams: list[dict[str, Any]], hops: list[dict[str, Any]]) -> dict[str, Any]:
    """Hold what was measured against the bars, each with the figure and whether it is met."""
    found: dict[str, Any] = {}
    of_a_thread = [each for each in streams if each["mode"] in ONE_THREAD]
    for model in dict.fromkeys(each["model"] for each in of_a_thread):
        # A core serves what it does when it is used best.
        best = max(
            (each for each in of_a_thread if each["model"] == model),
            key=lambda each: int(each["streams"]),
        )
        name = f"{model} on {best['backend']}, {best['mode']}"
        least = BARS["streams"][model]  # type: ignore[index]
        found[f"streams, {name}"] = (best["streams"], least, best["streams"] >= least)
        a_stream, most = best["bytes_a_further_stream"], BARS["bytes_a_further_stream"]
        if a_stream is not None:
            found[f"bytes a further stream, {name}"] = (a_stream, most, a_stream <= most)
    default = {(each["model"], each["backend"]): each for each in hops if each["is_default"]}
    for (model, backend), each in default.items():
        share, most_share = each["core_share"], BARS["live_core_share"]
        found[f"live share, {model} on {backend}"] = (share, most_share, share <= most_share)
        onnx = default.get((model, "onnx"))
        if backend == "numpy" and onnx is not None:
            ratio, most_ratio = each["p50_ms"] / onnx["p50_ms"], BARS["numpy_by_onnx"]
            found[f"numpy by onnx, {model}"] = (round(ratio, 3), most_ratio, ratio <= most_ratio)
    names = ("measured", "bar", "met")
    return {name: dict(zip(names, each, strict=True)) for name, each in found.items()}


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure everything that is asked for."""
    core = args.core if hasattr(os, "sched_setaffinity") else None
    streams = []
    for mode in args.modes:
        for model in args.models:
            hop_ms = 1000 * bundled(model, "numpy").stream().hop_s
            for backend in args.backends:
                task = {"model": model, "backend": backend, "core": core}
                task |= {"seconds": args.seconds, "heard": args.heard}
                streams.append(saturate(task, mode, hop_ms, args.most))
    hops = decisions(args.models, args.backends, args.runs) if args.runs else []
    return {
        "benchmark": "live streams on one core",
        "command": " ".join(["python -m benchmarks.stream.streams", *sys.argv[1:]]),
        **git_state(*MEASURED_FILES),
        "machine": describe_machine(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "models": {
            f"{model} on {backend}": bundled(model, backend).artifact.manifest.model_sha256
            for model in args.models
            for backend in args.backends
        },
        "bars": bars(streams, hops),
        "streams": streams,
        "decisions": hops,
    }


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seconds", type=float, default=6.0, help="of sound in each run")
    add("--heard", type=float, default=0.0, help="s of sound before, besides a segment")
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--backends", nargs="+", choices=("numpy", "onnx"), default=["numpy", "onnx"])
    add("--modes", nargs="*", choices=MODES, default=list(MODES))
    add("--most", type=int, default=4096, help="streams, however many a core serves")
    add("--runs", type=int, default=200, help="hops of each kind; 0: none")
    add("--core", type=int, default=0, help="which everything runs on, where Linux lets us choose")
    add("--output", type=Path, metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    result = measure(args)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output is not None:
        args.output.write_text(text + "\n", encoding="utf-8")
    return int(not all(each["met"] for each in result["bars"].values()))


if __name__ == "__main__":
    raise SystemExit(main())
