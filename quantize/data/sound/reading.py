"""Clips as samples, and the chance that belongs to each."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from edge.audio.full_band import resample_full_band
from quantize.data.corpora import Clip
from quantize.data.corpora.part import read_part

__all__ = ["clip_rng", "read_clip"]


def read_clip(clip: Clip, sample_rate: int) -> NDArray[np.float32]:
    """Samples of a clip at ``sample_rate``.

    Parameters
    ----------
    clip : Clip
    sample_rate : int
        In Hz.

    Returns
    -------
    float32 [shape=(n_samples,)]

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    """
    samples, native_rate = read_part(clip)
    if native_rate == sample_rate:
        return samples
    return resample_full_band(samples, native_rate, sample_rate)


def clip_rng(clip_id: str, variant: int, seed: int) -> np.random.Generator:
    """Chance that depends on the clip's name and not on its place in a list."""
    digest = hashlib.sha256(f"{seed}/{variant}/{clip_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
