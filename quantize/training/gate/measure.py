"""How often a gate lets speech through, and what else: by kind of sound and level.

Everything measured on here was kept from training: speakers, recordings, seeds.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edge.features.spec import FeatureSpec
from quantize.data.sound.made import noises, tunes
from quantize.data.sound.made.noises import Samples
from quantize.data.sound.made.plucked import plucked
from quantize.data.sound.noise_and_rooms import add_room
from quantize.data.sound.recordings import read
from quantize.training.gate.material import Material
from quantize.training.gate.rows import frame_truth
from quantize.training.gate.scenes import SILENT, SPOKEN, activity

__all__ = [
    "CONDITIONS",
    "LEVELS_DB",
    "SEGMENT_S",
    "SPOKEN_S",
    "Sound",
    "all_of",
    "held_out_sounds",
    "held_out_voices",
    "segment_frames",
    "spoken_segments",
    "under",
]

#: Of speech while it lasts, of anything else over all of it.
LEVELS_DB = (-50, -40, -30, -20, -15)

SEGMENT_S, HOP_S = 2.0, 0.5
#: Speech that makes a segment one that should pass.
SPOKEN_S = 0.5

_STREAM_S = 8.0
_PAUSE_S = 0.4
#: What is heard of a recording that was not cut out of silence.
_AUDIBLE = 1e-4


@dataclasses.dataclass(frozen=True, slots=True)
class Sound:
    """Something to show to a gate.

    Parameters
    ----------
    kind : str
    samples : float32 [shape=(n_samples,)]
        At the level, as 16 bits hold it.
    level_db : int
        0 for silence, which has none.
    truth : int8 [shape=(n_samples,)] or None
        Of every sample of speech; None where there is none.
    """

    kind: str
    samples: NDArray[np.float32]
    level_db: int
    truth: NDArray[np.int8] | None = None


def held_out_voices(
    material: Material, sample_rate: int, *, n_streams: int, seed: int
) -> Iterator[Sound]:
    """Clips of a speaker one after the other, with short pauses, at every level.

    ``n_streams`` a corpus, of its held-out speakers in turns; clean, as recorded.
    """
    n_samples = round(_STREAM_S * sample_rate)
    for corpus in sorted({one.kind for one in material.voices}):
        speakers = sorted({one.source for one in material.voices if one.kind == corpus})
        for index in range(n_streams):
            rng = np.random.default_rng([seed, index, *corpus.encode()])
            speaker = speakers[index % len(speakers)]
            clips = [one for one in material.voices if one.source == speaker]
            samples = np.zeros(n_samples)
            truth = np.full(n_samples, SILENT, dtype=np.int8)
            at = 0
            while at < n_samples:
                clip = read(clips[int(rng.integers(len(clips)))], sample_rate)
                active = activity(clip, sample_rate)
                end = min(n_samples, at + clip.size)
                samples[at:end], truth[at:end] = clip[: end - at], active[: end - at]
                at = end + round(_PAUSE_S * sample_rate)
            rms = float(np.sqrt((samples[truth == SPOKEN] ** 2).mean()))
            for level_db in LEVELS_DB:
                yield Sound(corpus, _at_level(samples, rms, level_db), level_db, truth)


def _noisy(snr_db: float) -> Callable[[Sound, int, np.random.Generator], Samples]:
    def add(voice: Sound, sample_rate: int, rng: np.random.Generator) -> Samples:
        noise = noises.coloured_noise(rng, voice.samples.size, sample_rate, -1.0)
        wanted = 10 ** ((voice.level_db - snr_db) / 20)
        mixed: Samples = voice.samples + noise / noise.std() * wanted
        return mixed

    return add


def _far(voice: Sound, sample_rate: int, rng: np.random.Generator) -> Samples:
    # The one across a living room of the protocol "noise", brought back to the level.
    return add_room(
        voice.samples, sample_rate, rng,
        reverberation_s=0.5, direct_to_reverberant_db=-3.0, delay_s=0.005, gain_db=0.0,
    )  # fmt: skip


def _telephone(voice: Sound, sample_rate: int, rng: np.random.Generator) -> Samples:
    hz = noises.bins_hz(voice.samples.size, sample_rate)
    return noises.shaped(voice.samples, ((hz > 300) & (hz < 3400)).astype(float))


#: What may come between a voice and the device.
CONDITIONS: dict[str, Callable[[Sound, int, np.random.Generator], Samples]] = {
    "pink noise, 20 dB": _noisy(20.0),
    "pink noise, 10 dB": _noisy(10.0),
    "across a room": _far,
    "300 to 3400 Hz": _telephone,
}


def under(condition: str, voices: Iterator[Sound], sample_rate: int, seed: int) -> Iterator[Sound]:
    """The same voices under one of :data:`CONDITIONS`."""
    change = CONDITIONS[condition]
    for index, voice in enumerate(voices):
        changed = change(voice, sample_rate, np.random.default_rng([seed, index]))
        yield dataclasses.replace(voice, samples=_sixteen_bits(changed))


def _tones(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    make = (tunes.tone, tunes.alarm, tunes.sweep)[int(rng.integers(3))]
    return make(rng, n_samples, sample_rate)


_MADE: dict[str, Callable[[np.random.Generator, int, int], Samples]] = {
    "white noise": lambda rng, n, rate: noises.coloured_noise(rng, n, rate, 0.0),
    "pink noise": lambda rng, n, rate: noises.coloured_noise(rng, n, rate, -1.0),
    "brown noise": lambda rng, n, rate: noises.coloured_noise(rng, n, rate, -2.0),
    "hum": noises.hum,
    "clicks": noises.clicks,
    "chords": tunes.chord,
    "music, as trained": tunes.music,
    "music, plucked and FM": plucked,
    "tones and alarms": _tones,
    "machines": noises.machine,
}


def held_out_sounds(
    material: Material, sample_rate: int, *, n_made: int, seed: int
) -> Iterator[Sound]:
    """Sounds of every kind, each at every level.

    ``n_made`` of each made kind; every held-out recording once, without the zeros around it.
    """
    n_samples = round(_STREAM_S * sample_rate)
    yield Sound("silence", np.zeros(n_samples, dtype=np.float32), 0)
    for index in range(n_made):
        # What a microphone gives where nothing is to be heard, from -62 dBFS down to its last bits.
        rng = np.random.default_rng([seed, index, 1])
        noise = noises.coloured_noise(rng, n_samples, sample_rate, float(rng.uniform(-2, 0.5)))
        yield Sound("silence", _at_level(noise, float(noise.std()), -62 - 3 * (index % 10)), 0)
    for kind, make in _MADE.items():
        for index in range(n_made):
            rng = np.random.default_rng([seed, index, *kind.encode()])
            yield from _levels(kind, make(rng, n_samples, sample_rate))
    for one in material.sounds:
        samples = read(one, sample_rate)
        heard = np.flatnonzero(np.abs(samples) > _AUDIBLE)
        samples = samples[heard[0] : heard[-1] + 1] if heard.size else samples
        if samples.size < SEGMENT_S * sample_rate:
            samples = np.resize(samples, round(SEGMENT_S * sample_rate))
        yield from _levels(one.kind, samples)


def _levels(kind: str, samples: Samples) -> Iterator[Sound]:
    rms = float(np.sqrt((samples**2).mean()))
    return (Sound(kind, _at_level(samples, rms, level), level) for level in LEVELS_DB)


def _at_level(samples: Samples, rms: float, level_db: float) -> NDArray[np.float32]:
    return _sixteen_bits(samples * (10 ** (level_db / 20) / (rms + 1e-12)))


def _sixteen_bits(samples: Samples) -> NDArray[np.float32]:
    """Cut off what does not fit."""
    return (np.clip(np.round(samples * 32768), -32768, 32767) / 32768).astype(np.float32)


def spoken_segments(
    sound: Sound, spec: FeatureSpec, n_frames: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where a stream's segments end, and which should pass.

    A segment should where :data:`SPOKEN_S` or more of it is speech, and should not where
    nothing is; what lies between is left out.

    Returns
    -------
    ends : int64 [shape=(n_segments,)]
        In frames.
    spoken : bool [shape=(n_segments,)]
    """
    frame_s = spec.hop_length / spec.sample_rate
    n_segment, hop = segment_frames(spec), round(HOP_S / frame_s)
    ends = np.arange(min(n_segment, n_frames), n_frames + 1, hop)
    if sound.truth is None:
        return ends, np.zeros(ends.size, dtype=np.bool_)
    truth = frame_truth(sound.truth, spec, n_frames)
    first = np.maximum(0, ends - n_segment)
    n_spoken, n_silent = (
        np.array(
            [int(np.count_nonzero(truth[a:b] == what)) for a, b in zip(first, ends, strict=True)]
        )
        for what in (SPOKEN, SILENT)
    )
    spoken = n_spoken >= SPOKEN_S / frame_s
    kept = spoken | (n_silent == ends - first)
    return ends[kept], spoken[kept]


def segment_frames(spec: FeatureSpec) -> int:
    """Whole frames of a segment."""
    return (round(SEGMENT_S * spec.sample_rate) - spec.win_length) // spec.hop_length + 1


def all_of(
    material: Material, sample_rate: int, *, n_streams: int, n_made: int, seed: int
) -> Iterator[tuple[str, Sound]]:
    """Everything that is measured on, with the row of the table that it belongs to."""

    def voices() -> Iterator[Sound]:
        return held_out_voices(material, sample_rate, n_streams=n_streams, seed=seed)

    clean = (("speech", voice) for voice in voices())
    changed = (
        (f"speech, {condition}", voice)
        for condition in CONDITIONS
        for voice in under(condition, voices(), sample_rate, seed)
    )
    others = (
        (one.kind, one) for one in held_out_sounds(material, sample_rate, n_made=n_made, seed=seed)
    )
    return itertools.chain(clean, changed, others)
