"""What PyInstaller asks a package that is frozen into an application."""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """Return the folder of ``hook-edge.py``; the entry point ``pyinstaller40`` names it."""
    return [str(Path(__file__).resolve().parent)]
