"""What a figure was measured on: the commit of this checkout, and whether it was changed since."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

__all__ = ["git_state"]

_ROOT = Path(__file__).resolve().parents[2]


def git_state(*measured: str) -> dict[str, Any]:
    """Give ``commit`` and ``modified`` for a result.

    Parameters
    ----------
    measured : str
        Files and folders, from the root, whose changes count.

    Returns
    -------
    dict
        The commit is None outside of a checkout.
    """
    return {
        "commit": _git("rev-parse", "HEAD"),
        "modified": bool(_git("status", "--porcelain", "--", *measured)),
    }


def _git(*args: str) -> str | None:
    command = ["git", "-C", str(_ROOT), *args]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
