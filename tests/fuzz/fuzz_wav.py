"""WAV files: fields at their edges, chunks in any order, lengths that lie."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.bundled import DEMO_CLIP
from fuzz.judge import judge_file, tiny
from fuzz.mutate import EDGES, mutate_bytes
from fuzz.target import Trial

__all__ = ["WavTarget", "demo_samples", "draw_wav"]

_GUID = bytes.fromhex("000000001000800000aa00389b71")
_TAGS = (0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x50, 0x55, 0xFF, 0x161, 0x2000, 0x674F, 0xFFFE, 0xFFFF)
_RATES = (
    0, 1, 7, 63, 999, 1000, 3999, 4000, 8000, 11_025, 12_345, 16_000, 22_050, 44_100, 48_000,
    96_000, 192_000, 384_000, 768_000, 768_001, 2**31, 2**32 - 1,
)  # fmt: skip
_CHUNK_IDS = (
    b"LIST", b"JUNK", b"bext", b"fact", b"id3 ", b"cue ", b"PEAK", b"FLLR", b"ds64", b"data",
    b"fmt ", b"RIFF", b"WAVE", b"\0\0\0\0", b"\xff\xff\xff\xff", b"iXML", b"axml",
)  # fmt: skip


class WavTarget:
    """Through ``classify_file``, the answer of the command."""

    may_probe = False
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Open the small model and read the clip."""
        self._classifier = tiny(seeds)
        self._samples = demo_samples()

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Draw a file, to ask for its answer."""
        rng = trial.rng
        path = trial.folder / rng.choice(("x.wav", "x.wav", "x.wav", "x", "x.flac", "-x.wav"))
        path.write_bytes(draw_wav(rng, self._samples))
        return lambda: judge_file(self._classifier, path)


def demo_samples() -> np.ndarray:
    """The bundled clip in [-1, 1]."""
    return np.frombuffer(DEMO_CLIP.read_bytes()[44:], "<i2") / 32768.0


def draw_wav(rng: random.Random, clip: np.ndarray) -> bytes:
    """Draw a WAV file that is wrong somewhere, or only odd."""
    n = rng.choice((0, 1, 511, 1023, 1024, 5000, 9000, 9000, 9000, 12_000, 16_000, 16_000))
    start = rng.randrange(len(clip) - n)
    samples = clip[start : start + n]
    if rng.random() < 0.15:
        samples = samples * rng.choice((0.0, 1e-6, 30.0, 1000.0)) + rng.choice((0, 0.02, 1.0))
    tag, n_channels, rate, bits = 1, rng.choice((1, 1, 1, 2, 6)), 16_000, 16
    tag, bits = rng.choice(((1, 16), (1, 16), (1, 8), (1, 24), (1, 32), (3, 32), (3, 64)))
    raw = _encode(rng, samples, tag, bits, n_channels)
    if rng.random() < 0.3:
        rate = rng.choice(_RATES)
    block, byte_rate = n_channels * bits // 8, rate * n_channels * bits // 8
    fields = [tag, n_channels, rate, byte_rate % 2**32, block, bits]
    extension = b""
    if rng.random() < 0.2:
        extension = struct.pack("<HHI", 22, rng.choice((0, bits, 1, 20)), rng.choice((0, 3, 4)))
        extension += struct.pack("<H", tag) + _GUID
        fields[0] = 0xFFFE
        extension = extension[: rng.choice((24, 24, 24, 2, 0, 10, 23))]
    if rng.random() < 0.45:
        at = rng.randrange(6)
        small = at not in (2, 3)
        choices = _TAGS if at == 0 else _RATES if at in (2, 3) else EDGES
        fields[at] = rng.choice(choices) % (2**16 if small else 2**32)
    head = struct.pack("<HHIIHH", *fields) + extension
    if rng.random() < 0.1:
        head = head[: rng.randrange(len(head))] if rng.random() < 0.7 else head + bytes(100)
    chunks = [_chunk(rng, b"fmt ", head, 0.1), _chunk(rng, b"data", raw, 0.35)]
    for _ in range(rng.choice((0, 0, 0, 1, 2, 4))):
        body = rng.randbytes(rng.choice((0, 1, 3, 4, 26, 28, 602, 5000)))
        chunk = _chunk(rng, rng.choice(_CHUNK_IDS), body, 0.2)
        chunks.insert(rng.randrange(len(chunks) + 1), chunk)
    if rng.random() < 0.05:
        rng.shuffle(chunks)
    if rng.random() < 0.05:
        chunks += chunks
    magic = rng.choice((b"RIFF",) * 12 + (b"RF64", b"RF64", b"BW64", b"RIFX"))
    if magic in (b"RF64", b"BW64"):
        sizes = struct.pack("<QQQI", *(rng.choice((len(raw), *EDGES)) % 2**64 for _ in range(3)), 0)
        chunks.insert(0, _chunk(rng, b"ds64", sizes, 0.1))
    body = b"WAVE" + b"".join(chunks)
    size = len(body) if rng.random() < 0.7 else rng.choice(EDGES) % 2**32
    content = magic + struct.pack("<I", size) + body
    if rng.random() < 0.05:
        content *= 3
    if rng.random() < 0.35:
        content = mutate_bytes(rng, content, raw)
    return content


def _encode(rng: random.Random, samples: np.ndarray, tag: int, bits: int, n_channels: int) -> bytes:
    gains = [rng.choice((1.0, 1.0, -1.0, 0.0)) for _ in range(n_channels)]
    frames = np.stack([gain * samples for gain in gains], axis=1)
    if tag == 3:
        if rng.random() < 0.1 and frames.size:
            frames[rng.randrange(len(frames))] = rng.choice((np.nan, np.inf, 1e30, 32768.0))
        # A value too large for the type becomes infinite, as in the writers that are imitated.
        with np.errstate(over="ignore"):
            return frames.astype(f"<f{bits // 8}").tobytes()
    clipped = np.clip(frames, -1, 1)
    if bits == 8:
        return np.round(clipped * 127 + 128).astype("u1").tobytes()
    whole = np.round(clipped * (2 ** (bits - 1) - 1)).astype("<i8")
    if rng.random() < 0.05:
        whole >>= 8
    return whole.reshape(-1, 1).view("u1")[:, : bits // 8].tobytes()


def _chunk(rng: random.Random, name: bytes, body: bytes, lies: float) -> bytes:
    size = len(body)
    if rng.random() < lies:
        near = (size - 1, size + 1, size + 16, size + 44, size // 2, size * 2, 2_000_000_000)
        size = rng.choice((*near, *near, *EDGES)) % 2**32
    pad = b"\0" if len(body) % 2 and rng.random() < 0.8 else b""
    return name + struct.pack("<I", size) + body + pad
