"""Typed settings: what values they may have, checked once where they are made.

Settings come out of TOML, of a run's ``config.json``, a checkpoint's header, a command line and
from Python: a whole number of 400 digits, ``true``, a text, NaN or a key that nobody knows is one
sentence in all of them, and the same one.  A setting's range stands in its type::

    class Sizes(Settings, frozen=True):
        hidden: Annotated[int, whole(1, 65_536)] = 128
        dropout: Share = 0.3
"""

from __future__ import annotations

import math
import numbers
import operator
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, force_setattr

from edge.errors import EdgeSerError, ParameterError, printable, shown

__all__ = [
    "Above0",
    "NotNegative",
    "ProperShare",
    "Seed",
    "Settings",
    "Share",
    "between",
    "check",
    "fields_of",
    "range_of",
    "unknown_keys",
    "whole",
]

Own = TypeVar("Own", bound="Settings")

_FIELDS: dict[type[Any], tuple[FieldInfo, ...]] = {}


def between(low: float, high: float, wanted: str) -> Meta:
    """Range of a number, both ends included, and the end of the sentence that refuses another."""
    return Meta(ge=low, le=high, extra={"wanted": wanted})


def whole(low: int, high: int, wanted: str | None = None) -> Meta:
    """Range of a whole number, both ends included."""
    return between(low, high, wanted or f"a whole number from {low} to {high} is wanted")


#: A number above 0 and below infinity.
Above0 = Annotated[
    float, between(math.ulp(0.0), sys.float_info.max, "a finite number above 0 is wanted")
]
#: 0 or a number above, below infinity.
NotNegative = Annotated[
    float, between(0.0, sys.float_info.max, "0 or a finite number above is wanted")
]
#: From nothing to all.
Share = Annotated[float, between(0.0, 1.0, "a share in [0, 1] is wanted")]
#: More than nothing and less than all.
ProperShare = Annotated[
    float,
    between(math.ulp(0.0), math.nextafter(1.0, 0.0), "a number above 0 and below 1 is wanted"),
]
#: As torch and NumPy both take them.
Seed = Annotated[int, whole(0, 2**63 - 1)]


def check(value: Any, kind: Any, name: str, error: type[EdgeSerError] = ParameterError) -> Any:
    """Check one value against a type with its range.

    Parameters
    ----------
    value : object
        As it was read, or as a caller gave it.
    kind : type
        ``bool``, ``str``, ``Literal``, ``tuple[str, ...]``, ``dict[str, ...]``, and ``int`` or
        ``float``, ``Annotated`` with their range.
    name : str
        What to call it in the sentence.

    Returns
    -------
    object
        Of Python's own types: NumPy's numbers and lists in place of tuples are taken. A whole
        number for a fraction stays whole: what is made of settings is found again by what they
        look like as JSON.

    Raises
    ------
    ParameterError
        If it is none; or another ``error``.
    """
    if typing.get_origin(kind) is dict:
        _, of_items = typing.get_args(kind)
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise error(f"{name} is {shown(value)}, {_wanted(kind)}")
        return {
            key: check(item, of_items, f"{name} of {printable(key)}", error)
            for key, item in value.items()
        }
    plain = _plain(value)
    try:
        converted = msgspec.convert(plain, kind)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as refused:
        raise error(f"{name} is {shown(value)}, {_wanted(kind)}") from refused
    return plain if type(plain) is int and type(converted) is float else converted


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings whose fields are checked by their types, whoever makes them.

    A subclass checks what spans fields in its own ``__post_init__``, behind this one's.

    Raises
    ------
    ParameterError
        Naming the first field that holds no such value.
    """

    #: What is raised of a value; a recipe has its own.
    error_type: ClassVar[type[EdgeSerError]] = ParameterError

    def __post_init__(self) -> None:
        for field in fields_of(type(self)):
            value = getattr(self, field.name)
            checked = check(value, field.type, self.called(field.name), self.error_type)
            if checked is not value:
                force_setattr(self, field.name, checked)

    def called(self, name: str) -> str:
        """What a field is called in a sentence."""
        return name

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, of plain types; what is changed in it is not changed here."""
        return {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in msgspec.structs.asdict(self).items()
        }

    def replaced(self: Own, **changes: Any) -> Own:
        """Return them with some fields changed, and checked again."""
        return msgspec.structs.replace(self, **changes)

    @classmethod
    def from_dict(cls: type[Own], settings: Any) -> Own:
        """Build from :meth:`to_dict`'s output, or what a file holds of it.

        Raises
        ------
        ParameterError
            If it is no mapping, has a key that is not known or lacks one without a default, or a
            value is none of its key's.
        """
        what = cls.__name__
        if not isinstance(settings, Mapping):
            raise ParameterError(f"{what} is {shown(settings)}, a table is wanted")
        fields = fields_of(cls)
        sentence = unknown_keys(settings, [field.name for field in fields])
        if sentence:
            raise ParameterError(f"{what} has {sentence}")
        missing = [f.name for f in fields if f.required and f.name not in settings]
        if missing:
            raise ParameterError(f"{what} lacks {', '.join(missing)}")
        return cls(**settings)


