"""What is listened to while a model is measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.bundled import DEMO_CLIP
from edge.features.spec import FeatureSpec

__all__ = ["speech_for"]

# A piece of a clip is a pause when it is this much below the loudest.
_PAUSE_DB = 30.0


def speech_for(spec: FeatureSpec, window_frames: int) -> tuple[NDArray[np.float32], str]:
    """Give sound in which somebody speaks on and on: nothing costs more than to judge that.

    Parameters
    ----------
    spec : FeatureSpec
    window_frames : int
        Of a feature window.

    Returns
    -------
    samples : float32 [shape=(n_samples,)]
        At the rate of ``spec``, at least two segments long.
    clip : str
        What it is.
    """
    from edge.audio.file import read_audio

    n_least = 2 * spec.n_samples(window_frames)
    if DEMO_CLIP.is_file():
        samples, sample_rate = read_audio(DEMO_CLIP)
        samples = _without_pauses(samples, spec.hop_length)
        if sample_rate == spec.sample_rate and samples.size >= n_least:
            return samples, "bundled dialogue without its pauses"
    t_s = np.arange(max(n_least, 10 * spec.sample_rate)) / spec.sample_rate
    phase = 2 * np.pi * 140 * (t_s + 0.05 * np.sin(2 * np.pi * 0.7 * t_s))
    voice = np.sum([np.sin(k * phase) / k for k in range(1, 13)], axis=0)
    noise = np.random.default_rng(0).normal(0, 0.01, t_s.size)
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * t_s) + 0.4, 0, 1)
    return (0.15 * voice * syllables + noise).astype(np.float32), "harmonic complex"


def _without_pauses(samples: NDArray[np.float32], n_piece: int) -> NDArray[np.float32]:
    pieces = samples[: samples.size // n_piece * n_piece].reshape(-1, n_piece)
    power = np.mean(np.square(pieces, dtype=np.float64), axis=1)
    is_loud = power > 10 ** (-_PAUSE_DB / 10) * power.max(initial=0.0)
    return np.concatenate([np.zeros(0, np.float32), *pieces[is_loud]])
