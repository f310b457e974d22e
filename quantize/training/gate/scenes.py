"""Scenes: some seconds of voices and sounds at many levels, and which frames hold speech."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quantize.data.sound.made import bodies, noises, tunes
from quantize.data.sound.made.noises import Samples, bins_hz, resonances, shaped, slow_curve
from quantize.data.sound.recordings import Recording, read
from quantize.training.gate.material import Material

__all__ = ["GENERATED", "IGNORED", "SILENT", "SPOKEN", "Scene", "activity", "draw_scene", "sound"]

#: What a frame or a sample is said to be; what is neither clearly is left out of training.
SILENT, SPOKEN, IGNORED = 0, 1, -1

#: Generated sounds by kind, and how often one is drawn.
GENERATED: dict[str, tuple[Callable[[np.random.Generator, int, int], Samples], float]] = {
    "noise": (noises.coloured_noise, 6),
    "hum": (noises.hum, 4),
    "clicks": (noises.clicks, 4),
    "knocks": (noises.knocks, 4),
    "machine": (noises.machine, 6),
    "wind": (noises.wind_or_water, 5),
    "texture": (noises.texture, 5),
    "tone": (tunes.tone, 4),
    "sweep": (tunes.sweep, 4),
    "alarm": (tunes.alarm, 4),
    "chord": (tunes.chord, 4),
    "music": (tunes.music, 18),
    "animal": (tunes.animal, 7),
    "body": (bodies.body, 7),
}

_RECORDED_SHARE = 0.45
_VOICE_SHARE = 0.48
_FRAME_S = 0.016
#: A frame is spoken within this many dB of the loudest of its clip, and silent under the second.
_SPOKEN_DB, _SILENT_DB = -30.0, -45.0
#: Silence within speech up to this long belongs to it: stops, a breath.
_BRIDGED_S = 0.25
#: What may be heard of speech before it is loud, and after it in a room: neither is asked for.
_BEFORE_S, _AFTER_S = 0.05, 0.3


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """Some seconds of sound.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    truth : int8 [shape=(n_samples,)]
        :data:`SPOKEN`, :data:`SILENT` or :data:`IGNORED` for every sample.
    kind : str
        ``"voice"``, or the kind of the sound.
    """

    samples: NDArray[np.float32]
    truth: NDArray[np.int8]
    kind: str


def activity(samples: Samples, sample_rate: int) -> NDArray[np.int8]:
    """Tell speech from silence in a clean clip by its levels.

    Parameters
    ----------
    samples : float64 [shape=(n_samples,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    int8 [shape=(n_samples,)]
    """
    n = max(1, round(_FRAME_S * sample_rate))
    n_frames = max(1, samples.size // n)
    power = (np.resize(samples, n_frames * n).reshape(n_frames, n) ** 2).mean(axis=1)
    level_db = 10 * np.log10(power + 1e-12)
    top_db = np.quantile(level_db, 0.97)
    floor_db = np.quantile(level_db, 0.05)
    spoken = level_db > max(top_db + _SPOKEN_DB, min(floor_db + 10, top_db - 12))
    # A frame that stands alone is a click or a lip.
    spoken &= np.convolve(spoken, np.ones(5), "same") >= 3
    truth = np.full(n_frames, SILENT, dtype=np.int8)
    truth[level_db > max(top_db + _SILENT_DB, floor_db + 6)] = IGNORED
    at = np.flatnonzero(spoken)
    truth[at] = SPOKEN
    for before, after in pairwise(at.tolist()):
        if 1 < after - before <= _BRIDGED_S / _FRAME_S:
            truth[before:after] = SPOKEN
    every_sample = np.repeat(truth, n)
    n_left = max(0, samples.size - every_sample.size)
    return np.append(every_sample, np.full(n_left, truth[-1], dtype=np.int8))[: samples.size]


def sound(
    rng: np.random.Generator, material: Material, n_samples: int, sample_rate: int
) -> tuple[str, Samples]:
    """Draw a sound that is no voice: recorded or generated, at any level."""
    if material.sounds and rng.random() < _RECORDED_SHARE:
        # Kinds alike, however many recordings each has.
        kinds = sorted({one.kind for one in material.sounds})
        kind = kinds[int(rng.integers(len(kinds)))]
        return kind, _recorded(rng, material, kind, n_samples, sample_rate)
    names = list(GENERATED)
    shares = np.array([GENERATED[name][1] for name in names])
    name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    return name, GENERATED[name][0](rng, n_samples, sample_rate)


def _recorded(
    rng: np.random.Generator, material: Material, kind: str, n_samples: int, sample_rate: int
) -> Samples:
    choices = [one for one in material.sounds if one.kind == kind]
    parts: list[Samples] = []
    n_left = n_samples
    while n_left > 0:
        one = _at_speed(read(_pick(rng, choices), sample_rate), np.exp(rng.normal(0, 0.15)))
        # ESC fills its clips up with digital zeros.
        heard = np.flatnonzero(np.abs(one) > 1e-4)
        one = one[heard[0] : heard[-1] + 1] if heard.size else one
        one = np.roll(one, int(rng.integers(one.size))) if rng.random() < 0.5 else one
        ramp = np.minimum(1, np.minimum(np.arange(one.size), np.arange(one.size)[::-1]) / 160)
        one = one * ramp / (np.sqrt((one**2).mean()) + 1e-9)
        parts.append(one[:n_left])
        n_left -= one.size
        if rng.random() < 0.2 and n_left > 0:
            parts.append(np.zeros(min(n_left, int(rng.uniform(0, 1.5) * sample_rate))))
            n_left -= parts[-1].size
    return np.concatenate(parts)


def draw_scene(
    rng: np.random.Generator, material: Material, n_samples: int, sample_rate: int
) -> Scene:
    """Draw a scene, with voices or without.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    material : Material
    n_samples, sample_rate : int
        Length, and rate in Hz.

    Returns
    -------
    Scene
    """
    truth = np.full(n_samples, SILENT, dtype=np.int8)
    if material.voices and rng.random() < _VOICE_SHARE:
        kind = "voice"
        samples = _voices(rng, material, truth, sample_rate)
    else:
        kind, samples = sound(rng, material, n_samples, sample_rate)
        samples = _coloured(rng, samples, sample_rate)
        if rng.random() < 0.3:  # another one takes over
            _, other = sound(rng, material, n_samples, sample_rate)
            at = int(rng.uniform(0.2, 0.8) * n_samples)
            gain = samples.std() / (other.std() + 1e-9) * 10 ** rng.normal(0, 0.4)
            samples[at:] = other[at:] * gain
        elif rng.random() < 0.3:  # both at once
            _, other = sound(rng, material, n_samples, sample_rate)
            samples += other / (other.std() + 1e-9) * samples.std() * 10 ** rng.uniform(-1, 0)
        if rng.random() < 0.25:  # begins or ends
            at = int(rng.uniform(0.1, 0.9) * n_samples)
            part = slice(at) if rng.random() < 0.5 else slice(at, None)
            samples[part] *= 10 ** rng.uniform(-3, -1)
        rms = np.sqrt((samples**2).mean()) + 1e-12
        samples = samples / rms * 10 ** (rng.uniform(-58, -8) / 20)
        samples = samples + _floor(rng, n_samples, sample_rate)
    samples = _recorded_badly(rng, np.clip(samples, -1, 1), sample_rate)
    return Scene(samples.astype(np.float32), truth, kind)


def _voices(
    rng: np.random.Generator, material: Material, truth: NDArray[np.int8], sample_rate: int
) -> Samples:
    """Clips one after the other, in a noise, and the truth of every sample."""
    n_samples = truth.size
    voice = np.zeros(n_samples)
    corpora = sorted({one.kind for one in material.voices})
    at = -int(rng.uniform(0, 1.0) * sample_rate) if rng.random() < 0.4 else 0
    at += int(rng.exponential(0.5) * sample_rate)
    same_speaker: list[Recording] = []
    while at < n_samples - sample_rate // 10:
        if not same_speaker or rng.random() < 0.3:
            corpus = corpora[int(rng.integers(len(corpora)))]
            choices = [one for one in material.voices if one.kind == corpus]
            speaker = _pick(rng, choices).source
            same_speaker = [one for one in choices if one.source == speaker]
        clip = _at_speed(read(_pick(rng, same_speaker), sample_rate), np.exp(rng.normal(0, 0.12)))
        active = activity(clip, sample_rate)
        power = (clip[active == SPOKEN] ** 2).mean() if (active == SPOKEN).any() else 0
        clip = clip / np.sqrt(power + 1e-12) * 10 ** (rng.normal(0, 3) / 20)
        cut = max(0, -at)
        clip, active, at = clip[cut:], active[cut:], max(0, at)
        end = min(n_samples, at + clip.size)
        voice[at:end] = clip[: end - at]
        truth[at:end] = active[: end - at]
        at = end + int(rng.exponential(rng.choice([0.15, 0.8, 2.0])) * sample_rate)
    voice = _coloured(rng, voice, sample_rate)
    spoken = truth == SPOKEN
    truth[_near(spoken, sample_rate) & (truth == SILENT)] = IGNORED
    if spoken.any():
        voice *= 10 ** (rng.uniform(-56, -10) / 20) / np.sqrt((voice[spoken] ** 2).mean() + 1e-12)
    if rng.random() < 0.2:
        return voice + _floor(rng, n_samples, sample_rate)
    _, noise = sound(rng, material, n_samples, sample_rate)
    snr_db = rng.uniform(0, 45)
    level = np.sqrt((voice[spoken] ** 2).mean()) if spoken.any() else 1e-3
    noise *= level * 10 ** (-snr_db / 20) / (np.sqrt((noise**2).mean()) + 1e-12)
    # What is under the noise is not to be heard by anybody.
    n = sample_rate // 32
    n_whole = n_samples // n
    of = [(part[: n_whole * n].reshape(n_whole, n) ** 2).mean(axis=1) for part in (voice, noise)]
    buried = np.repeat(of[0] < of[1] * 10**-0.2, n)
    buried = np.append(buried, np.zeros(n_samples - buried.size, dtype=bool))
    truth[buried & (truth == SPOKEN)] = IGNORED
    return voice + noise


def _near(spoken: NDArray[np.bool_], sample_rate: int) -> NDArray[np.bool_]:
    """Which samples lie shortly before or after speech."""
    before, after = round(_BEFORE_S * sample_rate), round(_AFTER_S * sample_rate)
    padded = np.concatenate([np.zeros(after + 1), spoken, np.zeros(before)])
    counts = np.cumsum(padded)
    near: NDArray[np.bool_] = counts[after + 1 + before :] > counts[: spoken.size]
    return near


def _recorded_badly(rng: np.random.Generator, samples: Samples, sample_rate: int) -> Samples:
    """Clipped, cut off at the rate of an old recorder, or with few bits, at times; mostly 16."""
    rms = np.sqrt((samples**2).mean()) + 1e-12
    if rng.random() < 0.08:
        samples = np.clip(samples * 10 ** (rng.uniform(3, 20) / 20) / rms * 0.2, -1, 1)
        samples *= rms / np.sqrt((samples**2).mean())
    if rng.random() < 0.25:
        # Nothing at all above, as of a file of 8000 Hz.
        cut_hz = np.exp(rng.uniform(np.log(950.0), np.log(7800.0)))
        if rng.random() < 0.4:
            cut_hz = float(rng.choice([3400.0, 4000.0, 5500.0]))
        hz = bins_hz(samples.size, sample_rate)
        samples = shaped(samples, np.clip((cut_hz - hz) / rng.uniform(20, 300) + 1, 0, 1))
    bits = rng.random()
    if bits < 0.06:  # telephone
        squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
        squeezed = np.round(squeezed * 127) / 127
        samples = np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log(256)) / 255
    elif bits < 0.75:
        samples = np.round(samples * 32768) / 32768
    return np.clip(samples, -1, 1)


def _pick(rng: np.random.Generator, choices: list[Recording]) -> Recording:
    return choices[int(rng.integers(len(choices)))]


def _at_speed(samples: Samples, speed: float) -> Samples:
    at = np.arange(0, samples.size - 1, speed)
    out: Samples = np.interp(at, np.arange(samples.size), samples)
    return out


def _floor(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """What a microphone hears of nothing: digital silence, or noise from -95 to -55 dBFS."""
    if rng.random() < 0.25:
        return np.zeros(n_samples)
    noise = noises.coloured_noise(rng, n_samples, sample_rate)
    at_level: Samples = noise / noise.std() * 10 ** (rng.uniform(-95, -55) / 20)
    return at_level


def _coloured(rng: np.random.Generator, samples: Samples, sample_rate: int) -> Samples:
    """Heard through a microphone, at times in a room or over a telephone."""
    hz = bins_hz(samples.size, sample_rate)
    points_hz = np.geomspace(60.0, 8000.0, 7)
    gains_db = rng.uniform(-6, 6, points_hz.size) * rng.random()
    gain = 10 ** (np.interp(np.log(np.maximum(hz, 1)), np.log(points_hz), gains_db) / 20)
    if rng.random() < 0.25:
        low_hz, high_hz = rng.uniform(40, 300), rng.uniform(3300, 7800)
        gain /= np.sqrt(1 + (low_hz / np.maximum(hz, 1)) ** 4) * np.sqrt(1 + (hz / high_hz) ** 8)
    if rng.random() < 0.1:
        gain = gain * resonances(rng, hz, 5) ** 0.3
    out = shaped(samples, gain)
    if rng.random() < 0.35:
        n_tail = int(rng.uniform(0.1, 0.9) * sample_rate)
        tail = rng.standard_normal(n_tail) * np.exp(-6.908 * np.arange(n_tail) / n_tail)
        tail *= 10 ** (-rng.uniform(-3, 15) / 20) / np.sqrt((tail**2).sum())
        tail[0] = 1.0
        n_fft = 1 << (out.size + n_tail - 1).bit_length()
        out = np.fft.irfft(np.fft.rfft(out, n_fft) * np.fft.rfft(tail, n_fft), n_fft)[: out.size]
    if rng.random() < 0.15:  # somebody turns a knob, or walks
        out = out * 10 ** (slow_curve(rng, out.size, sample_rate, 0.3) * 0.3)
    return out
