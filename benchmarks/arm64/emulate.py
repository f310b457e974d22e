"""Running a program of another processor, and counting what it executes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm64.roots import Root
from edge.errors import EdgeSerError

__all__ = [
    "CALL_X86",
    "Counts",
    "UnansweredError",
    "build_clock",
    "build_plugin",
    "check_children",
    "counted",
    "emulator",
    "run_here",
    "run_in",
    "said",
]

_HERE = Path(__file__).resolve().parent

#: Number of the system call ``getpriority`` on x86-64.
CALL_X86 = 140

_BINFMT = Path("/proc/sys/fs/binfmt_misc")

#: Seconds that one program may take; the longest takes 200.
_LIMIT_S = 1800.0

#: Marks of a stage: what its thread and what all threads had executed so far.
Counts = list[tuple[int, int, int]]

#: One thread, and dictionaries in the same order whenever it is run.
_CALM = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


class UnansweredError(EdgeSerError):
    """A program that was ended by a signal, by an error of its own or for want of an end.

    Parameters
    ----------
    doing : str
        What it did.
    how : str
        How it ended, such as ``"crashed: signal 11 (SIGSEGV)"``.
    """

    def __init__(self, doing: str, how: str) -> None:
        super().__init__(f"{doing} {how}")
        self.how = how


def emulator(machine: str) -> str:
    """Find QEMU's user-mode emulator that takes plugins.

    Raises
    ------
    EdgeSerError
        If it is not installed.
    """
    found = shutil.which(f"qemu-{machine}")
    if found is None:
        raise EdgeSerError(
            f"qemu-{machine} is not installed, which runs programs of that processor: "
            "apt-get install qemu-user"
        )
    return found


def check_children(machine: str, registry: Path = _BINFMT) -> None:
    """See that programs which an emulated one starts are emulated as well.

    Parameters
    ----------
    machine : str
        As QEMU calls it.
    registry : Path
        Where the kernel lists what it hands to others.

    Raises
    ------
    EdgeSerError
        If they are not: ``doctor`` starts some.
    """
    if not (registry / f"qemu-{machine}").exists():
        raise EdgeSerError(
            f"the kernel does not hand programs of {machine} to QEMU, and `doctor` starts some: "
            "apt-get install qemu-user-static, and where systemd does not run also: "
            f"mount -t binfmt_misc none {registry}; "
            f"cat /usr/lib/binfmt.d/qemu-{machine}.conf >{registry}/register"
        )


def build_plugin(folder: Path) -> Path:
    """Compile ``count.c``.

    Raises
    ------
    EdgeSerError
        If there is no C compiler, or it fails.
    """
    return _compiled("count.c", folder / "count.so", "-shared", "-fPIC")


def build_clock(folder: Path) -> Path:
    """Compile ``clock.c``; raises as :func:`build_plugin`."""
    return _compiled("clock.c", folder / "clock")


def _compiled(source: str, target: Path, *options: str) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise EdgeSerError(
            "there is no C compiler, which makes the plugin that counts: apt-get install gcc"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler, "-O2", *options, "-o", str(target), str(_HERE / source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EdgeSerError(f"{compiler} ended with {done.returncode}: {done.stderr.strip()}")
    return target


def run_in(
    root: Root, cpu: str, packages: str, words: Sequence[str | Path], options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run its Python on an emulated processor.

    Parameters
    ----------
    root : Root
    cpu : str
        As QEMU calls it.
    packages : str
        A key of :data:`benchmarks.arm64.roots.PACKAGES`.
    words : sequence of str or Path
        After ``python3``.
    options : sequence of str
        Of the emulator.

    Returns
    -------
    subprocess.CompletedProcess
        Whatever its exit code.

    Notes
    -----
    What it starts itself runs on the same processor where the kernel hands such programs to QEMU
    (binfmt_misc, package qemu-user-static), and not at all where it does not.
    """
    environment = {
        **_clean_environment(),
        "QEMU_LD_PREFIX": str(root.folder),
        "QEMU_CPU": cpu,
        "PYTHONPATH": root.python_path(packages),
    }
    command = [emulator(root.tree.qemu), *options, root.python, *words]
    return _run(command, environment)


def run_here(
    python_path: str, words: Sequence[str | Path], before: Sequence[str] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python on this machine.

    Parameters
    ----------
    python_path : str
        Where it looks first.
    words : sequence of str or Path
        After ``python3``.
    before : sequence of str
        What runs it, if anything.
    **more : str
        Environment.
    """
    environment = {**_clean_environment(), "PYTHONPATH": python_path, **more}
    return _run([*before, sys.executable, *words], environment)


def said(done: subprocess.CompletedProcess[str], doing: str) -> str:
    """What a program printed.

    Parameters
    ----------
    done : subprocess.CompletedProcess
    doing : str
        What it did, for the error.

    Raises
    ------
    UnansweredError
        If it failed.
    """
    if done.returncode < 0:
        # QEMU ends itself by the signal that ended what it runs.
        raise UnansweredError(doing, f"crashed: signal {_named(-done.returncode)}")
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise UnansweredError(doing, f"ended with exit code {done.returncode}: {' '.join(lines)}")
    return done.stdout


def _named(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def _clean_environment() -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "QEMU", "EDGE"))}
    return {**kept, **_CALM}


def _run(
    command: Sequence[str | Path], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    try:
        return subprocess.run(
            words,
            env=environment, cwd=tempfile.gettempdir(), capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=_LIMIT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UnansweredError(Path(words[0]).name, f"did not end within {_LIMIT_S:g} s") from error


def counted(path: Path) -> Counts:
    """Read what the plugin wrote.

    Raises
    ------
    EdgeSerError
        If it wrote nothing.
    """
    try:
        lines = path.read_text().split("\n")
    except OSError:
        lines = []
    marks = [line.split() for line in lines if line]
    if not marks:
        raise EdgeSerError(f"the plugin counted nothing: {path} is empty or missing")
    return [(int(number), int(own), int(total)) for number, own, total in marks]
