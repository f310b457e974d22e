"""Arguments that no function of edge-ser is meant for."""

from __future__ import annotations

import datetime
import decimal
import fractions
import io
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.mutate import TEXTS, hostile_value

__all__ = ["hostile_argument"]


class _Spiteful:
    """An object that refuses whatever NumPy asks of it."""

    def __array__(self, *_: object, **__: object) -> Any:
        raise TypeError("no array")

    def __float__(self) -> float:
        raise TypeError("no number")

    def __index__(self) -> int:
        raise TypeError("no index")

    def __fspath__(self) -> str:
        raise TypeError("no path")


def hostile_argument(rng: random.Random, clip: np.ndarray) -> Any:
    """Draw what no function of edge-ser is meant for, or what only just is."""
    kind = rng.randrange(8)
    if kind < 3:
        return hostile_value(rng, json_only=False)
    if kind == 3:
        return rng.choice(_SCALARS)
    if kind == 4:
        return rng.choice(_OBJECTS)
    if kind == 5:
        return rng.choice(TEXTS)
    if kind == 6:
        values = clip[: rng.choice((0, 1, 1024, 5000))].copy()
        if values.size:
            values[rng.randrange(values.size)] = rng.choice((np.nan, np.inf, -np.inf, 1001, 3e38))
        return values
    return rng.choice(_ARRAYS)(clip[: rng.choice((0, 1, 1024, 5000))])


_SCALARS: tuple[Any, ...] = (
    np.float32("nan"), np.float64("inf"), np.float32(0.5), np.float16(1), np.longdouble(1),
    np.int64(5), np.int8(-1), np.uint64(2**64 - 1), np.int64(16_000), np.bool_(True),
    np.complex64(1j), np.str_("x"), np.bytes_(b"x"), np.datetime64("2020-01-01"),
    np.timedelta64(1, "s"), np.void(b"x"), 1j, decimal.Decimal("1.5"), decimal.Decimal("NaN"),
    fractions.Fraction(1, 3), fractions.Fraction(10**400),
)  # fmt: skip

_OBJECTS: tuple[Any, ...] = (
    b"", b"bytes", bytearray(b"abc"), memoryview(b"abcd"), Ellipsis, NotImplemented, object(),
    object, len, lambda: 0, range(3), range(10**5), {1, 2}, frozenset(), (), (1.0,),
    ((1.0,), (2.0,)), [[1.0], []], {1: 2}, {"a": 1}, iter([1]), Path(), Path("/nowhere"),
    Path("/dev/zero"), Path("nowhere"), Path("a" * 300), datetime.datetime(2020, 1, 1), sys,
    _Spiteful(), _Spiteful, io.BytesIO(b"RIFF"), io.StringIO("x"), ["x", 1], [None], [b"x"],
    [object()], slice(1), type, Exception("x"),
)  # fmt: skip

_ARRAYS: tuple[Callable[[np.ndarray], Any], ...] = (
    lambda a: a[:, None], lambda a: a[None], lambda a: a.reshape(-1, 1, 1),
    lambda a: np.float32(0.1)[()], lambda a: np.array(0.5), lambda a: a.astype(object),
    lambda a: a.astype("<i2"), lambda a: a > 0, lambda a: a.astype(complex),
    lambda a: a.astype(str), lambda a: a.astype(">f4"), lambda a: a[::-2],
    lambda a: a.astype(np.float16), lambda a: a.astype(np.longdouble),
    lambda a: np.array([None] * len(a)), lambda a: a.tolist(), tuple, lambda a: a * 1000,
    lambda a: a * 1e30, lambda a: a * 0, lambda a: np.ma.array(a, mask=a > 0),
    lambda a: np.broadcast_to(np.float32(0), (3, len(a))),
    lambda a: np.broadcast_to(np.float32(0.1), (len(a),)), lambda a: a.view("i4"),
    lambda a: [a, a[:-1]], lambda a: np.rec.array([(1.0,)]), lambda a: a.astype("M8[s]"),
    lambda a: a.astype(np.float64) * 1e300, lambda a: a + np.float32(1e-40), memoryview,
    lambda a: a.tobytes(),
)  # fmt: skip
