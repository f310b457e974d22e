"""Checks of single manifest values, each with one sentence naming the key."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from edge.errors import ArtifactError

T = TypeVar("T")

__all__ = [
    "build",
    "finite",
    "items",
    "json_object",
    "numbers",
    "plain",
    "record",
    "text",
    "texts",
    "whole",
]


def json_object(where: str, value: object, required: Sequence[str] = ()) -> dict[str, Any]:
    """Check for a JSON object with string keys that has at least the ``required`` ones."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ArtifactError(f"{where} is {_short(value)}, a JSON object is wanted")
    missing = [key for key in required if key not in value]
    if missing:
        raise ArtifactError(f"{where} lacks {', '.join(missing)}")
    return dict(value)


def record(where: str, value: object, kind: type) -> dict[str, Any]:
    """Check for a JSON object with the fields of dataclass ``kind`` and no other.

    Only a field with a default may be missing: manifests of older versions lack it.  A field
    that a file calls by another name has it as ``metadata["key"]``; the result has the file's.
    """
    fields = json_object(where, value)
    known = {_key(field): field.default for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - set(known))
    missing = [k for k, v in known.items() if k not in fields and v is dataclasses.MISSING]
    if unknown:
        raise ArtifactError(f"{where} has unknown keys: {', '.join(unknown)}")
    if missing:
        raise ArtifactError(f"{where} lacks {', '.join(missing)}")
    return fields


def build(kind: type[T], fields: Mapping[str, Any]) -> T:
    """Build dataclass ``kind`` from the fields of :func:`record`, once they are checked."""
    names = {_key(field): field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{names[key]: value for key, value in fields.items()})


def plain(value: object) -> Any:
    """Give dataclasses, and those within them, as objects with the keys of a file."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_key(f): plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return value


def items(where: str, value: object) -> list[Any]:
    """Check for a JSON array."""
    if not isinstance(value, list | tuple):
        raise ArtifactError(f"{where} is {_short(value)}, a list is wanted")
    return list(value)


def text(where: str, value: object) -> str:
    """Check for a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ArtifactError(f"{where} is {_short(value)}, a text is wanted")
    return value


def texts(where: str, value: object, count: int | None = None) -> tuple[str, ...]:
    """Check for different strings, ``count`` of them if given."""
    found = tuple(text(f"an entry of {where}", item) for item in items(where, value))
    if count is not None and len(found) != count:
        raise ArtifactError(f"{where} has {len(found)} entries, {count} are wanted")
    if len(set(found)) != len(found):
        raise ArtifactError(f"{where} names one entry twice: {', '.join(found)}")
    return found


def whole(where: str, value: object, least: int) -> int:
    """Check for a whole number of at least ``least``; ``true`` is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArtifactError(
            f"{where} is {_short(value)}, a whole number of at least {least} is wanted"
        )
    return value


def finite(where: str, value: object) -> float:
    """Check for a number that is neither infinite nor NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArtifactError(f"{where} is {_short(value)}, a number is wanted")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ArtifactError(f"{where} is {_short(value)}, a finite number is wanted")
    return number


def numbers(where: str, value: object, count: int) -> tuple[float, ...]:
    """Check for exactly ``count`` finite numbers."""
    found = items(where, value)
    if len(found) != count:
        raise ArtifactError(f"{where} has {len(found)} numbers, {count} are wanted")
    return tuple(finite(where, number) for number in found)


def _key(field: dataclasses.Field[Any]) -> str:
    key: str = field.metadata.get("key", field.name)
    return key


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}..."
