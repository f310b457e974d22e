"""Which code made a figure."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["commit"]

_UNKNOWN = "unknown"


def commit(package: Path | None = None) -> str:
    """Commit of the checkout that the code lies in, with ``+`` when the code has changes.

    Parameters
    ----------
    package : path, optional
        Folder of the code; this package's own if None.

    Returns
    -------
    str
        "unknown" outside git, and for an installed package: the repository around its virtual
        environment is somebody else's.
    """
    here = (package or Path(__file__).parents[1]).resolve()
    try:
        # Lists nothing where the repository around us does not know us.
        if not _git(here, "ls-files", "--", "__init__.py"):
            return _UNKNOWN
        sha = _git(here, "rev-parse", "--short=12", "HEAD")
        changes = _git(here, "status", "--porcelain", "--", ".", "../edge")
    except (OSError, subprocess.CalledProcessError):
        return _UNKNOWN
    return sha + ("+" if changes else "")


def _git(folder: Path, *words: str) -> str:
    # Within a hook these name another repository than the folder's.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    found = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()
