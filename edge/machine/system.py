"""The device, as the checks see it: every fact comes through here, so that a test can stage any."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import platform
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import edge.errors
from edge.machine.programs import Programs, Ran

__all__ = ["Run", "Space", "System", "this_system"]

#: The limit of threads that every command of ours sets, and its children need as well.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_READ_BYTES = 1 << 20


class Run(Protocol):
    """As :meth:`edge.machine.programs.Programs.run`."""

    def __call__(
        self, command: Sequence[str], timeout_s: float, environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a program."""


@dataclasses.dataclass(frozen=True, slots=True)
class Space:
    """Room on a file system."""

    free_bytes: int
    total_bytes: int
    n_free_files: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class System:
    """Where facts are read.

    Parameters
    ----------
    root : path
        Before every path of the system.
    environ : mapping
    run : callable
        Runs a program within a time.
    machine, pointer_bits : str, int
        Of the kernel, and of this Python.
    libc : str
        Name of the C library.
    user_id, group_ids : int, frozenset of int
        Who we are.
    now_s : callable
        Unix time.
    may_use : callable
        Whether a file may be read and written, with access lists and all.
    space : callable
        Room on the file system of a path.
    is_clock_synchronised : callable
        What the kernel knows; None where it cannot be asked.
    can_start_python : bool
        A frozen program's executable is the program itself.
    """

    root: Path
    environ: Mapping[str, str]
    run: Run
    machine: str
    pointer_bits: int
    libc: str
    user_id: int
    group_ids: frozenset[int]
    now_s: Callable[[], float]
    may_use: Callable[[Path], bool]
    space: Callable[[Path], Space]
    is_clock_synchronised: Callable[[], bool | None]
    can_start_python: bool

    def path(self, name: str | os.PathLike[str]) -> Path:
        """Where an absolute path of the system lies."""
        return self.root / os.fspath(name).lstrip("/")

    def read(self, name: str) -> str | None:
        """Text of a small file, without what surrounds it; None where it cannot be read."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read(_READ_BYTES).decode(errors="replace").strip("\0 \n\t")
        except (OSError, ValueError):
            return None

    def read_number(self, name: str) -> int | None:
        """Whole number of 64 bits in a file of the kernel's; None where there is none."""
        try:
            number = int(self.read(name) or "")
        except ValueError:
            return None
        return number if abs(number) < 1 << 64 else None

    def find(self, pattern: str) -> list[str]:
        """Absolute paths that fit a pattern, in order."""
        try:
            found = sorted(self.root.glob(pattern.lstrip("/")))
        except OSError:
            return []
        return [f"/{path.relative_to(self.root)}" for path in found]

    def start_python(self, module: str, arguments: Sequence[str], timeout_s: float) -> Ran:
        """Run a module of ours in a Python of its own."""
        folder = Path(edge.errors.__file__).resolve().parents[1]
        # The child must find the packages that this process would import, and no others.
        search = [str(folder), *(os.path.abspath(entry) for entry in sys.path)]
        environ = {**self.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(search))}
        environ["PYTHONSAFEPATH"] = "1"
        for name in _THREADS:
            environ.setdefault(name, "1")
        return self.run([sys.executable, "-m", module, *arguments], timeout_s, environ)

    def container(self) -> str | None:
        """Name the container this runs in; None outside of one."""
        if self.path("/.dockerenv").exists():
            return "docker"
        if self.path("/run/.containerenv").exists():
            return "podman"
        return self.environ.get("container") or None


def this_system(programs: Programs) -> System:
    """Look at the real thing."""
    return System(
        root=Path("/"),
        environ=os.environ,
        run=programs.run,
        machine=platform.machine(),
        pointer_bits=8 * struct.calcsize("P"),
        libc=_libc(),
        user_id=os.geteuid(),
        group_ids=frozenset({os.getegid(), *os.getgroups()}),
        now_s=time.time,
        may_use=lambda path: os.access(path, os.R_OK | os.W_OK, effective_ids=_HAS_EFFECTIVE),
        space=_space,
        is_clock_synchronised=_ask_kernel_clock,
        can_start_python=bool(sys.executable) and not getattr(sys, "frozen", False),
    )


_HAS_EFFECTIVE = os.access in os.supports_effective_ids


def _libc() -> str:
    try:
        name, version = platform.libc_ver()
    except OSError:
        return ""
    if name:
        return f"{name} {version}".strip()
    return "musl" if any(Path("/lib").glob("ld-musl-*")) else ""


def _space(path: Path) -> Space:
    room = os.statvfs(path)
    # Some file systems have no count of files, and say 0 of 0.
    n_files = room.f_favail if room.f_files else None
    return Space(room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize, n_files)


def _ask_kernel_clock() -> bool | None:
    """Ask ``adjtimex(2)``, which needs no rights where nothing is set."""
    # Larger than the kernel's struct timex on any machine (208 bytes); modes, first, is 0.
    room = ctypes.create_string_buffer(512)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(room)
    except (OSError, AttributeError, TypeError):
        return None
    # TIME_ERROR of timex.h: not synchronised.
    return None if state < 0 else state != 5
