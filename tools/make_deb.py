"""Build the Debian package of the device's distribution, from the last commit.

    make deb

It needs `apt-get install debhelper dh-python`.  One package serves every architecture: the code is
Python, NumPy is Debian's own.  sounddevice, which Debian 12 has not, comes from the environment
that runs this, in the version of constraints.txt.
"""

from __future__ import annotations

import argparse
import email.utils
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edge.cli.unit import UnitSettings, unit_text
from tools.check_wheel import ROOT, CheckError, check
from tools.manual import manual
from tools.release import export, git, read_version

PACKAGE = "edge-ser"
PARTS = ROOT / "packaging" / "debian"
SOUND = "sounddevice"
PROGRAM = """\
#!/usr/bin/python3
import sys

sys.path.insert(0, "/usr/share/edge-ser")

from edge_ser.start import run

run()
"""


def version_of(root: Path) -> str:
    """Give the package's version: of a tag, or one that sorts in front of the release to come."""
    version = read_version(root)
    if f"v{version}" in git(root, "tag", "--points-at", "HEAD").split():
        return version
    when = time.strftime("%Y%m%d.%H%M%S", time.gmtime(made_at(root)))
    return f"{version}~git{when}.{git(root, 'rev-parse', '--short=7', 'HEAD')}"


def made_at(root: Path) -> int:
    """Give the time of the last commit, in seconds since 1970."""
    return int(git(root, "log", "-1", "--format=%ct"))


def unit() -> str:
    """Write the unit of the package: that of `edge-ser service --system`, for a user of its own."""
    # Which sinks there are is in the configuration, which may change while this stays.
    settings = UnitSettings(
        [f"/usr/bin/{PACKAGE}", "listen"], is_system=True, has_network=True, user=PACKAGE
    )
    return unit_text(settings)


def lay_out(root: Path, folder: Path, version: str) -> None:
    """Lay out what the package is built from.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
        Where; a new one.
    version : str
        Of the package.
    """
    source = folder.parent / "export"
    export(root, source)
    library = folder / "library"
    library.mkdir(parents=True)
    for name in ("edge", "edge_ser"):
        shutil.copytree(source / name, library / name)
    licence = _add_sounddevice(library)
    (folder / "bin").mkdir()
    program = folder / "bin" / PACKAGE
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    debian = folder / "debian"
    shutil.copytree(source / "packaging" / "debian", debian)
    for name in ("config.toml", "offline.conf"):
        (debian / name).replace(folder / name)
    shutil.copy(source / "README.md", folder)
    seconds = made_at(root)
    day = time.strftime("%Y-%m-%d", time.gmtime(seconds))
    (folder / f"{PACKAGE}.1").write_text(manual(day), encoding="utf-8")
    (debian / f"{PACKAGE}.service").write_text(unit(), encoding="utf-8")
    paragraphs = "\n".join(f" {line.strip() or '.'}" for line in licence.strip().splitlines())
    _replace(debian / "copyright", "SOUNDDEVICE_LICENCE", paragraphs)
    control = (debian / "control").read_text(encoding="utf-8")
    [maintainer] = [
        line.partition(": ")[2] for line in control.splitlines() if line.startswith("Maintainer: ")
    ]
    (debian / "changelog").write_text(
        f"{PACKAGE} ({version}) unstable; urgency=medium\n\n"
        f"  * What changed is in the project's own CHANGELOG.md.\n\n"
        f" -- {maintainer}  {email.utils.formatdate(seconds)}\n",
        encoding="utf-8",
    )


def _add_sounddevice(library: Path) -> str:
    """Copy sounddevice as it is installed here, and give its licence."""
    try:
        found = importlib.metadata.distribution(SOUND)
    except importlib.metadata.PackageNotFoundError as error:
        raise CheckError(f"{SOUND} is not installed here: pip install .") from error
    details = library / f"{SOUND}.dist-info"
    details.mkdir()
    licence = ""
    for file in found.files or []:
        path = Path(str(file.locate()))
        if file.name in ("sounddevice.py", "_sounddevice.py"):
            shutil.copy(path, library)
        elif file.name == "METADATA":
            shutil.copy(path, details)
        elif file.name == "LICENSE":
            licence = path.read_text(encoding="utf-8")
    # Its first lines name the holder, as the file does that says whose what is.
    text = licence.partition("Permission is hereby")
    check(bool(text[1]), f"the licence of {SOUND} is another than packaging/debian/copyright says")
    return text[1] + text[2]


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    check(old in text, f"{path.name} has no {old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def build(root: Path, out: Path) -> Path:
    """Build the package.

    Parameters
    ----------
    root : Path
        The checkout.
    out : Path
        Where package, ``.changes`` and ``.buildinfo`` are put.

    Returns
    -------
    Path
        The package.

    Raises
    ------
    CheckError
        If a tool is missing or the build fails.
    """
    needs = ("dpkg-buildpackage", "dh", "dh_python3")
    missing = [tool for tool in needs if shutil.which(tool) is None]
    check(
        not missing,
        f"{', '.join(missing)} is missing: sudo apt-get install dpkg-dev debhelper dh-python",
    )
    version = version_of(root)
    with tempfile.TemporaryDirectory(prefix="edge-ser-deb-") as name:
        # Reached by everybody: lintian and piuparts look at it as other users.
        folder = Path(name) / f"{PACKAGE}-{version}"
        lay_out(root, folder, version)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": str(made_at(root)),
        }
        done = subprocess.run(
            ["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps"],
            check=False, cwd=folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        check(
            done.returncode == 0, f"the build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
        out.mkdir(parents=True, exist_ok=True)
        for path in Path(name).glob(f"{PACKAGE}_*"):
            shutil.copy(path, out)
        [package] = Path(name).glob("*.deb")
        return out / package.name


def main(argv: list[str] | None = None) -> int:
    """Build it and say how it is installed."""
    parser = argparse.ArgumentParser(description="Build the Debian package.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where it is put (dist)")
    args = parser.parse_args(argv)
    try:
        package = build(ROOT, args.out)
    except (CheckError, OSError) as error:
        print(f"make_deb: error: {error}", file=sys.stderr)
        return 2
    print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")
    print(f"sudo apt-get install {package.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
