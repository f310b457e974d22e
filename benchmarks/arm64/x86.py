"""The same arithmetic where instructions and milliseconds are both known: on this machine."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.arm64.counting import by_stage, summed
from benchmarks.arm64.emulate import (
    CALL_X86,
    build_clock,
    build_plugin,
    counted,
    emulator,
    run_here,
    said,
)

__all__ = ["measure_here"]

_N_TIMES = 3
_N_TIMED_RUNS = 60


def measure_here(words: Sequence[str | Path], work: Path, checkout: Path, n_runs: int) -> Any:
    """Count the stages of an x86-64 machine under emulation, and time them without.

    Parameters
    ----------
    words : sequence of str or Path
        ``stages.py``, the artifact, the clip.
    work : Path
        For the plugin and what it writes.
    checkout : Path
        Of what is measured.
    n_runs : int
        Of a stage, where they are counted.

    Returns
    -------
    dict
        As :func:`~benchmarks.arm64.counting.summed`, with ``clock_hz``, ``ms`` (the least decile
        of three times 60 runs: what a core that nobody disturbs takes) and
        ``instructions_a_cycle`` by stage.

    Notes
    -----
    QEMU has no AVX-512, so neither side may use it.
    """
    narrow = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": _wide_features()}
    plugin, clock, out = build_plugin(work), build_clock(work), work / "marks-x86.txt"
    out.unlink(missing_ok=True)
    before = [emulator("x86_64"), "-cpu", "max", "-plugin", f"{plugin},call={CALL_X86},out={out}"]
    said(run_here(str(checkout), [*words, str(n_runs)], before, **narrow), "counting x86")
    counts = summed(by_stage(counted(out)))
    clock_hz = 0.0
    runs: list[dict[str, list[float]]] = []
    for _ in range(_N_TIMES):
        measured = subprocess.run([clock], capture_output=True, text=True, check=True)
        clock_hz = max(clock_hz, float(measured.stdout))
        output = said(run_here(str(checkout), [*words, str(_N_TIMED_RUNS)], **narrow), "timing")
        runs.append(json.loads(output.splitlines()[-1]))
    ms = {
        stage: round(min(statistics.quantiles(run[stage], n=10)[0] for run in runs), 4)
        for stage in counts["instructions"]
        if all(run.get(stage) for run in runs) and stage != "resample"
    }
    instructions_a_cycle = {
        stage: round(counts["instructions"][stage] / (least / 1000) / clock_hz, 2)
        for stage, least in ms.items()
    }
    about = {"clock_hz": round(clock_hz), "ms": ms, "instructions_a_cycle": instructions_a_cycle}
    return {**counts, **about}


def _wide_features() -> str:
    """Names by which NumPy is kept from AVX-512, of those that this NumPy knows."""
    from numpy._core._multiarray_umath import __cpu_dispatch__

    return " ".join(name for name in __cpu_dispatch__ if "512" in name or name == "X86_V4")
