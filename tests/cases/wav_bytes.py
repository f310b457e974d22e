"""WAV files put together by hand, with whatever is to be wrong in them."""

from __future__ import annotations

import struct

import numpy as np

__all__ = ["GUID", "RATE", "chunk", "fmt", "int16", "int24", "packed24", "riff"]

RATE = 16_000
GUID = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes, size: int | None = None, *, pad: bool = True) -> bytes:
    """Make a chunk, of another length than it says where ``size`` is given."""
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (pad and len(body) % 2)


def fmt(
    tag: int = 1, n_channels: int = 1, rate: int = RATE, n_bits: int = 16, *,
    block: int | None = None, byte_rate: int | None = None, extra: bytes = b"",
) -> bytes:  # fmt: skip
    """Make a fmt chunk."""
    block = n_channels * ((n_bits + 7) // 8) if block is None else block
    byte_rate = rate * block if byte_rate is None else byte_rate
    head = struct.pack("<HHIIHH", tag, n_channels, rate, byte_rate, block, n_bits)
    return chunk(b"fmt ", head + extra)


def riff(*chunks: bytes, size: int | None = None, form: bytes = b"RIFF") -> bytes:
    """Make a file."""
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body) if size is None else size) + body


def int16(*channels: np.ndarray) -> bytes:
    """Samples of 16 bits, interleaved, clipped."""
    values = np.clip(np.round(np.stack(channels, axis=1) * 32768), -32768, 32767)
    return values.astype("<i2").tobytes()


def int24(samples: np.ndarray) -> np.ndarray:
    """Samples of 24 bits in int32."""
    return np.round(samples * (2**23 - 1)).astype("<i4")


def packed24(samples: np.ndarray) -> bytes:
    """Samples of 24 bits in three bytes."""
    return int24(samples).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
