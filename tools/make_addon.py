"""Lay out the Home Assistant add-on: a folder that its supervisor can build where it runs.

    make addon

The folder holds the container's recipe with the add-on's own last stage, and all that is copied in
it: nothing has to be published for it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools.check_wheel import ROOT, CheckError
from tools.release import export, read_version

#: What the container's recipe copies.
COPIED = (
    "pyproject.toml", "README.md", "LICENSE", "constraints.txt", "edge", "edge_ser",
    "packaging/container/health.py",
)  # fmt: skip
TAIL = "Dockerfile.tail"


def lay_out(root: Path, folder: Path) -> None:
    """Write the folder anew, from the last commit.

    Raises
    ------
    CheckError
        If the add-on has another version than the rest.
    """
    with tempfile.TemporaryDirectory(prefix="edge-ser-addon-") as name:
        source = Path(name) / "source"
        export(root, source)
        addon = source / "packaging" / "home-assistant" / "edge-ser"
        version = read_version(source)
        if f'version: "{version}"' not in (addon / "config.yaml").read_text(encoding="utf-8"):
            raise CheckError(f"packaging/home-assistant/edge-ser/config.yaml is not of {version}")
        recipe = (source / "packaging" / "container" / "Containerfile").read_text(encoding="utf-8")
        tail = (addon / TAIL).read_text(encoding="utf-8")
        (addon / TAIL).unlink()
        (addon / "Dockerfile").write_text(recipe + tail, encoding="utf-8")
        for copied in COPIED:
            target = addon / copied
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / copied).is_dir():
                shutil.copytree(source / copied, target)
            else:
                shutil.copy(source / copied, target)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(addon, folder)


def main(argv: list[str] | None = None) -> int:
    """Write it and say where it goes."""
    parser = argparse.ArgumentParser(description="Lay out the Home Assistant add-on.")
    default = ROOT / "dist" / "home-assistant" / "edge-ser"
    parser.add_argument("--out", type=Path, default=default, help="the folder, written anew")
    args = parser.parse_args(argv)
    try:
        lay_out(ROOT, args.out)
    except (CheckError, OSError) as error:
        print(f"make_addon: error: {error}", file=sys.stderr)
        return 2
    print(f"copy {args.out} into /addons of Home Assistant, then look for updates in its store")
    return 0


if __name__ == "__main__":
    sys.exit(main())
