"""Sounds for the extractor, how they are cut, and when rows are the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from edge import FeatureSpec

SPEC = FeatureSpec()
PITCH, RMS = 13, 14
MFCC, CHROMA, CONTRAST = slice(0, 13), slice(15, 27), slice(27, 34)

TOLERANCE = 1e-5


def assert_same_rows(got: np.ndarray, wanted: np.ndarray) -> None:
    """Equal but for rounding, relative to ``max(1, |x|)``."""
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype == np.float32
    if wanted.size:
        off = np.abs(got - wanted) / np.maximum(1, np.abs(wanted))
        assert off.max() <= TOLERANCE


def speech_like(seed: int, n_samples: int) -> np.ndarray:
    """Voice, noise, clicks and digital silence, one after the other."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / 16_000
    f0_hz = rng.uniform(90, 300) * (1 + 0.1 * np.sin(2 * np.pi * 3 * t))
    phase = 2 * np.pi * np.cumsum(f0_hz) / 16_000
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.2
    part = (np.arange(n_samples) // 1500 + seed) % 4
    wave[part == 1] = 0.02 * rng.standard_normal(int((part == 1).sum()))
    wave[part == 2] *= 0.01
    wave[part == 3] = 0
    wave[rng.integers(0, n_samples, 3)] = 0.9
    return wave.astype(np.float32)


def cut(samples: np.ndarray, lengths: list[int]) -> Iterator[np.ndarray]:
    """Blocks of the given lengths, over and over, up to the end; all 0 is one block."""
    start = 0
    for length in itertools.cycle(lengths if any(lengths) else [samples.size]):
        if start >= samples.size:
            return
        yield samples[start : start + length]
        start += length
