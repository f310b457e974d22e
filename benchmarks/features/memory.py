"""Memory of pushes in steady state, by tracemalloc.

    python -X tracemalloc -m benchmarks.features.memory

prints it as JSON. A process of its own, traced from the start, so that nothing of librosa's is
in it. `array_growth` is the memory of arrays alone and must be none. `live_growth` counts all
that Python holds, too: its caches of freed tuples and numbers fill over thousands of pushes, ever
more slowly (480 blocks, 27 kB, over the first 6000, with resident memory as it was).
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from edge import FeatureExtractor, FeatureSpec, ParameterError

__all__ = ["trace_in_new_process"]

#: 0.5 s in whole frames: what the runtime pushes for one decision.
HOP_FRAMES = 16
N_WARM_PUSHES, N_PUSHES = 1000, 200
#: NumPy keeps some arrays of less than 1 kB for the next; a row of every push would be 27200.
SLACK_BYTES = 4096


def trace_in_new_process() -> dict[str, Any]:
    """Run this file in a Python that traces from the start."""
    done = subprocess.run(
        [sys.executable, "-X", "tracemalloc", "-m", "benchmarks.features.memory"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    if done.returncode:
        raise ParameterError(f"tracing the memory failed: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def blocks(spec: FeatureSpec) -> list[np.ndarray]:
    """A gliding buzz in noise, a block a decision."""
    rng, length = np.random.default_rng(0), HOP_FRAMES * spec.hop_length
    t = np.arange(N_PUSHES * length) / spec.sample_rate
    phase = 2 * np.pi * (140 * t - 20 * np.cos(t))
    wave = 0.2 * np.sin(phase) + 0.1 * np.sin(2 * phase) + 0.01 * rng.standard_normal(t.size)
    return list(wave.astype(np.float32).reshape(N_PUSHES, length))


def live_memory() -> tuple[int, int]:
    """Blocks that Python holds, and bytes that are traced."""
    gc.collect()
    return sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0]


def array_bytes() -> int:
    """Traced bytes of arrays."""
    arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    traces = tracemalloc.take_snapshot().filter_traces([arrays])
    return sum(found.size for found in traces.statistics("filename"))


def trace_pushes(spec: FeatureSpec) -> dict[str, Any]:
    """What pushes take while they run and what they leave behind."""
    extractor, all_blocks = FeatureExtractor(spec), blocks(spec)
    transient = np.zeros(N_PUSHES, dtype=np.int64)
    for i in range(N_WARM_PUSHES):
        extractor.push(all_blocks[i % N_PUSHES])
    arrays = array_bytes()
    first = live_memory()
    gc.disable()
    for i, block in enumerate(all_blocks):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        extractor.push(block)
        transient[i] = tracemalloc.get_traced_memory()[1] - before
    gc.enable()
    last = live_memory()
    array_growth = array_bytes() - arrays
    return {
        "n_warm_pushes": N_WARM_PUSHES,
        "n_pushes": N_PUSHES,
        "push_samples": all_blocks[0].size,
        "transient_bytes": {"min": int(transient.min()), "max": int(transient.max())},
        "array_growth_bytes": array_growth,
        "live_growth": {"blocks": last[0] - first[0], "bytes": last[1] - first[1]},
        "constant": bool(
            array_growth <= SLACK_BYTES and np.ptp(transient) <= 0.01 * transient.max()
        ),
    }


if __name__ == "__main__":
    if not tracemalloc.is_tracing():
        sys.exit("edge-ser: error: run it as python -X tracemalloc -m benchmarks.features.memory")
    print(json.dumps(trace_pushes(FeatureSpec()), indent=2))
