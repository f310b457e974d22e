# A draw is a row of cases, each with its own way out.
# ruff: noqa: PLR0911, PLR0912
"""Small changes to bytes and values, at the places where programs go wrong."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["EDGES", "hostile_value", "mutate_bytes", "mutate_json", "mutate_text"]

#: Whole numbers at the edges of types and of sense.
EDGES = (
    0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535,
    65536, 100_000, 10**6, 10**8, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63,
    2**64 - 1, 10**20, 10**400, -1, -2, -128, -32768, -(2**31), -(2**63),
)  # fmt: skip

_FLOATS = (
    0.0, -0.0, 0.5, 1.0, -1.0, 1e-6, 1e-30, 1e-45, 5e-324, 1e-300, 1e6, 1e30, 3.4e38, 3.5e38, 1e300,
    1.7e308, 0.1 + 0.2,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "a\0b", "\n", "\r\n", "\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "\u202eabc",
    "\u2066", "\ufeff", "\ud800", "é", "𝔘", "=1+1", "@x", "-", "--help", "-o", "..", ".", "/no",
    "../../nowhere", "/dev/zero", "/dev/stdin", "/etc/passwd", "~", "$HOME", "`id`", "$(id)",
    "%s%n", "{0.__class__}", "None", "null", "nan", "numpy", "onnx", "tflite", "torchscript",
    "auto", "claf-ser", "model.npz", "model.pt", "model.onnx", "manifest.json", "a" * 300,
    "b" * 5000, "c" * 100_000, "a/" * 50, "__class__", "os.system", "1", "1e400", "true", "\\", "'",
    '"', "con", "x.wav", "-x.wav",
)  # fmt: skip


def hostile_value(rng: random.Random, *, json_only: bool = True, depth: int = 0) -> Any:
    """Draw a value that nobody expects; ``json_only``: one that JSON can hold."""
    kind = rng.randrange(11 if depth < 3 else 7)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind in (1, 2):
        return rng.choice(EDGES)
    if kind == 3:
        if not json_only and rng.random() < 0.4:
            return rng.choice((float("nan"), float("inf"), float("-inf")))
        return rng.choice(_FLOATS) * rng.choice((1, -1))
    if kind in (4, 5):
        return rng.choice(TEXTS)
    if kind == 6:
        return rng.uniform(-10, 10)
    if kind == 7:
        return [
            hostile_value(rng, json_only=json_only, depth=depth + 1)
            for _ in range(rng.choice((0, 1, 2, 5)))
        ]
    if kind == 8:
        return {
            rng.choice(TEXTS): hostile_value(rng, json_only=json_only, depth=depth + 1)
            for _ in range(rng.choice((0, 1, 2)))
        }
    if kind == 9:
        return [rng.choice((0, 1.5, None, "x"))] * rng.choice((1, 33, 34, 35, 1000, 30_000))
    nested: Any = 0
    for _ in range(rng.choice((2, 20, 200)) if rng.random() < 0.1 else 3):
        nested = [nested]
    return nested


def mutate_bytes(
    rng: random.Random, content: bytes, other: bytes = b"", n: int | None = None
) -> bytes:
    """Change bytes ``n`` times (drawn: mostly once or twice); ``other`` is spliced in."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 16)) if n is None else n):
        rng.choice(_BYTE_CHANGES)(rng, data, other)
    return bytes(data)


def _place(rng: random.Random, data: bytearray) -> int:
    """Anywhere; headers and ends more often than their length would have it."""
    if not data:
        return 0
    where = rng.random()
    if where < 0.35:
        return rng.randrange(min(len(data), 256))
    if where < 0.45:
        return len(data) - 1 - rng.randrange(min(len(data), 128))
    return rng.randrange(len(data))


def _flip(rng: random.Random, data: bytearray, _: bytes) -> None:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, data: bytearray, _: bytes) -> None:
    if data:
        data[_place(rng, data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _number(rng: random.Random, data: bytearray, _: bytes) -> None:
    code, size = rng.choice((("<H", 2), ("<I", 4), ("<Q", 8), (">H", 2), (">I", 4), (">Q", 8)))
    at = _place(rng, data)
    if rng.random() < 0.7:
        at -= at % size
    value = rng.choice((*EDGES, len(data), len(data) - at, len(data) + 1)) % (1 << 8 * size)
    if at + size <= len(data):
        data[at : at + size] = struct.pack(code, value)


def _nudge(rng: random.Random, data: bytearray, _: bytes) -> None:
    at = _place(rng, data)
    at -= at % 4
    if at + 4 <= len(data):
        (value,) = struct.unpack_from("<I", data, at)
        step = rng.choice((1, 2, 4, 8, 44, 1000, value))
        struct.pack_into("<I", data, at, (value + rng.choice((1, -1)) * step) % (1 << 32))


def _cut(rng: random.Random, data: bytearray, _: bytes) -> None:
    del data[_place(rng, data) :]


def _remove(rng: random.Random, data: bytearray, _: bytes) -> None:
    at = _place(rng, data)
    del data[at : at + rng.choice((1, 2, 3, 4, 8, 100, 4096))]


def _insert(rng: random.Random, data: bytearray, _: bytes) -> None:
    at = _place(rng, data)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 3, 4, 8, 100, 5000)))


