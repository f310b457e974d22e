"""Where a training goes on from: torch's own format, with a digest in front of it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path

__all__ = ["load_state", "save_state"]

_MARK = b"edge-ser training state 1\n"


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all.

    Raises
    ------
    TrainingError
        If it cannot be written: the disk is full, say. What was there stays.
    """
    buffer = io.BytesIO()
    # Not into the file: torch tells of a full disk in words of its own.
    torch.save(state, buffer)
    content = buffer.getvalue()
    try:
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            file.write(_MARK + hashlib.sha256(content).digest())
            file.write(content)
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written ({error.strerror or error}): make room there, and the same "
            "command goes on with the training"
        ) from error


def load_state(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what :func:`save_state` wrote.

    Raises
    ------
    TrainingError
        If it is damaged or something else.
    """
    try:
        content = path.read_bytes()
        digest, rest = content[len(_MARK) : len(_MARK) + 32], content[len(_MARK) + 32 :]
        if not content.startswith(_MARK) or hashlib.sha256(rest).digest() != digest:
            raise ValueError("it is damaged, or of another version")
        state: dict[str, Any] = torch.load(io.BytesIO(rest), map_location=device, weights_only=True)
    except Exception as error:
        reason = getattr(error, "strerror", None) or error
        raise TrainingError(
            f"{path} cannot be read ({reason}): delete it to start the run again"
        ) from error
    return state
