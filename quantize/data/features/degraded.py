"""Clips as they are heard in noise, babble and rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import Clip
from quantize.data.features.conditions import CONDITIONS, ROOMS
from quantize.data.sound import level, noise_and_rooms
from quantize.data.sound.reading import clip_rng

__all__ = ["condition_recipe", "degraded"]

# What cached rows were made by: raise it when a condition sounds otherwise than before.
_VERSION = 1


def condition_recipe(condition: str) -> dict[str, Any]:
    """What a clip under a condition is made of, besides the clip.

    Parameters
    ----------
    condition : str

    Returns
    -------
    dict
        JSON-ready: other values are other sound.

    Raises
    ------
    ParameterError
        If the condition is not one of :data:`CONDITIONS`.
    """
    if condition not in CONDITIONS:
        raise ParameterError(
            f"the condition is {condition!r}, one of {', '.join(CONDITIONS)} is wanted"
        )
    return {
        "condition": condition,
        "version": _VERSION,
        "room": ROOMS.get(condition),
        "voices": [noise_and_rooms.N_VOICES, noise_and_rooms.TRACK_S],
        "range_db": level.SPEECH_RANGE_DB,
        "pink_corner_hz": noise_and_rooms.PINK_CORNER_HZ,
    }


def degraded(
    samples: NDArray[np.float32],
    clip: Clip,
    condition: str,
    sample_rate: int,
    voices: noise_and_rooms.VoiceBank | None = None,
) -> NDArray[np.float32]:
    """A clip as it is heard under a condition.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Of the clip.
    clip : Clip
        Its name seeds all chance: the same noise at every SNR, whatever else is measured.
    condition : str
        One of :data:`CONDITIONS`.
    sample_rate : int
        In Hz.
    voices : VoiceBank, optional
        For babble.

    Returns
    -------
    float32 [shape=(n_samples,)]

    Raises
    ------
    ParameterError
        If babble is wanted and there are no voices.
    """
    kind, _, snr = condition.partition("-")
    rng = clip_rng(f"{condition if condition in ROOMS else kind}/{clip.clip_id}", 0, 0)
    if condition in ROOMS:
        return noise_and_rooms.add_room(samples, sample_rate, rng, **ROOMS[condition])
    if kind == "babble":
        if voices is None:
            raise ParameterError("babble needs the voices that it is mixed from")
        noise = voices.babble(clip.speaker, samples.size, rng)
    else:
        noise = noise_and_rooms.noise_of(kind, samples.size, sample_rate, rng)
    return noise_and_rooms.add_noise(samples, noise, sample_rate, float(snr.removesuffix("dB")))