def _repeat(rng: random.Random, data: bytearray, _: bytes) -> None:
    at, n = _place(rng, data), rng.choice((1, 4, 8, 24, 512, 1 << 20))
    data[at:at] = data[at : at + n][: 1 << 16]


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    if not other:
        return
    at, start = _place(rng, data), rng.randrange(len(other))
    n = rng.choice((4, 16, 64, 1024, len(other)))
    data[at : at + rng.choice((0, n))] = other[start : start + n]


def _fill(rng: random.Random, data: bytearray, _: bytes) -> None:
    at, n = _place(rng, data), rng.choice((2, 4, 16, 256, 4096))
    n = min(n, len(data) - at)
    data[at : at + n] = bytes([rng.choice((0, 0xFF, 0x20, rng.randrange(256)))]) * n


_BYTE_CHANGES: tuple[Callable[[random.Random, bytearray, bytes], None], ...] = (
    _flip, _flip, _set, _number, _number, _nudge, _cut, _remove, _insert, _repeat, _splice, _fill,
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything inside, not too deep; of long lists only the ends."""
    found = [path] if path else []
    if len(path) > 8:
        return found
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    elif isinstance(value, list):
        picked = range(len(value)) if len(value) <= 8 else (0, 1, len(value) - 1)
        for index in picked:
            found += _places(value[index], (*path, index))
    return found


def mutate_json(
    rng: random.Random, tree: Any, draw: Callable[[random.Random], Any] = hostile_value
) -> Any:
    """Replace, remove, add, repeat or swap values of a tree; gives a changed copy."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        places = _places(tree)
        if not places:
            return tree
        # First how deep, then where: the few keys at the top are met as often as the many rows.
        depth = rng.choice(sorted({len(p) for p in places}))
        path = rng.choice([p for p in places if len(p) == depth])
        holder = tree
        for key in path[:-1]:
            holder = holder[key]
        key = path[-1]
        kind = rng.random()
        if kind < 0.55:
            holder[key] = draw(rng)
        elif (
            kind < 0.7
            and isinstance(holder[key], int | float)
            and not isinstance(holder[key], bool)
        ):
            holder[key] = _near(rng, holder[key])
        elif kind < 0.78:
            del holder[key]
        elif kind < 0.84:
            if isinstance(holder, dict):
                holder[rng.choice(TEXTS)] = draw(rng)
            else:
                holder.insert(key, draw(rng))
        elif kind < 0.9 and isinstance(holder[key], list):
            n = rng.choice((0, 1, 2, 100, 2000))
            holder[key] = (holder[key] * n)[:50_000]
        elif kind < 0.95 and isinstance(holder, list) and len(holder) > 1:
            rng.shuffle(holder)
        else:
            source = rng.choice(places)
            value = tree
            try:
                for step in source:
                    value = value[step]
            except (KeyError, IndexError, TypeError):
                continue
            holder[key] = copy.deepcopy(value)
    return tree


def _near(rng: random.Random, value: float) -> Any:
    changes: tuple[Callable[[Any], Any], ...] = (
        lambda v: v + 1, lambda v: v - 1, lambda v: -v, lambda v: v * 2, lambda v: v * 1000,
        lambda v: v / 1000, float, lambda v: v + 0.5, str, lambda v: [v],
        lambda v: v * 10**6,
    )  # fmt: skip
    try:
        return rng.choice(changes)(value)
    except OverflowError:
        return 0


def mutate_text(rng: random.Random, text: str) -> bytes:
    """Change the text of a structured file below its grammar."""
    kind = rng.randrange(10)
    if kind == 0:
        return b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")
    if kind == 1:
        return text.encode("utf-16", "surrogatepass")
    if kind == 2:
        return (text + text).encode("utf-8", "surrogatepass")
    if kind == 3:
        digits = "9" * rng.choice((20, 400, 4300, 4301, 100_000))
        numbers = [i for i, letter in enumerate(text) if letter.isdigit()]
        at = rng.choice(numbers) if numbers else 0
        return (text[:at] + digits + text[at:]).encode("utf-8", "surrogatepass")
    if kind == 4:
        at = rng.randrange(len(text) + 1)
        opening = rng.choice(("[", "{", '{"a":', "[[", "a.", '"', "'''", "\\u", "/nowhere", "#"))
        return (text[:at] + opening * rng.choice((1, 10, 1000, 100_000)) + text[at:]).encode(
            "utf-8", "surrogatepass"
        )
    if kind == 5:
        at = rng.randrange(len(text) + 1)
        word = rng.choice(
            ("NaN", "Infinity", "-Infinity", "1e999", "-0", "0x10", "\\ud800", "\\u0000", "null",
             "inf", "nan", "1979-05-27", "1_000", "true", "\0", "\x1b[2J")
        )  # fmt: skip
        return (text[:at] + word + text[at:]).encode("utf-8", "surrogatepass")
    if kind == 6:
        lines = text.splitlines(keepends=True)
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines.insert(at, lines[other])
        return "".join(lines).encode("utf-8", "surrogatepass")
    return mutate_bytes(rng, text.encode("utf-8", "surrogatepass"), json.dumps(TEXTS).encode())
