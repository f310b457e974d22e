"""WAV streams as programs write them into pipes, and sound for them."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edge.sources.pipe_decoder import PipeDecoder, RawSettings

RATE = 16_000
GUID = bytes.fromhex("000000001000800000aa00389b71")

#: Two seconds with something at every level and frequency, and no two samples alike.
_TIME_S = np.arange(2 * RATE) / RATE
VOICE = (
    0.3 * np.sin(2 * np.pi * 150 * _TIME_S) * np.sin(2 * np.pi * 2 * _TIME_S) ** 2
    + 0.1 * np.sin(2 * np.pi * 1730 * _TIME_S)
    + np.random.default_rng(0).normal(0, 0.003, _TIME_S.size)
)


def int16(samples: np.ndarray = VOICE) -> np.ndarray:
    return np.round(samples * 32767).astype("<i2")


def int24(samples: np.ndarray = VOICE) -> np.ndarray:
    return np.round(samples * (2**23 - 1)).astype("<i4")


def packed24(samples: np.ndarray = VOICE) -> bytes:
    return int24(samples).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def fmt(
    tag: int = 1, n_channels: int = 1, rate: int = RATE, n_bits: int = 16,
    block: int | None = None, extra: bytes = b"",
) -> bytes:  # fmt: skip
    block = n_channels * n_bits // 8 if block is None else block
    head = struct.pack("<HHIIHH", tag, n_channels, rate, rate * block, block, n_bits)
    return chunk(b"fmt ", head + extra)


def extensible(tag: int, n_channels: int, rate: int, n_bits: int, valid: int) -> bytes:
    extra = struct.pack("<HHI", 22, valid, 3) + struct.pack("<H", tag) + GUID
    return fmt(0xFFFE, n_channels, rate, n_bits, extra=extra)


def riff(*chunks: bytes, size: int | None = None, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body) if size is None else size) + body


def heard(
    data: bytes, cuts: Sequence[int] = (), *, channel: str | int = "auto", **raw: Any
) -> tuple[np.ndarray, list[str]]:
    """Decode a stream that comes in pieces; with what was warned of."""
    said: list[str] = []
    warn: Callable[[str], None] = said.append
    decoder = PipeDecoder(RATE, "standard input", RawSettings(**raw), channel=channel, warn=warn)
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    parts = [decoder.push(data[a:b]) for a, b in itertools.pairwise(places) if b > a]
    return np.concatenate([*parts, decoder.finish()]), said
