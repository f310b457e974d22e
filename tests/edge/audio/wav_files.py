"""WAV files for tests, chunk by chunk, and how they are read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from edge.audio.file import read_audio

RATE = 16_000
VOICE = (0.3 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)).astype(np.float64)
PCM_16 = np.round(VOICE * 32767).astype("<i2").tobytes()
HEARD = np.frombuffer(PCM_16, "<i2") / np.float32(32768)


def fmt(
    tag: int = 1, n_channels: int = 1, n_bits: int = 16, block: int | None = None,
    byte_rate: int | None = None,
) -> bytes:  # fmt: skip
    block = n_channels * ((n_bits + 7) // 8) if block is None else block
    byte_rate = RATE * block if byte_rate is None else byte_rate
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, n_channels, RATE, byte_rate, block, n_bits))


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def read(folder: Path, content: bytes) -> tuple[np.ndarray, list[str]]:
    path = folder / "clip.wav"
    path.write_bytes(content)
    said: list[str] = []
    return read_audio(path, said.append)[0], said


def stereo(*columns: np.ndarray) -> bytes:
    values = np.round(np.stack(columns, axis=1) * 32767).astype("<i2")
    return riff(fmt(n_channels=len(columns)), chunk(b"data", values.tobytes()))
