"""By what cached rows are found: digests of everything that decides them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from quantize.data.features.compute import Heard, Making
from quantize.data.sound.reading import session_of

__all__ = ["digest", "folder_name", "key_of"]


def key_of(heard: Heard, making: Making, recipe: Mapping[str, Any]) -> str:
    """SHA-256 of everything that decides the rows of a clip."""
    facts: dict[str, Any] = {"recipe": recipe, "content": heard.sha256}
    if part := _part(heard):
        facts["part"] = part
    if making.variant or making.condition:
        facts["chance"] = heard.clip.clip_id
    if making.variant:
        facts["session"] = session_of(heard.clip)
    if making.voices:
        facts["speaker"] = heard.clip.speaker
        facts["voices"] = [
            [v.clip.clip_id, v.clip.speaker, v.sha256, *_part(v)] for v in making.voices
        ]
    return digest(facts)


def _part(heard: Heard) -> list[float | None]:
    """Which part of its file a clip is; nothing where it is the whole."""
    start_s, end_s = heard.clip.start_s, heard.clip.end_s
    return [] if start_s is None and end_s is None else [start_s, end_s]


def folder_name(making: Making, recipe: Mapping[str, Any]) -> str:
    """Name of the folder of the rows of one recipe."""
    kind = making.condition or (f"variant-{making.variant}" if making.variant else "clean")
    return f"{kind}-{digest(recipe)[:16]}"


def digest(facts: Any) -> str:
    """SHA-256 of what is JSON-ready."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
