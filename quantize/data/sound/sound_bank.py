"""Everyday sounds and music under a voice: recordings that a person named, and made ones."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError
from quantize.data.corpora.contents import file_digest
from quantize.data.sound.made import noises, tunes
from quantize.data.sound.recordings import Recording, read

__all__ = ["SoundBank", "made_music", "made_sound"]

#: How often a recording is heard where there are some, and not a sound that is made.
_RECORDED_SHARE = 0.75

_MADE = (
    noises.knocks,
    noises.machine,
    noises.wind_or_water,
    noises.texture,
    noises.clicks,
    tunes.alarm,
    tunes.tone,
)


class SoundBank:
    """Recordings by kind, read once each.

    Parameters
    ----------
    recordings : sequence of (Recording, str)
        Recordings and the SHA-256 of their files; kinds and files in an order of their content.
    """

    def __init__(self, recordings: Sequence[tuple[Recording, str]]) -> None:
        by_kind: dict[str, dict[str, Path]] = defaultdict(dict)
        for one, sha256 in recordings:
            by_kind[one.kind].setdefault(sha256, one.path)
        # Kinds alike, however many recordings each has; in no order of paths.
        self._kinds = [sorted(by_kind[kind].items()) for kind in sorted(by_kind)]

    @property
    def n_kinds(self) -> int:
        """Kinds of which there are recordings."""
        return len(self._kinds)

    def sound(
        self, pick: float, n_samples: int, sample_rate: int, rng: np.random.Generator
    ) -> NDArray[Any]:
        """A recording, or a sound that is made.

        As :meth:`recording`; made ones alone where there are no recordings.
        """
        if not self._kinds or pick >= _RECORDED_SHARE:
            return made_sound((pick * len(_MADE) * 7) % 1.0, n_samples, sample_rate, rng)
        return self.recording(pick / _RECORDED_SHARE, n_samples, sample_rate, rng)

    def recording(
        self, pick: float, n_samples: int, sample_rate: int, rng: np.random.Generator
    ) -> NDArray[Any]:
        """A recording, over and over where it is too short.

        Parameters
        ----------
        pick : float
            In [0, 1): which kind.
        n_samples, sample_rate : int
            Length, and rate in Hz.
        rng : numpy.random.Generator
            Draws the recording and where in it to begin.

        Returns
        -------
        float [shape=(n_samples,)]
            At any level.

        Raises
        ------
        AudioFileError
            If a recording cannot be read, or was changed since its digest was taken.
        """
        files = self._kinds[int(pick * len(self._kinds))]
        sha256, path = files[int(rng.integers(len(files)))]
        recorded = _recorded(path, sha256, sample_rate).astype(np.float64)
        return np.resize(np.roll(recorded, -int(rng.integers(recorded.size))), n_samples)


@functools.lru_cache(maxsize=512)
def _recorded(path: Path, sha256: str, sample_rate: int) -> NDArray[np.float16]:
    """What is heard of a recording, at a level of 1.  Half precision is good enough for noise."""
    samples = read(Recording(path, "", "", ""), sample_rate)
    if file_digest(path) != sha256:
        raise AudioFileError(
            f"{path} was changed while features were computed, or is another file on this "
            "machine: run the command again once it stays as it is"
        )
    # ESC fills its clips up with digital zeros.
    heard = np.flatnonzero(np.abs(samples) > 1e-4)
    if not heard.size:
        raise AudioFileError(f"{path} holds no sound: leave it out of the folder")
    samples = samples[heard[0] : heard[-1] + 1]
    kept: NDArray[np.float16] = (samples / np.sqrt((samples**2).mean())).astype(np.float16)
    return kept


def made_sound(
    pick: float, n_samples: int, sample_rate: int, rng: np.random.Generator
) -> NDArray[Any]:
    """An everyday sound that nobody recorded, at any level; ``pick`` in [0, 1) says which kind."""
    return _MADE[int(pick * len(_MADE))](rng, n_samples, sample_rate)


def made_music(n_samples: int, sample_rate: int, rng: np.random.Generator) -> NDArray[Any]:
    """Music that nobody composed, or a chord of it, at any level."""
    make = tunes.chord if rng.random() < 0.3 else tunes.music
    return make(rng, n_samples, sample_rate)
