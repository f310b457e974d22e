"""SHA-256 without OpenSSL."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

__all__ = ["sha256_hex", "sha256_of_file"]

_PIECE_BYTES = 1 << 20


def _find() -> Callable[[bytes], Any]:
    """Give Python's own SHA-256, which is what ``hashlib`` has where there is no OpenSSL.

    ``hashlib`` itself loads OpenSSL, 4 MB for a device that hashes one file a month.  These
    two are Python's private business, so that they may go.
    """
    for name in ("_sha2", "_sha256"):
        try:
            found: Callable[[bytes], Any] = importlib.import_module(name).sha256
        except (ImportError, AttributeError):
            continue
        return found
    import hashlib

    return hashlib.sha256


_sha256 = _find()


def sha256_hex(content: bytes) -> str:
    """Digest bytes.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digits: str = _sha256(content).hexdigest()
    return digits


def sha256_of_file(path: str | os.PathLike[str]) -> str:
    """Digest a file in pieces: an hour of sound takes no more memory than a second.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    digest = _sha256(b"")
    with open(path, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    digits: str = digest.hexdigest()
    return digits
