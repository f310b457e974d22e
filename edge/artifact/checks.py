"""Checks of single manifest values, each with one sentence naming the key."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from edge.artifact.budgets import MAX_DEPTH, MAX_LETTERS, MAX_NUMBER, MAX_WHOLE
from edge.errors import ArtifactError, how_many, printable

T = TypeVar("T")

__all__ = [
    "build",
    "finite",
    "items",
    "json_object",
    "named",
    "numbers",
    "one_line",
    "plain",
    "record",
    "shallow",
    "short",
    "text",
    "texts",
    "whole",
]


def json_object(where: str, value: object, required: Sequence[str] = ()) -> dict[str, Any]:
    """Check for a JSON object with string keys that has at least the ``required`` ones."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ArtifactError(f"{where} is {short(value)}, a JSON object is wanted")
    missing = [key for key in required if key not in value]
    if missing:
        raise ArtifactError(f"{where} lacks {named(missing)}")
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
        raise ArtifactError(f"{where} has unknown keys: {named(unknown)}")
    if missing:
        raise ArtifactError(f"{where} lacks {named(missing)}")
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
        raise ArtifactError(f"{where} is {short(value)}, a list is wanted")
    return list(value)


def text(where: str, value: object) -> str:
    """Check for a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ArtifactError(f"{where} is {short(value)}, a text is wanted")
    return value


def one_line(where: str, value: object, most: int = MAX_LETTERS) -> str:
    """Check for a string that a terminal shows as it is, of at most ``most`` letters.

    It may be a stranger's, and is printed, drawn and written into tables.
    """
    found = text(where, value)
    if len(found) > most:
        raise ArtifactError(f"{where} has {len(found)} letters, at most {most} are wanted")
    if printable(found) != found or not found.strip():
        raise ArtifactError(
            f"{where} is {short(found)}, a text without line ends and other signs that a "
            "terminal obeys is wanted"
        )
    return found


def shallow(where: str, value: object) -> None:
    """Check that objects and lists are not nested deeper than anything that follows them can."""
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [inner for item in layer for inner in _inside(item)]
        if not layer:
            return
    raise ArtifactError(f"{where} is nested deeper than {MAX_DEPTH} objects and lists")


def _inside(item: object) -> list[Any]:
    if isinstance(item, Mapping):
        return list(item.values())
    return list(item) if isinstance(item, list | tuple) else []


def texts(where: str, value: object, count: int | None = None) -> tuple[str, ...]:
    """Check for different strings of one line, ``count`` of them if given."""
    found = tuple(one_line(f"an entry of {where}", item) for item in items(where, value))
    if count is not None and len(found) != count:
        raise ArtifactError(f"{where} has {len(found)} entries, {count} are wanted")
    if len(set(found)) != len(found):
        raise ArtifactError(f"{where} names one entry twice: {named(found)}")
    return found


def whole(where: str, value: object, least: int, most: int = MAX_WHOLE) -> int:
    """Check for a whole number from ``least`` to ``most``; ``true`` is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArtifactError(
            f"{where} is {short(value)}, a whole number of at least {least} is wanted"
        )
    if value > most:
        raise ArtifactError(f"{where} is {short(value)}, at most {most} is wanted")
    return value


def finite(where: str, value: object) -> float:
    """Check for a number that is neither infinite nor NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArtifactError(f"{where} is {short(value)}, a number is wanted")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ArtifactError(f"{where} is {short(value)}, a finite number is wanted")
    return number


def numbers(where: str, value: object, count: int) -> tuple[float, ...]:
    """Check for exactly ``count`` numbers that float32 can hold and be squared in."""
    found = items(where, value)
    if len(found) != count:
        raise ArtifactError(f"{where} has {how_many(len(found), 'number')}, {count} are wanted")
    result = tuple(finite(where, number) for number in found)
    largest = max(map(abs, result), default=0.0)
    if largest > MAX_NUMBER:
        raise ArtifactError(f"{where} holds {largest:g}, at most {MAX_NUMBER:g} is wanted")
    return result


def named(words: Iterable[str]) -> str:
    """List words of a stranger, the first few and of each the beginning."""
    found = list(words)
    shown = [printable(word[:60]) for word in found[:6]]
    return ", ".join([*shown, "..."] if len(found) > 6 else shown)


def _key(field: dataclasses.Field[Any]) -> str:
    key: str = field.metadata.get("key", field.name)
    return key


def short(value: object) -> str:
    """Give a value as Python writes it, or the beginning of that."""
    try:
        words = repr(value)
    except (RecursionError, ValueError):
        # Nested too deeply, or a number of more digits than Python writes.
        return f"a {type(value).__name__}"
    return words if len(words) <= 60 else f"{words[:57]}..."
