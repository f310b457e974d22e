"""Samples of every width as floats: of a WAV file, and of a pipe that holds nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.audio.pcm_format import FLOAT, PcmFormat

__all__ = ["decode"]


def decode(raw: bytes, form: PcmFormat) -> npt.NDArray[np.floating[Any]]:
    """Scale samples to [-1, 1]; floats stay as they are.

    Parameters
    ----------
    raw : bytes
        Whole samples, of all channels.
    form : PcmFormat

    Returns
    -------
    float32 or float64 [shape=(n_samples,)]
    """
    if form.tag == FLOAT:
        return np.frombuffer(raw, dtype="<f4" if form.width == 4 else "<f8")
    if form.width == 1:
        return (np.frombuffer(raw, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
    if form.width == 2:
        return np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0
    if form.container == 3:
        whole = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
        whole[:, 1:] = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
        return whole.view("<i4")[:, 0].astype(np.float32) / 2.0**31
    values = np.frombuffer(raw, dtype="<i4")
    if form.is_low_24:
        # The fourth byte is the sign's, or nothing: shifted out either way.
        values = values << 8
    return values.astype(np.float64) / 2.0**31
