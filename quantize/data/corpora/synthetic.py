"""A tiny synthetic corpus in the four corpora's own layouts, to try and test without data.

Nothing here is speech: harmonics of a gliding pitch under three formants, broken into
syllables, with breath noise. Pitch, melody, level, tempo, tilt and breath follow the
emotion, so a model learns it within seconds; a figure measured on it says nothing
about people.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.basics.errors import CorpusError
from quantize.data.corpora.known import emodb, ravdess, savee, tess

__all__ = ["SYNTHETIC_RATE", "synthetic_speech", "write_synthetic_corpus"]

#: Of all that is synthesised here, in Hz.
SYNTHETIC_RATE = 16000
_MAX_PER_LABEL = 8
_MAX_HARMONIC_HZ = 5000.0


@dataclass(frozen=True)
class _Manner:
    """How an emotion sounds here.

    pitch: factor on the speaker's own; glide: octaves over the clip; wobble: octaves of
    syllable-rate melody; level_db: of the clip; syllables_per_s: tempo; tilt_db: slope
    per octave; breath: noise against voice.
    """

    pitch: float
    glide: float
    wobble: float
    level_db: float
    syllables_per_s: float
    tilt_db: float
    breath: float


_MANNERS = {
    "neutral": _Manner(1.00, -0.05, 0.02, -31.0, 4.0, -9.0, 0.02),
    "calm": _Manner(0.90, -0.10, 0.01, -37.0, 3.0, -12.0, 0.06),
    "happy": _Manner(1.45, 0.25, 0.20, -26.0, 5.0, -6.0, 0.02),
    "sad": _Manner(0.85, -0.35, 0.04, -39.0, 2.4, -14.0, 0.10),
    "angry": _Manner(1.30, -0.20, 0.10, -20.0, 5.5, -3.0, 0.03),
    "fearful": _Manner(1.75, 0.05, 0.12, -29.0, 6.5, -8.0, 0.15),
    "disgust": _Manner(0.80, -0.15, 0.15, -29.0, 2.8, -5.0, 0.08),
    "surprised": _Manner(1.50, 0.70, 0.05, -24.0, 3.5, -6.0, 0.04),
    "boredom": _Manner(0.80, -0.05, 0.00, -35.0, 2.2, -11.0, 0.03),
}
_VOWELS_HZ = ((730, 1090, 2440), (530, 1840, 2480), (390, 1990, 2550), (570, 840, 2410))
_PITCH_HZ = {"male": 115.0, "female": 205.0}
_FORMANT_SCALE = {"male": 1.0, "female": 1.16}

_WORDS = ("back", "bar", "base", "bath", "bean", "beg", "bite", "boat")
_TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03")


def _ravdess_names(speaker: str, native: str, n: int) -> Iterator[str]:
    code = f"{list(ravdess.CORPUS.labels).index(native) + 1:02d}"
    intensities = ("01",) if native == "neutral" else ("01", "02")
    fields = [(i, s, r) for i in intensities for s in ("01", "02") for r in ("01", "02")]
    for intensity, statement, repetition in fields[:n]:
        stem = f"03-01-{code}-{intensity}-{statement}-{repetition}-{speaker}"
        yield f"RAVDESS/Actor_{speaker}/{stem}"


def _savee_names(speaker: str, native: str, n: int) -> Iterator[str]:
    code = "sa" if native == "sadness" else "su" if native == "surprise" else native[0]
    for number in range(1, n + 1):
        yield f"SAVEE/AudioData/{speaker}/{code}{number:02d}"


def _emodb_names(speaker: str, native: str, n: int) -> Iterator[str]:
    code = dict(zip(emodb.CORPUS.labels, "WLEAFTN", strict=True))[native]
    for text in _TEXTS[:n]:
        yield f"EMO-DB/wav/{speaker}{text}{code}a"


def _tess_names(speaker: str, native: str, n: int) -> Iterator[str]:
    code = "ps" if native == "pleasant surprise" else native
    folder = "pleasant_surprise" if code == "ps" else code
    for word in _WORDS[:n]:
        yield f"TESS/{speaker}_{folder}/{speaker}_{word}_{code}"


_NAMERS = (
    (ravdess.CORPUS, _ravdess_names),
    (savee.CORPUS, _savee_names),
    (emodb.CORPUS, _emodb_names),
    (tess.CORPUS, _tess_names),
)


def _voice(
    manner: _Manner, gender: str, speaker: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """One clip, float64 in [-1, 1], 1.0-1.6 s with quiet edges."""
    n_samples = int(SYNTHETIC_RATE * rng.uniform(1.0, 1.6))
    n_edge = SYNTHETIC_RATE // 12
    n_voiced = n_samples - 2 * n_edge
    time_s = np.arange(n_voiced) / SYNTHETIC_RATE
    position = np.linspace(-0.5, 0.5, n_voiced)
    tempo = manner.syllables_per_s * rng.uniform(0.93, 1.07)

    # Speakers differ by up to a semitone and a half and in formants; so do takes, by less.
    own = 2.0 ** ((speaker * 7 % 5 - 2) / 16)
    octaves = manner.glide * position + manner.wobble * np.sin(2 * np.pi * tempo * time_s)
    pitch_hz = _PITCH_HZ[gender] * own * manner.pitch * rng.uniform(0.97, 1.03) * 2.0**octaves
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SYNTHETIC_RATE
    scale = _FORMANT_SCALE[gender] * (1 + (speaker * 3 % 5 - 2) / 50)

    voiced = np.empty(n_voiced)
    n_syllables = max(2, round(n_voiced / SYNTHETIC_RATE * tempo))
    edges = np.linspace(0, n_voiced, n_syllables + 1).astype(int)
    for start, end in itertools.pairwise(edges):
        formants_hz = np.array(_VOWELS_HZ[rng.integers(len(_VOWELS_HZ))]) * scale
        mean_hz = pitch_hz[start:end].mean()
        number = np.arange(1, max(2, int(_MAX_HARMONIC_HZ / mean_hz)))
        harmonic_hz = number * mean_hz
        resonance = sum(1 / (1 + ((harmonic_hz - f) / (60 + 0.06 * f)) ** 2) for f in formants_hz)
        weight = (0.05 + resonance) * 10 ** (manner.tilt_db * np.log2(number) / 20)
        rise = np.sin(np.linspace(0, np.pi, end - start)) ** 0.5
        voiced[start:end] = (weight @ np.sin(np.outer(number, phase[start:end]))) * rise
    voiced /= np.sqrt(np.mean(voiced**2))
    breath = rng.standard_normal(n_voiced) * np.abs(np.sin(np.pi * tempo * time_s))
    level = 10 ** ((manner.level_db + rng.uniform(-1.5, 1.5)) / 20)
    samples = 1e-4 * rng.standard_normal(n_samples)
    samples[n_edge : n_edge + n_voiced] += level * (voiced + manner.breath * breath)
    return np.clip(samples, -1, 1)


def synthetic_speech(
    label: str, gender: str, speaker: int, duration_s: float, seed: int
) -> NDArray[np.float32]:
    """Speech of one synthetic voice, take after take.

    Parameters
    ----------
    label : str
        Its emotion, one of :data:`~quantize.data.corpora.base.LABELS`.
    gender : str
        ``"female"`` or ``"male"``.
    speaker : int
        Number of the voice.
    duration_s : float
        At least so long; cut to whole samples.
    seed : int
        Same seed, same samples.

    Returns
    -------
    float32 [shape=(n_samples,)]
        Mono, 16 kHz, full scale 1.
    """
    rng = np.random.default_rng([seed, speaker, *label.encode()])
    n_samples = round(duration_s * SYNTHETIC_RATE)
    takes = [_voice(_MANNERS[label], gender, speaker, rng)]
    while sum(len(take) for take in takes) < n_samples:
        takes.append(_voice(_MANNERS[label], gender, speaker, rng))
    return np.concatenate(takes)[:n_samples].astype(np.float32)


def _write_wav(path: Path, samples: NDArray[np.float64]) -> None:
    pcm = np.round(samples * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SYNTHETIC_RATE)
        file.writeframes(pcm.tobytes())


def write_synthetic_corpus(
    root: str | os.PathLike[str], n_speakers: int = 2, n_per_label: int = 2, seed: int = 0
) -> list[Path]:
    """Write synthetic 16 kHz mono 16-bit WAVs that `load_corpora` takes for the four corpora.

    Parameters
    ----------
    root : path
        Folder to make ``RAVDESS``, ``SAVEE``, ``EMO-DB`` and ``TESS`` in.
    n_speakers : int
        Speakers of each corpus, its first ones; SAVEE has 4 and TESS 2 at the most.
    n_per_label : int
        Clips of each speaker and emotion, 1 to 8; RAVDESS has at most 4 neutral ones.
    seed : int
        Same seed, same files.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ParameterError
        If a count is out of range or the seed is negative.
    CorpusError
        If something lies in `root` already: recordings are never mixed with made ones.
    """
    if n_speakers < 1:
        raise ParameterError(f"n_speakers must be at least 1, got {n_speakers}.")
    if not 1 <= n_per_label <= _MAX_PER_LABEL:
        raise ParameterError(f"n_per_label must be 1 to {_MAX_PER_LABEL}, got {n_per_label}.")
    if seed < 0:
        raise ParameterError(f"seed must be at least 0, got {seed}.")
    root = Path(root)
    try:
        there = sorted(name for name in os.listdir(root) if not name.startswith("."))
    except FileNotFoundError:
        there = []
    except OSError as error:
        raise CorpusError(f"{str(root)!r}: {error.strerror}; give an empty folder.") from error
    if there:
        raise CorpusError(
            f"{str(root / there[0])!r} is there already, and made recordings are not mixed with "
            "others; give an empty folder."
        )
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".synthetic-", dir=root) as temporary:
        names = _write_all(Path(temporary), n_speakers, n_per_label, seed)
        for corpus, _ in _NAMERS:
            os.replace(Path(temporary, corpus.name.upper()), root / corpus.name.upper())
    return [root / name for name in names]


def _write_all(root: Path, n_speakers: int, n_per_label: int, seed: int) -> list[str]:
    written = []
    for corpus, names in _NAMERS:
        for index, (speaker, gender) in enumerate(list(corpus.speakers.items())[:n_speakers]):
            for native, label in corpus.labels.items():
                manner = _MANNERS[label or native]
                for name in names(speaker, native, n_per_label):
                    rng = np.random.default_rng([seed, *name.encode()])
                    path = root / f"{name}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    _write_wav(path, _voice(manner, gender, index, rng))
                    written.append(f"{name}.wav")
    return written
