"""What a person pastes to make a file readable."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

__all__ = ["conversion"]


def conversion(name: str) -> str:
    """Say how a file becomes one that can be read.

    Parameters
    ----------
    name : str
        Its path, as it was given.

    Returns
    -------
    str
        The end of a sentence, with a line for a shell: the path is quoted, and what is made
        lies in the current folder under a name that is not its own.
    """
    path = Path(name)
    stem = path.stem.lstrip("-") or "speech"
    target = f"{stem}.wav" if path.suffix.lower() != ".wav" else f"{stem}-pcm.wav"
    source, target = _as_a_path(name), _as_a_path(target)
    line = f"ffmpeg -i {shlex.quote(source)} -c:a pcm_s16le {shlex.quote(target)}"
    return f"integer PCM or float is wanted: convert it with `{line}`"


def _as_a_path(name: str) -> str:
    """Write a name so that it is no option and no address: ffmpeg takes 12:30.m4a for one."""
    if name.startswith("-") or ":" in name.split("/", 1)[0]:
        return os.path.join(".", name)
    return name
