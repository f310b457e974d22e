"""Sizes and spans of time as a person writes them: ``10M``, ``90d``."""

from __future__ import annotations

import re

from edge.errors import ParameterError, printable

__all__ = ["read_count", "read_size", "read_span"]

_SIZES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_SPANS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
#: No clock and no disk goes further.
_LONGEST_S, _LARGEST, _MOST = 36_525 * 86_400, 10**15, 1_000


def read_size(name: str, text: str, *, least: int = 1_000) -> int:
    """Read a number of bytes, such as ``10M``; k, M and G count in thousands.

    Raises
    ------
    ParameterError
        If it is none, or less than ``least``.
    """
    n_bytes = _read(text, _SIZES)
    if n_bytes is None or not least <= n_bytes <= _LARGEST:
        raise ParameterError(
            f"{name} is {printable(text)[:40]!r}, a size from {least} bytes on is wanted, such as "
            "500k or 10M"
        )
    return int(n_bytes)


def read_span(name: str, text: str, *, least_s: float = 60.0) -> float:
    """Read a span of time in seconds, such as ``90d``; s, m, h, d and w are known.

    Raises
    ------
    ParameterError
        If it is none, or less than ``least_s``.
    """
    span_s = _read(text, _SPANS)
    if span_s is None or not least_s <= span_s <= _LONGEST_S:
        raise ParameterError(
            f"{name} is {printable(text)[:40]!r}, a span from {least_s:g} seconds to 100 years is "
            "wanted, such as 12h or 90d"
        )
    return span_s


def read_count(name: str, text: str, *, least: int = 1) -> int:
    """Read a whole number.

    Raises
    ------
    ParameterError
        If it is none, less than ``least`` or over a thousand.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= _MOST:
        raise ParameterError(
            f"{name} is {printable(text)[:40]!r}, a whole number from {least} to {_MOST} is wanted"
        )
    return int(text)


def _read(text: str, units: dict[str, int]) -> float | None:
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([A-Za-z]?)", text)
    if match is None or (match[2] and match[2] not in units):
        return None
    return float(match[1]) * units.get(match[2], 1)
