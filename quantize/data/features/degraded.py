"""Clips as they are heard in noise, babble and rooms, and through lines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import Clip
from quantize.data.features.conditions import CODECS, CONDITIONS, EVERY_CONDITION, LINES, ROOMS
from quantize.data.sound import codecs, level, noise_and_rooms
from quantize.data.sound.fixed_lines import FIXED_LINES
from quantize.data.sound.made.plucked import plucked
from quantize.data.sound.reading import clip_rng
from quantize.data.sound.sound_bank import SoundBank

__all__ = ["condition_recipe", "degraded"]

# What cached rows were made by: raise it when a condition sounds otherwise than before.  2: the
# hum of the mains is taken away before the rows, as on a device.
_VERSION = 2


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
        If the condition is none of those of the protocols ``noise`` and ``conditions``.
    """
    known = dict.fromkeys((*CONDITIONS, *EVERY_CONDITION))
    if condition not in known:
        raise ParameterError(f"the condition is {condition!r}, one of {', '.join(known)} is wanted")
    if condition in CODECS:
        return {"condition": condition, "version": _VERSION, "codec": codecs.codec_version()}
    if condition in LINES:
        return {"condition": condition, "version": _VERSION}
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
    sounds: SoundBank | None = None,
) -> NDArray[np.float32]:
    """A clip as it is heard under a condition.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Of the clip.
    clip : Clip
        Its name seeds all chance: the same noise at every SNR, whatever else is measured.
    condition : str
        One of :data:`CONDITIONS` or :data:`EVERY_CONDITION`.
    sample_rate : int
        In Hz.
    voices : VoiceBank, optional
        For babble.
    sounds : SoundBank, optional
        For everyday sounds.

    Returns
    -------
    float32 [shape=(n_samples,)]

    Raises
    ------
    ParameterError
        If babble or everyday sounds are wanted and there are no voices or recordings, or a codec
        that libsndfile has not.
    AudioFileError
        If a recording cannot be read.
    """
    if condition in FIXED_LINES:
        return FIXED_LINES[condition](samples, sample_rate)
    if condition in CODECS:
        return codecs.coded(samples, sample_rate, condition)
    kind, _, snr = condition.partition("-")
    rng = clip_rng(f"{condition if condition in ROOMS else kind}/{clip.clip_id}", 0, 0)
    if condition in ROOMS:
        return noise_and_rooms.add_room(samples, sample_rate, rng, **ROOMS[condition])
    if kind == "babble":
        if voices is None:
            raise ParameterError("babble needs the voices that it is mixed from")
        noise = voices.babble(clip.speaker, samples.size, rng)
    elif kind == "sounds":
        if sounds is None or not sounds.n_kinds:
            raise ParameterError(
                f"{condition} needs recordings of everyday sounds: name their folders with --sounds"
            )
        noise = sounds.recording(rng.random(), samples.size, sample_rate, rng)
    elif kind == "music":
        # Of another making than the music that training hears.
        noise = plucked(rng, samples.size, sample_rate)
    else:
        noise = noise_and_rooms.noise_of(kind, samples.size, sample_rate, rng)
    return noise_and_rooms.add_noise(samples, noise, sample_rate, float(snr.removesuffix("dB")))
