"""The digest of a manifest in itself: what its labels and numbers mean is told by it alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from edge.digest import sha256_hex

__all__ = ["SEAL", "seal_of", "sealed"]

SEAL = "manifest_sha256"
"""Key of ``manifest.json``; manifests of before there was one go without."""


def seal_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what a manifest says without :data:`SEAL`, however it is laid out."""
    return sha256_hex(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def sealed(text: str) -> str:
    """The text of a manifest with its seal behind all else."""
    said = text.rstrip().removesuffix("}").rstrip()
    return f'{said},\n  "{SEAL}": "{seal_of(json.loads(text))}"\n}}\n'
