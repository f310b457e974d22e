"""Memory, cold start and installed size against the scripts that somebody would write first.

    python -m benchmarks.footprint --venvs FOLDER [--runs 15] [--output FILE]

In FOLDER an environment is made for each: ours with NumPy alone and with onnxruntime, librosa with
torch and librosa with onnxruntime, in the versions of `constraints.txt`; the first time fetches
them (where pip would choose a build of torch with CUDA, point it at PyTorch's CPU wheels first).
Then each is started in turn, in an order drawn anew, on 2 s of the bundled dialogue:

- cold start: from the start of the process to its first decision; every file is in the system's
  cache, and what librosa compiles once is compiled;
- memory: resident after the first decision and 20 more, and the most ever;
- installed: all that pip unpacked, without the bytecode that Python adds.

Exit status 0: all bars are met, 1: one is not, 2: it could not be measured. Linux alone: memory is
read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.footprint.venvs import ROOT, Environment, clean_environment, make, sizes
from benchmarks.shared.command import at_least_one, tell
from benchmarks.shared.git_state import git_state
from benchmarks.shared.interleaved import Bar, bar_row, ratio_lines, spread
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError, ParameterError

MEASURED_FILES = ("edge", "edge_ser", "pyproject.toml", "benchmarks/footprint")
SEGMENT_S = 2.0
N_MORE = 20
#: The paper's 0.3 s and 75 MB are the project's own bars, the rest is against librosa and torch.
COLD_START_MS, NUMPY_INSTALL_MB = 300.0, 75.0
RATIOS = (
    ("cold_ms", "cold start", "ours_onnx", 10.0),
    ("cold_ms", "cold start", "ours_numpy", None),
    ("rss_mb", "resident memory", "ours_onnx", 5.0),
    ("rss_mb", "resident memory", "ours_numpy", 5.0),
    ("unpacked_mb", "installed", "ours_numpy", 10.0),
    ("unpacked_mb", "installed", "ours_onnx", None),
)
PEERS = ("librosa_torch", "librosa_onnxruntime")


@dataclass(frozen=True, slots=True)
class Contender:
    """An environment and the script that runs in it."""

    title: str
    environment: Environment
    script: str
    model: str


BUNDLED = ROOT / "edge" / "bundled"
CONTENDERS = (
    Contender(
        "ours, numpy int8",
        Environment("ours_numpy", (), ""),
        "ours.py",
        "numpy",
    ),
    Contender(
        "ours, onnx int8",
        Environment("ours_onnx", (), "[onnx]"),
        "ours.py",
        "onnx",
    ),
    Contender(
        "librosa + torch",
        Environment("librosa_torch", ("librosa==0.11.*", "torch")),
        "librosa_script.py",
        "torch",
    ),
    Contender(
        "librosa + onnxruntime",
        Environment("librosa_onnxruntime", ("librosa==0.11.*", "onnxruntime")),
        "librosa_script.py",
        str(BUNDLED / "claf-ser-int8-onnx" / "model.onnx"),
    ),
)


def start_once(python: Path, contender: Contender, clip: Path) -> dict[str, float]:
    """Start one process; milliseconds to its first decision, by the clock and the CPU, and MB."""
    script = Path(__file__).with_name(contender.script)
    command = [str(python), str(script), str(clip), contender.model, str(N_MORE)]
    # CLOCK_MONOTONIC is one clock for all processes.
    started_s = time.monotonic()
    child = subprocess.run(
        command, capture_output=True, text=True, check=False, env=clean_environment(), cwd="/"
    )
    if child.returncode:
        said = child.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise EdgeSerError(f"{contender.title} failed with exit code {child.returncode}: {said[0]}")
    told = json.loads(child.stdout.splitlines()[-1])
    return {
        "cold_ms": 1000 * (told["at_s"] - started_s),
        "cpu_ms": 1000 * told["cpu_s"],
        "rss_mb": told["VmRSS"],
        "peak_mb": told["VmHWM"],
    }


def write_clip(path: Path) -> None:
    """Two seconds from the middle of the bundled dialogue."""
    with wave.open(str(DEMO_CLIP)) as file:
        rate, n_all = file.getframerate(), file.getnframes()
        file.setpos(n_all // 4)
        frames = file.readframes(int(SEGMENT_S * rate))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames)


def collected(
    runs: dict[str, list[dict[str, float]]], installed: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What was measured of each, and the rows that are held to bars."""
    measured = {}
    for contender in CONTENDERS:
        name = contender.environment.name
        measured[name] = {
            "title": contender.title,
            **{key: spread([run[key] for run in runs[name]]) for key in runs[name][0]},
            "installed": installed[name],
        }
    rows = []
    for key, what, ours, bar in RATIOS:
        for peer in PEERS:
            values = [
                [installed[name][key]] if key == "unpacked_mb" else [r[key] for r in runs[name]]
                for name in (peer, ours)
            ]
            titles = f"{measured[peer]['title']} / {measured[ours]['title']}"
            # The bars are against librosa and torch.
            held = Bar(f"{what}: {titles}", peer, ours, bar if peer == PEERS[0] else None)
            rows.append(bar_row(held, *values))
    return measured, rows


