"""Build both wheels, weigh the device's, install it alone and run it as a person would.

    python tools/check_wheel.py

Needs a registry for the build tools, NumPy and sounddevice; everything happens
in a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_BYTES = 2_000_000
# sounddevice's own needs are cffi and, through it, pycparser.
ALLOWED = {"edge-ser", "numpy", "sounddevice", "cffi", "pycparser"}
WANTED_FILES = (
    "edge/py.typed",
    "edge/bundled/demo/dialogue.wav",
    "edge/sinks/web/page/index.html",
    "edge/sinks/web/page/page.css",
    "edge/sinks/web/page/page.js",
)


class CheckError(Exception):
    """A promise about the wheel does not hold."""


def check(condition: bool, message: str) -> None:
    """Raise when a promise does not hold."""
    if not condition:
        raise CheckError(message)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and give what it printed; a failure shows what it said."""
    # A checkout on PYTHONPATH would be taken for what is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)],
        check=False, cwd=cwd, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    check(
        done.returncode == 0,
        f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr.strip()}",
    )
    return done.stdout


def build(folder: Path, root: Path = ROOT, options: Sequence[str] = ()) -> Path:
    """Build source archive and wheel, the wheel from the archive, and look inside."""
    run(sys.executable, "-m", "build", *options, "--outdir", folder, root, cwd=folder)
    [wheel], [archive] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    size = wheel.stat().st_size
    with zipfile.ZipFile(wheel) as package:
        names = package.namelist()
    print(f"{archive.name}: {archive.stat().st_size / 1e3:.0f} kB")
    print(f"{wheel.name}: {size / 1e3:.0f} kB, {len(names)} files")
    check(size <= LIMIT_BYTES, f"the wheel is {size} bytes, at most {LIMIT_BYTES} are wanted")
    for name in WANTED_FILES:
        check(name in names, f"the wheel lacks {name}")
    tops = {name.split("/")[0] for name in names}
    stray = {top for top in tops if top not in {"edge", "edge_ser"} and ".dist-info" not in top}
    check(not stray, f"the wheel carries {sorted(stray)}")
    return wheel


def check_workstation(folder: Path, root: Path = ROOT, options: Sequence[str] = ()) -> None:
    """Build the workstation's two and see that they hold every module, recipe and template."""
    # setuptools builds in the folder itself and would leave its `build` there.
    source = folder / "quantize"
    shutil.copytree(
        root / "quantize",
        source,
        ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"),
    )
    run(sys.executable, "-m", "build", *options, "--outdir", folder, source, cwd=folder)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        names = {name for name in package.namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(root).as_posix()
        for path in (root / "quantize").rglob("*")
        if path.suffix in (".py", ".j2") or (path.suffix == ".toml" and "recipes" in path.parts)
    }
    wanted = {name for name in wanted if not name.startswith("quantize/build/")}
    # The entry point lies beside the package: a foreign `quantize` would hide it.
    entry = "edge_ser_quantize.py"
    wanted = {entry if name == f"quantize/{entry}" else name for name in wanted}
    print(f"{wheel.name}: {wheel.stat().st_size / 1e3:.0f} kB, {len(names)} files")
    check(names >= wanted, f"the workstation's wheel lacks {sorted(wanted - names)}")
    stray = {name for name in names if not name.startswith("quantize/")} - {entry}
    check(not stray, f"the workstation's wheel carries {sorted(stray)}")


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a fresh environment and see what came along."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    listed = json.loads(run(python, "-m", "pip", "list", "--format=json", cwd=folder))
    names = {entry["name"].lower().replace("_", "-") for entry in listed} - {"pip", "setuptools"}
    print(f"installed: {', '.join(sorted(names))}")
    check(names <= ALLOWED, f"the base install also brings {sorted(names - ALLOWED)}")
    check({"edge-ser", "numpy", "sounddevice"} <= names, "the base install lacks a package")
    return folder / "bin" / "edge-ser"


def listen(command: Path, folder: Path) -> None:
    """Run the demo far from the checkout and read its JSON Lines."""
    lines = run(command, "listen", "--source", "demo", "--fast", "--json", cwd=folder).splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    check(kinds.count("decision") >= 10, f"the demo gave {kinds.count('decision')} decisions")
    check(kinds[-1] == "summary", f"the last line is a {kinds[-1]}, a summary is wanted")
    print(f"listen: {len(kinds) - 1} decisions and a summary")


def main() -> int:
    """Run all checks."""
    with tempfile.TemporaryDirectory(prefix="edge-ser-wheel-") as name:
        folder = Path(name)
        try:
            wheel = build(folder)
            check_workstation(folder / "workstation")
            listen(install(wheel, folder / "environment"), folder)
        except CheckError as error:
            print(f"check_wheel: error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
