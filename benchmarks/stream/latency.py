"""Measure the time from the end of a segment to its decision on standard output.

    python -m benchmarks.stream.latency [--seconds 120] [--format s16le --rate 16000 --channels 1]
                                 [--backend numpy] [--output FILE]

`edge-ser listen --source - --json` runs in a process of its own, as a person would start it. The
bundled dialogue is written into its standard input at the pace of sound, a block of 32 ms at a
time, as an audio callback hands it over, and its lines are read back as they come. A decision's
segment ends somewhere in a block: "beyond the block" is from the moment that this block was in the
pipe to the moment that the line was read; at another rate than the model's it is the block that
brings what the resampler waits for, 3.6 ms more. "Beyond the segment" counts from the segment's
last sample, so that the rest of the block is waited for as well. Decisions of the first five
seconds are left out: their sound waits in the pipe while the program starts.

Exit status 0: p50 and p99 beyond the block are within the bars; 1: not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from edge.stream.loading import load

ROOT = Path(__file__).resolve().parents[2]
MEASURED_FILES = ["edge", "benchmarks/stream/latency.py"]
BLOCK_S = 0.032
#: Of the smaller rate, by which :class:`edge.audio.resample.Resampler` lags.
RESAMPLER_PERIODS = 58
#: Milliseconds beyond the block.
BAR_MS = {"p50": 10.0, "p99": 40.0}
#: Decisions of the first seconds are of sound that waited for the program to start.
WARM_UP_S = 5.0


def encode(samples: NDArray[np.float32], name: str, n_channels: int) -> bytes:
    """Write samples as a pipe brings them, the same in every channel."""
    values = np.repeat(samples, n_channels)
    if name == "f32le":
        return values.astype("<f4").tobytes()
    return np.clip(np.round(values * 32768), -32768, 32767).astype("<i2").tobytes()


class Writer(threading.Thread):
    """Writes block after block at the pace of sound and notes when each was in the pipe."""

    def __init__(self, pipe: IO[bytes], data: bytes, block_bytes: int, n_blocks: int) -> None:
        super().__init__(daemon=True)
        self._pipe, self._data = pipe, data
        self._block_bytes, self._n_blocks = block_bytes, n_blocks
        self.started_s = 0.0
        self.written_s: list[float] = []

    def run(self) -> None:
        """Write all, and close the pipe."""
        n_different = len(self._data) // self._block_bytes
        self.started_s = time.perf_counter()
        for index in range(self._n_blocks):
            # A block is whole when its last sample has been spoken.
            due_s = self.started_s + (index + 1) * BLOCK_S
            time.sleep(max(0.0, due_s - time.perf_counter()))
            at = index % n_different * self._block_bytes
            self._pipe.write(self._data[at : at + self._block_bytes])
            self._pipe.flush()
            self.written_s.append(time.perf_counter())
        self._pipe.close()


def percentiles(values: list[float]) -> dict[str, float]:
    """Median and tail, in ms."""
    return {
        name: round(float(np.percentile(values, at)), 2)
        for name, at in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("max", 100))
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run once."""
    samples, clip_rate = read_audio(DEMO_CLIP)
    n_a_block = round(args.rate * BLOCK_S)
    data = encode(resample(samples, clip_rate, args.rate), args.format, args.channels)
    block_bytes = len(data) // resample(samples, clip_rate, args.rate).size * n_a_block
    options = ["--format", args.format, "--rate", str(args.rate), "--channels", str(args.channels)]
    command = [
        sys.executable, "-m", "edge_ser", "listen", "--source", "-", "--json", "--config",
        os.devnull, "--backend", args.backend, *options,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        writer = Writer(process.stdin, data, block_bytes, round(args.seconds / BLOCK_S))
        writer.start()
        lines = []
        for line in process.stdout:
            lines.append((time.perf_counter(), json.loads(line)))
        writer.join()
    decisions = [(read_s, each) for read_s, each in lines if each["type"] == "decision"]
    beyond_block, beyond_segment, told = [], [], []
    classifier = load(backend=args.backend)
    model_rate = classifier.spec.sample_rate
    lag_s = 0.0 if args.rate == model_rate else RESAMPLER_PERIODS / min(args.rate, model_rate)
    for read_s, each in decisions:
        index = int(np.ceil((each["end_s"] + lag_s) / BLOCK_S - 1e-6)) - 1
        # The last one is decided at the end of the pipe.
        if each["end_s"] < WARM_UP_S or index >= len(writer.written_s) - 1:
            continue
        beyond_block.append(1000 * (read_s - writer.written_s[index]))
        beyond_segment.append(1000 * (read_s - writer.started_s - each["end_s"]))
        told.append(each["latency_ms"])
    summary = lines[-1][1]
    return {
        "benchmark": "from the end of a segment to its decision on standard output",
        "command": " ".join(["edge-ser", *command[3:]]),
        **git_state(*MEASURED_FILES),
        "model_sha256": classifier.artifact.manifest.model_sha256,
        "seconds": args.seconds,
        "n_decisions": len(beyond_block),
        "beyond_the_block_ms": percentiles(beyond_block),
        "beyond_the_segment_ms": percentiles(beyond_segment),
        "told_by_latency_ms": percentiles(told),
        "dropped_samples": summary["dropped_samples"],
        "skipped_hops": summary["skipped_hops"],
        "peak_rss_mb": summary["peak_rss_mb"],
        "bar_ms": BAR_MS,
    }


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--format", choices=("s16le", "f32le"), default="s16le")
    parser.add_argument("--rate", type=int, default=16_000)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--output", type=Path, metavar="FILE")
    args = parser.parse_args()
    before = os.getloadavg()[0]
    result = measure(args)
    result["load_average"] = {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)}
    result["machine"] = describe_machine()
    text = json.dumps(result, indent=2)
    print(text)
    if args.output is not None:
        args.output.write_text(text + "\n", encoding="utf-8")
    measured = result["beyond_the_block_ms"]
    return int(any(measured[name] > bar for name, bar in BAR_MS.items()))


if __name__ == "__main__":
    raise SystemExit(main())