def fields_of(kind: type[Any]) -> tuple[FieldInfo, ...]:
    """Fields of settings, with their types and defaults."""
    if kind not in _FIELDS:
        _FIELDS[kind] = msgspec.structs.fields(kind)
    return _FIELDS[kind]


def unknown_keys(given: Mapping[str, Any], known: Iterable[str], at: str = "") -> str:
    """Say which keys are not known, and what may be meant; an empty text where all are.

    Parameters
    ----------
    given : mapping
    known : iterable of str
    at : str
        Where they stand: " in [training]".
    """
    known = list(known)
    unknown = sorted(str(key) for key in given if key not in known)
    if not unknown:
        return ""
    near = get_close_matches(unknown[0], known, n=1)
    hint = f"is {near[0]!r} meant?" if near else f"known are {', '.join(known)}"
    return f"unknown keys {[printable(key) for key in unknown]}{at}: {hint}"


def range_of(kind: Any) -> str:
    """Say in a few signs what a type takes: ``0 … 1``, ``fp32 | bf16``, ``true | false``."""
    base, meta = _split(kind)
    if typing.get_origin(base) is Literal:
        return " | ".join(str(value) for value in typing.get_args(base))
    if typing.get_origin(base) is dict:
        return f"by name: {range_of(typing.get_args(base)[1])}"
    if base is bool:
        return "true | false"
    if typing.get_origin(base) is tuple and typing.get_args(base)[0] is not str:
        return f"list of {range_of(typing.get_args(base)[0])}"
    if meta is None:
        return {str: "text", int: "whole number", float: "number"}.get(base, "list of texts")
    low, high = float(meta.ge), float(meta.le)  # type: ignore[arg-type]
    start = "> 0" if low == math.ulp(0.0) else f">= {_short(low)}"
    if high >= sys.float_info.max:
        end = ""
    elif high == math.nextafter(1.0, 0.0):
        end = "< 1"
    else:
        end = f"<= {_short(high if base is float else int(meta.le))}"  # type: ignore[arg-type]
    return ", ".join(part for part in (start, end) if part)


def _short(number: float) -> str:
    if number == 2**63 - 1:
        return "2^63 - 1"
    return str(int(number)) if number == int(number) else f"{number:g}"


def _split(kind: Any) -> tuple[Any, Meta | None]:
    """A type without its range and without None, and the range."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = (each for each in typing.get_args(kind) if each is not type(None))
    if typing.get_origin(kind) is Annotated:
        base, *about = typing.get_args(kind)
        return base, next((each for each in about if isinstance(each, Meta)), None)
    return kind, None


def _wanted(kind: Any) -> str:
    """End of the sentence that refuses a value."""
    base, meta = _split(kind)
    if meta is not None and meta.extra:
        return str(meta.extra["wanted"])
    origin = typing.get_origin(base)
    if origin is Literal:
        return f"{_any_of(base)} is wanted"
    if origin is tuple:
        inner = typing.get_args(base)[0]
        what = "texts" if inner is str else _any_of(inner)
        return f"a list of {what} is wanted"
    if origin is dict:
        return "a share by corpus is wanted"
    return {
        bool: "true or false is wanted",
        str: "a text is wanted",
        int: "a whole number is wanted",
    }.get(base, "a finite number is wanted")


def _any_of(literal: Any) -> str:
    *others, last = map(repr, typing.get_args(literal))
    return f"{', '.join(others)} or {last}" if others else last


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's own, tuples as lists; nothing else is changed."""
    if type(value) in (int, float, bool, str):
        return value
    if isinstance(value, tuple):
        return list(value)
    try:
        if isinstance(value, numbers.Integral):
            return operator.index(value)
        if isinstance(value, numbers.Real):
            return float(value)
    except (TypeError, OverflowError, ValueError):
        return None
    return value
