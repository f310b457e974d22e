"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe_machine"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def describe_machine() -> dict[str, Any]:
    """Board, processor, system and versions, as plain JSON types; None where unknown."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "board": _first_line("/proc/device-tree/model"),
        "cpu": _cpu_name(),
        "architecture": platform.machine(),
        "cpus": os.cpu_count(),
        "usable_cpus": usable,
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "threads": {name: os.environ.get(name) for name in _THREAD_VARIABLES},
    }


def _first_line(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace").split("\n")[0].strip("\0 ") or None
    except OSError:
        return None


def _cpu_name() -> str | None:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model", "Hardware") and value.strip():
                return value.strip()
    return platform.processor() or None
