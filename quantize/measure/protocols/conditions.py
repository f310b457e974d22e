"""Names of the protocols; a command's help needs no more."""

from __future__ import annotations

__all__ = ["CLEAN", "PROTOCOLS"]

#: All protocols but whole, clean utterances.
PROTOCOLS = ("segments", "noise", "conditions", "reference")

CLEAN = "clean"
