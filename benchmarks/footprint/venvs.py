"""An environment of its own for everything that is compared: what it needs, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.threads import VARIABLES
from edge.errors import EdgeSerError, ParameterError

__all__ = ["ROOT", "Environment", "clean_environment", "make", "sizes"]

ROOT = Path(__file__).resolve().parents[2]

_STAMP = ".installed"
#: What would let one environment see into another, or keep compiled code from being kept.
_LEFT_OUT = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONSTARTUP", "VIRTUAL_ENV")
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Environment:
    """What pip installs; ``ours`` stands for this checkout, with an extra behind it or none."""

    name: str
    packages: tuple[str, ...]
    ours: str | None = None


def make(environment: Environment, folder: Path) -> Path:
    """Make an environment, or go on with one that was made before; gives its Python.

    Our own package is installed anew every time: it is what is being worked on.

    Raises
    ------
    ParameterError
        If the folder holds something else.
    EdgeSerError
        If pip fails; with the last line that it said.
    """
    home = folder / environment.name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = home / _STAMP
    wanted = f"{sys.version}\n{environment.packages}\n{environment.ours}\n"
    if home.exists() and not (home / "pyvenv.cfg").is_file():
        raise ParameterError(
            f"{home} is no environment of ours, a folder that is not there is wanted"
        )
    is_there = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted
    if not is_there:
        venv.create(home, clear=True, with_pip=False, symlinks=os.name != "nt")
        if environment.packages:
            _pip(python, *environment.packages)
    if environment.ours is not None:
        with tempfile.TemporaryDirectory() as copy:
            _copy_checkout(Path(copy))
            again = ("--force-reinstall", "--no-deps") if is_there else ()
            _pip(python, *again, f"{copy}{environment.ours}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _pip(python: Path, *arguments: str) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--disable-pip-version-check", "--constraint", str(ROOT / "constraints.txt")),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise EdgeSerError(f"pip could not install {' '.join(arguments)}: {said[0]}")


def _copy_checkout(target: Path) -> None:
    """Copy what git knows, as it lies here: pip leaves files beside what it builds."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "edge", "edge_ser", "pyproject.toml",
         "README.md", "LICENSE", "MANIFEST.in"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)


def clean_environment() -> dict[str, str]:
    """Take what reaches into another Python out of this process's environment; one thread."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {**kept, **dict.fromkeys(VARIABLES, "1")}


def sizes(python: Path) -> Mapping[str, Any]:
    """Installed bytes in MB (10^6): as unpacked, the largest packages of it, and compiled code."""
    told = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    site = Path(told.stdout.strip())
    unpacked: dict[str, int] = {}
    compiled = 0
    for path in site.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        n_bytes = path.stat().st_size
        if path.suffix == ".pyc":
            compiled += n_bytes
        else:
            part = path.relative_to(site).parts[0]
            unpacked[part] = unpacked.get(part, 0) + n_bytes
    largest = sorted(unpacked.items(), key=lambda item: -item[1])[:8]
    return {
        "unpacked_mb": round(sum(unpacked.values()) / _MB, 2),
        "compiled_mb": round(compiled / _MB, 2),
        "largest_mb": {part: round(n_bytes / _MB, 2) for part, n_bytes in largest},
    }
