"""Run a benchmark as a person would: ``python -m benchmarks.NAME``, from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def run_benchmark(
    name: str, *args: str, cwd: Path, flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; ``flags`` are those of Python."""
    return subprocess.run(
        [sys.executable, *flags, "-m", f"benchmarks.{name}", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'quantize'}",
            "OMP_NUM_THREADS": "1",
        },
        check=False,
    )
