"""Sounds with pitch that are made, not recorded: tones, alarms, birds and music.

Music is drawn, not composed: scales, chords and rhythms at random on instruments whose
harmonics, attack, decay, vibrato and body are drawn, too.
"""

from __future__ import annotations

import numpy as np

from quantize.data.sound.made.noises import (
    Samples,
    bins_hz,
    coloured_noise,
    resonances,
    shaped,
    slow_curve,
)

__all__ = ["alarm", "animal", "chord", "music", "sweep", "tone"]

_SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10),
    (0, 2, 3, 5, 7, 9, 10), (0, 1, 4, 5, 7, 8, 11), (0, 2, 4, 6, 8, 10), tuple(range(12)),
)  # fmt: skip
_CHORDS = (
    (0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 3, 7, 10), (0, 5, 7), (0, 7), (0, 12), (0, 3, 6),
)  # fmt: skip


def tone(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """A steady tone, pure or not, at times with vibrato or tremolo."""
    hz = np.exp(rng.uniform(np.log(60.0), np.log(6000.0)))
    time_s = np.arange(n_samples) / sample_rate
    bend = np.zeros(n_samples)
    if rng.random() < 0.4:
        bend = rng.uniform(0, 0.03) * np.sin(2 * np.pi * rng.uniform(2, 9) * time_s)
    phase = 2 * np.pi * np.cumsum(hz * (1 + bend)) / sample_rate
    out = np.sin(phase)
    if rng.random() < 0.5:
        for k in range(2, int(rng.integers(3, 12))):
            if k * hz < 0.45 * sample_rate:
                out += rng.uniform(0, 1) / k * np.sin(k * phase)
    if rng.random() < 0.3:
        out *= 1 + rng.uniform(0, 1) * np.sin(2 * np.pi * rng.uniform(0.5, 12) * time_s)
    return out


def sweep(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Chirps and sirens: one pitch that glides, over and over."""
    low, high = np.sort(np.exp(rng.uniform(np.log(100.0), np.log(6500.0), 2)))
    period_s = np.exp(rng.uniform(np.log(0.05), np.log(8.0)))
    ramp = (np.arange(n_samples) / sample_rate / period_s + rng.random()) % 1.0
    style = rng.integers(4)
    if style == 1:
        ramp = 1 - ramp
    elif style == 2:
        ramp = np.abs(2 * ramp - 1)
    elif style == 3:
        ramp = 0.5 + 0.5 * np.sin(2 * np.pi * ramp)
    hz = low * (high / low) ** ramp
    phase = 2 * np.pi * np.cumsum(hz) / sample_rate
    out = np.sin(phase)
    if rng.random() < 0.4:
        out = np.tanh(rng.uniform(1, 6) * out)
    if rng.random() < 0.4:
        out *= (ramp < rng.uniform(0.3, 1.0)).astype(float)
    return out


def alarm(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Beeps of a few pitches: timers, telephones, reversing lorries."""
    pitches = np.exp(rng.uniform(np.log(300.0), np.log(4500.0), int(rng.integers(1, 4))))
    on_s = np.exp(rng.uniform(np.log(0.03), np.log(0.8)))
    period_s = on_s * rng.uniform(1.1, 4)
    time_s = np.arange(n_samples) / sample_rate + rng.uniform(0, period_s)
    turn = (time_s / period_s).astype(int)
    sounding = np.clip(np.minimum(time_s % period_s, on_s - time_s % period_s) / 0.004, 0, 1)
    if rng.random() < 0.4:  # groups
        group = int(rng.integers(2, 7))
        sounding *= (turn % group) < rng.integers(1, group + 1)
    hz = pitches[turn % pitches.size]
    out = np.sin(2 * np.pi * np.cumsum(hz) / sample_rate)
    if rng.random() < 0.5:
        out = np.tanh(rng.uniform(1, 8) * out)
    if rng.random() < 0.2:  # two tones together
        out += np.sin(2 * np.pi * np.cumsum(hz * rng.uniform(1.05, 2)) / sample_rate)
    beeps: Samples = out * sounding
    return beeps


def chord(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Notes held together for the whole time."""
    instrument = _Instrument(rng, sample_rate, sustained=True)
    root = int(rng.integers(36, 76))
    out = np.zeros(n_samples)
    for step in _CHORDS[int(rng.integers(len(_CHORDS)))]:
        out += instrument.note(root + step, n_samples)
    return out


class _Instrument:
    """A timbre: harmonics, envelope, vibrato, body."""

    def __init__(
        self, rng: np.random.Generator, sample_rate: int, sustained: bool | None = None
    ) -> None:
        self._rng, self._rate = rng, sample_rate
        n = int(rng.integers(1, 24))
        self._gains = rng.uniform(0.05, 1, n) / np.arange(1, n + 1) ** rng.uniform(0.2, 2.2)
        self._gains[0] = max(self._gains[0], 0.3 * rng.random())
        if rng.random() < 0.25:
            self._gains[1::2] *= 0.1
        self._stretch = rng.uniform(0, 4e-4) if rng.random() < 0.4 else 0.0
        if rng.random() < 0.12:  # bells and bars
            self._stretch = rng.uniform(0.005, 0.08)
        self._sustained = bool(rng.random() < 0.5) if sustained is None else sustained
        self._attack_s = np.exp(rng.uniform(np.log(0.002), np.log(0.15)))
        self._decay_s = np.exp(rng.uniform(np.log(0.08), np.log(2.0)))
        self._dull = rng.uniform(0, 0.6)
        vibrates = rng.random() < 0.5
        self._vibrato = rng.uniform(0.002, 0.02) if vibrates else 0.0
        self._vibrato_hz = rng.uniform(4, 7.5)
        self._breath = 10 ** rng.uniform(-3, -0.8) if rng.random() < 0.4 else 0.0
        self._drive = rng.uniform(1, 10) if rng.random() < 0.15 else 0.0
        self._slide = rng.uniform(-0.06, 0.06) if rng.random() < 0.2 else 0.0

    def note(self, key: float, n_samples: int) -> Samples:
        """One note of a key of the keyboard (69: 440 Hz)."""
        rng, rate = self._rng, self._rate
        hz = 440.0 * 2 ** ((key - 69) / 12)
        time_s = np.arange(n_samples) / rate
        bend = 1 + self._vibrato * np.sin(
            2 * np.pi * self._vibrato_hz * time_s + rng.uniform(0, 6)
        ) * np.minimum(time_s / 0.3, 1)
        bend += self._slide * np.exp(-time_s / 0.05)
        phase = 2 * np.pi * np.cumsum(hz * bend) / rate
        out = np.zeros(n_samples)
        for k, gain in enumerate(self._gains, 1):
            ratio = k * np.sqrt(1 + self._stretch * k * k)
            if ratio * hz > 0.47 * rate:
                break
            part = gain * np.sin(ratio * phase + rng.uniform(0, 6))
            if not self._sustained:
                part *= np.exp(-time_s / self._decay_s * (1 + self._dull * (k - 1)))
            out += part
        if self._breath:
            out += self._breath * coloured_noise(rng, n_samples, rate, -1.0) * 3
        if self._drive:
            out = np.tanh(self._drive * out)
        attack = np.minimum(time_s / self._attack_s, 1)
        release = np.minimum(time_s[::-1] / 0.03, 1)
        shaped_note: Samples = out * attack * release
        return shaped_note


def _drums(rng: np.random.Generator, n_samples: int, sample_rate: int, beat_s: float) -> Samples:
    out = np.zeros(n_samples)
    n_hit = int(0.4 * sample_rate)
    time_s = np.arange(n_hit) / sample_rate
    kick = np.sin(2 * np.pi * (50 * time_s + rng.uniform(2, 6) * (1 - np.exp(-time_s / 0.03))))
    kick *= np.exp(-time_s / rng.uniform(0.05, 0.15))
    snare = rng.standard_normal(n_hit) * np.exp(-time_s / rng.uniform(0.03, 0.12))
    snare += np.sin(2 * np.pi * rng.uniform(150, 250) * time_s) * np.exp(-time_s / 0.06)
    hat = np.diff(rng.standard_normal(n_hit + 1)) * np.exp(-time_s / rng.uniform(0.01, 0.08))
    n_steps = int(rng.choice([8, 12, 16]))
    patterns = [rng.random(n_steps) < share for share in (0.25, 0.2, 0.6)]
    for step in range(int(n_samples / sample_rate / (beat_s / 4)) + 1):
        start = int(step * beat_s / 4 * sample_rate)
        if start >= n_samples:
            break
        for hit, pattern in zip((kick, snare, 0.4 * hat), patterns, strict=True):
            if pattern[step % n_steps]:
                end = min(n_samples, start + n_hit)
                out[start:end] += (hit * rng.uniform(0.6, 1))[: end - start]
    return out


def music(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Melody, chords, arpeggio, bass and drums, some of them, in one key and beat."""
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    root = int(rng.integers(36, 60))
    beat_s = 60 / rng.uniform(50, 180)
    out = np.zeros(n_samples)
    parts = [part for part in range(4) if rng.random() < 0.5] or [int(rng.integers(4))]
    for part in parts:
        instrument = _Instrument(rng, sample_rate)
        track = np.zeros(n_samples)
        position, at = int(rng.integers(7, 21)), 0.0
        degree = 0
        while at * sample_rate < n_samples:
            start = int(at * sample_rate)
            if part == 0:  # melody
                beats = float(rng.choice([0.25, 0.5, 0.5, 1, 1, 1.5, 2]))
                position = int(np.clip(position + rng.integers(-3, 4), 3, 28))
                keys = [position]
            elif part == 1:  # chords
                beats = float(rng.choice([1, 2, 2, 4]))
                degree = int(rng.integers(7))
                keys = [degree + 7 + step for step in (0, 2, 4, 6)[: int(rng.integers(2, 5))]]
            elif part == 2:  # arpeggio
                beats = float(rng.choice([0.25, 0.5]))
                degree += 1
                keys = [7 + int(rng.integers(0, 2)) * 7 + (degree * 2) % 8]
            else:  # bass
                beats = float(rng.choice([0.5, 1, 1, 2]))
                keys = [int(rng.integers(0, 7))]
            n_note = min(int(beats * beat_s * sample_rate), n_samples - start)
            n_held = max(64, int(n_note * rng.uniform(0.6, 1.0)))
            n_held = min(n_held, n_samples - start)
            if rng.random() > 0.12:
                for key in keys:
                    octave, step = divmod(key, len(scale))
                    note = instrument.note(root + 12 * octave + scale[step], n_held)
                    track[start : start + n_held] += note
            at += beats * beat_s
        track /= track.std() + 1e-9
        out += track * rng.uniform(0.3, 1)
    if rng.random() < 0.45:
        drums = _drums(rng, n_samples, sample_rate, beat_s)
        out += drums / (drums.std() + 1e-9) * rng.uniform(0.2, 1.2)
    if rng.random() < 0.5:  # the body or the loudspeaker
        out = shaped(out, resonances(rng, bins_hz(n_samples, sample_rate), 4) ** 0.5)
    return out


def animal(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Calls with a gliding pitch and pauses: birds, insects, cats, frogs, whistles, cries."""
    out = np.zeros(n_samples)
    centre = np.exp(rng.uniform(np.log(250.0), np.log(5500.0)))
    call_s = np.exp(rng.uniform(np.log(0.04), np.log(1.2)))
    contour = rng.uniform(-0.35, 0.35, 4)
    n_harmonics = int(rng.integers(1, 12))
    gains = rng.uniform(0.1, 1, n_harmonics) / np.arange(1, n_harmonics + 1) ** rng.uniform(0, 2)
    rough = rng.uniform(0, 0.9) if rng.random() < 0.5 else 0.0
    rough_hz = rng.uniform(15, 120)
    at = rng.uniform(0, 0.6)
    while at * sample_rate < n_samples:
        start = int(at * sample_rate)
        n_call = min(max(64, int(call_s * rng.uniform(0.7, 1.4) * sample_rate)), n_samples - start)
        ramp = np.linspace(0, 1, n_call)
        bend = np.interp(ramp, np.linspace(0, 1, 4), contour + rng.uniform(-0.05, 0.05, 4))
        hz = centre * 2**bend * rng.uniform(0.97, 1.03)
        phase = 2 * np.pi * np.cumsum(hz) / sample_rate
        call = np.zeros(n_call)
        for k, gain in enumerate(gains, 1):
            if k * centre * 1.3 < sample_rate / 2:
                call += gain * np.sin(k * phase + rng.uniform(0, 6))
        if rough:
            call *= 1 + rough * np.sin(2 * np.pi * rough_hz * ramp * call_s)
            call += rough * 0.3 * rng.standard_normal(n_call)
        call *= np.minimum(ramp / 0.1, 1) * np.minimum((1 - ramp) / 0.3, 1)
        out[start : start + n_call] += call * rng.uniform(0.4, 1)
        at += call_s * rng.uniform(1.1, 3.5) if rng.random() < 0.8 else rng.uniform(0.3, 1.5)
    slow = slow_curve(rng, n_samples, sample_rate, 0.3)
    return out * 10 ** (0.2 * slow)