def absolute(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """The bars that are no ratios."""
    found = [
        (f"cold start of {measured[name]['title']}", measured[name]["cold_ms"]["p50"], "ms", bar)
        for name, bar in (("ours_onnx", COLD_START_MS), ("ours_numpy", COLD_START_MS))
    ]
    n_mb = measured["ours_numpy"]["installed"]["unpacked_mb"]
    found.append(("installed, ours with NumPy alone", n_mb, "MB", NUMPY_INSTALL_MB))
    return [
        {"what": what, "value": value, "unit": unit, "bar": bar, "met": value <= bar}
        for what, value, unit, bar in found
    ]


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    state = git_state(*MEASURED_FILES)
    args.venvs.mkdir(parents=True, exist_ok=True)
    pythons = {}
    for contender in CONTENDERS:
        name = contender.environment.name
        print(f"{name} ...", file=sys.stderr, flush=True)
        pythons[name] = make(contender.environment, args.venvs)
    installed = {name: sizes(python) for name, python in pythons.items()}
    rng = random.Random(args.seed)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.wav")
        write_clip(clip)
        # The first time compiles and fills the system's cache.
        for at in range(-1, args.runs):
            for contender in rng.sample(CONTENDERS, len(CONTENDERS)):
                name = contender.environment.name
                run = start_once(pythons[name], contender, clip)
                if at >= 0:
                    runs[name].append(run)
    measured, rows = collected(runs, installed)
    return {
        "benchmark": "memory, cold start and installed size",
        "command": f"python -m benchmarks.footprint --venvs FOLDER --runs {args.runs} "
        f"--seed {args.seed}",
        **state,
        "seed": args.seed,
        "runs": args.runs,
        "warm_up": 1,
        "segment_s": SEGMENT_S,
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "measured": measured,
        "ratios": rows,
        "absolute": absolute(measured),
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = [
        f"{result['runs']} starts of each; {result['machine']['cpu']}, one thread, load "
        f"{result['load_average'][0]}",
        f"{'':<24} {'cold start':>23} {'CPU ms':>6} {'resident':>9} {'peak':>7} {'installed':>10}",
    ]
    for row in result["measured"].values():
        cold = row["cold_ms"]
        quarters = f"({cold['p25']:.0f}-{cold['p75']:.0f})"
        lines.append(
            f"{row['title']:<24} {cold['p50']:>7.0f} ms {quarters:>12}"
            f" {row['cpu_ms']['p50']:>6.0f} {row['rss_mb']['p50']:>6.0f} MB"
            f" {row['peak_mb']['p50']:>4.0f} MB {row['installed']['unpacked_mb']:>7.1f} MB"
        )
    lines.append("")
    lines += [
        f"{row['what']:<58} {row['value']:>8.1f} {row['unit']}, bar <= {row['bar']:g}  "
        f"{'met' if row['met'] else 'NOT MET'}"
        for row in result["absolute"]
    ]
    return "\n".join([*lines, "", *ratio_lines(result["ratios"])])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--venvs", type=Path, required=True, metavar="FOLDER", help="of the environments"
    )
    parser.add_argument("--runs", type=int, default=15, help="starts of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)

    def measured() -> dict[str, Any]:
        at_least_one("--runs", args.runs)
        if not Path("/proc/self/status").exists():
            raise ParameterError("memory is read from /proc, a Linux is wanted")
        result = measure(args)
        rows = [*result["ratios"], *result["absolute"]]
        return {**result, "met": all(row["met"] is not False for row in rows)}

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
