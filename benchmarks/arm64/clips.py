"""Clips to answer for: pieces of the bundled dialogue at other rates, and voices that are computed.

No recording is needed, and every machine makes the same ones.
"""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP

__all__ = ["SUFFIXES", "digest_of", "find_clips", "make_clips"]

SUFFIXES = (".wav", ".flac", ".ogg")

_RATE = 16_000

#: What a piece of the dialogue says its rate is, in Hz: another pitch, another pace, and the
#: resampler at work.
_TOLD_RATES = (16_000, 14_700, 17_640, 16_000, 19_200, 16_000)

#: Pitch in Hz, its rise over the clip in octaves, syllables a second.
_VOICES = ((110, 0.0, 3.0), (190, 0.4, 4.5), (230, -0.5, 5.5), (95, -0.2, 2.2), (320, 0.7, 6.0))

#: First formants of five vowels, in Hz.
_FORMANTS = ((730, 1090), (270, 2290), (300, 870), (530, 1840), (570, 840))


def make_clips(folder: Path, n_clips: int, seed: int = 0) -> list[Path]:
    """Write clips of 2.2 to 4 s: three of five are pieces of the dialogue, the others computed.

    Parameters
    ----------
    folder : Path
        Is made where it is not there.
    n_clips : int
    seed : int
        Of places, levels and noise.

    Returns
    -------
    list of Path
        WAV, 16 bits, mono.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dialogue, sample_rate = read_audio(DEMO_CLIP)
    assert sample_rate == _RATE
    random = np.random.default_rng(seed)
    clips = []
    for index in range(n_clips):
        n_samples = int(random.uniform(2.2, 4.0) * _RATE)
        rate = _RATE
        if index % 5 < 3:
            start = int(random.integers(dialogue.size - n_samples))
            samples = dialogue[start : start + n_samples].astype(np.float64)
            rate = _TOLD_RATES[index % len(_TOLD_RATES)]
        else:
            samples = _voice(n_samples, *_VOICES[index // 5 % len(_VOICES)], random)
        level_db = random.uniform(-12.0, 0.0)
        noise_db = random.uniform(-70.0, -38.0)
        samples = samples * 10 ** (level_db / 20)
        samples += random.normal(0.0, 10 ** (noise_db / 20), n_samples)
        path = folder / f"clip-{index:03d}.wav"
        _write(path, samples, rate)
        clips.append(path)
    return clips


def _voice(
    n_samples: int, pitch_hz: float, rise: float, rate_hz: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Harmonics below 4 kHz under two formants that move from vowel to vowel, in syllables."""
    t_s = np.arange(n_samples) / _RATE
    octaves = rise * t_s / t_s[-1] + 0.05 * np.sin(2 * np.pi * 5.1 * t_s)
    frequency = pitch_hz * 2.0**octaves
    phase = 2 * np.pi * np.cumsum(frequency) / _RATE
    syllable = np.minimum((t_s * rate_hz).astype(int), int(t_s[-1] * rate_hz))
    vowels = random.integers(len(_FORMANTS), size=int(syllable[-1]) + 1)
    formants = np.array(_FORMANTS, dtype=np.float64)[vowels[syllable]]
    voice = np.zeros(n_samples)
    for harmonic in range(1, int(4_000 / frequency.max()) + 1):
        at = (harmonic * frequency)[:, None]
        gain = (1 / (1 + ((at - formants) / 90.0) ** 2)).sum(axis=1) + 0.02
        voice += gain * np.sin(harmonic * phase) / harmonic**0.5
    opened = np.sin(np.pi * (t_s * rate_hz % 1.0)) ** 0.6
    spoken: NDArray[np.float64] = voice * opened
    return 0.5 * spoken / np.abs(spoken).max()


def _write(path: Path, samples: NDArray[np.float64], rate: int) -> None:
    pcm = np.clip(np.round(32767 * samples), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())


def find_clips(folder: Path, n_clips: int) -> list[Path]:
    """Find clips of a person's own: every so many-th of those in a folder, by name.

    Parameters
    ----------
    folder : Path
        Looked through to the bottom.
    n_clips : int
        At most.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    places = np.linspace(0, len(found), min(n_clips, len(found)), endpoint=False).astype(int)
    return [found[place] for place in places]


def digest_of(clips: list[Path]) -> str:
    """SHA-256 of the clips' contents in their order."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(clip.read_bytes())
    return digest.hexdigest()
