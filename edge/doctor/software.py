"""Python, the processor's architecture, and NumPy with its BLAS."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.trials import last_object
from edge.runtimes.deaths import how_it_died

__all__ = ["architecture", "board_name", "numpy", "python"]

_IMPORT_LIMIT_S = 10.0
_64_BITS = ("aarch64", "arm64", "x86_64", "amd64", "riscv64", "ppc64le", "s390x")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_OLD_ARM = ("armv6l", "armv5tel", "armv5tejl")


def python(look: Look) -> Iterator[Finding]:
    """Which Python runs this."""
    name, version = platform.python_implementation(), platform.python_version()
    facts: dict[str, Any] = {
        "version": version,
        "implementation": name,
        "is_virtual_environment": sys.prefix != sys.base_prefix,
        "is_frozen": bool(getattr(sys, "frozen", False)),
    }
    if name != "CPython":
        yield warning(
            f"this is {name} {version}, edge-ser is tested with CPython",
            "python3 -m venv .venv && .venv/bin/pip install .",
            **facts,
        )
        return
    yield ok(f"{name} {version}", **facts)


def board_name(look: Look) -> str | None:
    """Name of the board, where the firmware tells it."""
    return look.system.read("/proc/device-tree/model")


def architecture(look: Look) -> Iterator[Finding]:
    """What wheels there are for this processor."""
    system = look.system
    machine, bits, libc = system.machine, system.pointer_bits, system.libc
    board = board_name(look)
    facts: dict[str, Any] = {"machine": machine, "pointer_bits": bits, "libc": libc, "board": board}
    if bits == 32 and machine in _64_BITS:
        yield warning(
            f"Python has 32 bits and the kernel is {machine}: there is no onnxruntime for it, and "
            "NumPy comes from the system or is slow to build",
            "install the 64-bit image of the system: https://www.raspberrypi.com/software/",
            **facts,
        )
    elif machine in _OLD_ARM:
        yield warning(
            f"the processor is {machine}, for which there are wheels of NumPy alone and of no "
            "other backend",
            "sudo apt-get install python3-numpy libopenblas0",
            **facts,
        )
    elif libc.startswith("musl"):
        yield warning(
            f"the C library is {libc}, for which there is no wheel of onnxruntime",
            "edge-ser listen --backend numpy",
            **facts,
        )
    else:
        on = f" on {board}" if board else ""
        yield ok(f"{machine}, {bits} bits{on}", **facts)


def numpy(look: Look) -> Iterator[Finding]:
    """Whether NumPy can be imported, and how many threads its BLAS takes.

    Leaves ``has_numpy`` for the checks of what needs it.
    """
    finding = _numpy(look)
    look.notes["has_numpy"] = finding.state != "error"
    yield finding


def _numpy(look: Look) -> Finding:
    if not look.system.can_start_python:
        import numpy as np

        return ok(f"NumPy {np.__version__} in a frozen program", version=np.__version__)
    limit_s = look.within_s(_IMPORT_LIMIT_S)
    ran = look.system.start_python("edge.doctor.numpy_trial", [], limit_s)
    look.outputs["numpy_trial"] = ran.out + ran.err
    if ran.is_late and limit_s < _IMPORT_LIMIT_S:
        return skipped(
            f"NumPy is not imported within {limit_s:.0f} s, which may be for want of time",
            'time python3 -c "import numpy"',
        )
    if ran.is_late:
        return error(
            f"NumPy is not imported within {_IMPORT_LIMIT_S:g} s",
            "pip install --force-reinstall numpy",
        )
    told = last_object(ran.out)
    if not ({"version", "blas", "n_threads"} <= set(told) or {"problem", "mend"} <= set(told)):
        end = how_it_died(-ran.code) if ran.code is not None and ran.code < 0 else "says nothing"
        return error(f"NumPy {end}", "pip install --force-reinstall --no-binary numpy numpy")
    return _judge(look, told)


def _judge(look: Look, told: dict[str, Any]) -> Finding:
    if "problem" in told:
        return error(told["problem"], told["mend"])
    blas, n_threads = told["blas"] or "no BLAS of its own", told["n_threads"]
    sentence = f"NumPy {told['version']} with {blas}"
    if not told["blas"]:
        return warning(
            f"{sentence}: matrices are multiplied slowly",
            "sudo apt-get install libopenblas0 && pip install --force-reinstall numpy",
            **told,
        )
    if n_threads is not None and n_threads > 1:
        names = [name for name in _THREAD_VARIABLES if look.system.environ.get(name)]
        return warning(
            f"{sentence}, {n_threads} threads: they wait for each other and take more power",
            f"unset {' '.join(names) or _THREAD_VARIABLES[0]}",
            **told,
        )
    return ok(f"{sentence}{', 1 thread' if n_threads == 1 else ''}", **told)
