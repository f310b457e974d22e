"""Clips as samples, and the chance that belongs to each."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.audio.full_band import resample_full_band
from quantize.data.corpora import Clip
from quantize.data.corpora.part import read_part

__all__ = ["N_SESSIONS", "clip_rng", "read_clip", "session_of"]

#: Sessions that a speaker's clips are dealt to: about twelve clips each in a corpus of 60.
N_SESSIONS = 5


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


class _Spoken(Protocol):
    """What is known of a clip, and of what stands for one in a training."""

    @property
    def clip_id(self) -> str: ...
    @property
    def corpus(self) -> str: ...
    @property
    def speaker(self) -> str: ...


def session_of(clip: _Spoken) -> str:
    """Whose clips stand in the same room: a speaker's, dealt to a few sessions.

    A variant of a clip is heard through the room, the microphone and the line of its session, so
    that the mean of a voice over others of its session was heard as the clip is.

    Parameters
    ----------
    clip : Clip
        Or anything else with its ``clip_id``, ``corpus`` and ``speaker``.

    Returns
    -------
    str
        The same for a clip in whatever list it comes, and another for every clip where nobody
        said who speaks, and its own name stands for its speaker.
    """
    group = hashlib.sha256(clip.clip_id.encode()).digest()[0] % N_SESSIONS
    return f"{clip.corpus}/{clip.speaker}/{group}"
