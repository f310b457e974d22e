"""Sounds of a throat that says nothing, made from noise and pulses: cough, sneeze, sigh, snore."""

from __future__ import annotations

import numpy as np

from quantize.data.sound.made.noises import Samples, bins_hz, slow_curve

__all__ = ["body"]


def body(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Coughs, sneezes, sighs, breaths, snores and laughs without a word, over and over."""
    make = (_cough, _sigh, _snore, _laugh)[int(rng.integers(4))]
    out = np.zeros(n_samples)
    at = rng.uniform(0, 0.7)
    while at * sample_rate < n_samples:
        start = int(at * sample_rate)
        sound = make(rng, sample_rate)
        sound *= rng.uniform(0.4, 1) / (np.abs(sound).max() + 1e-9)
        end = min(n_samples, start + sound.size)
        out[start:end] += sound[: end - start]
        at += sound.size / sample_rate + rng.uniform(0.05, 1.2)
    return out


def _throat(rng: np.random.Generator, samples: Samples, sample_rate: int) -> Samples:
    """Three to five formants of one mouth position."""
    hz = bins_hz(samples.size, sample_rate)
    gain = np.full(hz.size, 0.02)
    centres = (rng.uniform(350, 950), rng.uniform(900, 2100), rng.uniform(2200, 3200), 3800.0)
    for k, centre in enumerate(centres):
        width = rng.uniform(80, 400)
        gain += rng.uniform(0.3, 1) / (k + 1) / (1 + ((hz - centre) / width) ** 2)
    return np.fft.irfft(np.fft.rfft(samples) * gain, n=samples.size)


def _ramped(n: int, rise: float, power: float) -> Samples:
    ramp = np.linspace(0, 1, n)
    envelope: Samples = np.minimum(ramp / rise, (1 - ramp) / (1 - rise)) ** power
    return envelope


def _pulses(rng: np.random.Generator, n: int, sample_rate: int, hz: Samples) -> Samples:
    phase = np.cumsum(hz) / sample_rate
    out = np.zeros(n)
    out[1:] = np.diff(np.floor(phase)) * rng.uniform(0.7, 1.0, n - 1)
    kernel = np.exp(-np.arange(40) / rng.uniform(4, 14))
    return np.convolve(out, kernel)[:n]


def _cough(rng: np.random.Generator, sample_rate: int) -> Samples:
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        n_burst = int(rng.uniform(0.03, 0.12) * sample_rate)
        n_tail = int(rng.uniform(0.08, 0.3) * sample_rate)
        burst = rng.standard_normal(n_burst) * _ramped(n_burst, 0.1, 1.0)
        tail = rng.standard_normal(n_tail) * rng.uniform(0.1, 0.5)
        if rng.random() < 0.6:
            hz = np.linspace(rng.uniform(150, 400), rng.uniform(80, 250), n_tail)
            tail += _pulses(rng, n_tail, sample_rate, hz) * rng.uniform(0.3, 3)
        tail *= np.exp(-4 * np.linspace(0, 1, n_tail))
        parts += [burst, tail, np.zeros(int(rng.uniform(0.03, 0.3) * sample_rate))]
    return _throat(rng, np.concatenate(parts), sample_rate)


def _sigh(rng: np.random.Generator, sample_rate: int) -> Samples:
    n = int(rng.uniform(0.3, 1.8) * sample_rate)
    return _throat(rng, rng.standard_normal(n), sample_rate) * _ramped(
        n, rng.uniform(0.1, 0.7), rng.uniform(0.7, 2)
    )


def _snore(rng: np.random.Generator, sample_rate: int) -> Samples:
    n = int(rng.uniform(0.5, 1.6) * sample_rate)
    hz = rng.uniform(22, 70) * (1 + 0.15 * slow_curve(rng, n, sample_rate, 4))
    rough = _pulses(rng, n, sample_rate, hz) * 4 + rng.standard_normal(n) * rng.uniform(0.1, 0.8)
    return _throat(rng, rough, sample_rate) * _ramped(n, rng.uniform(0.2, 0.7), 1.0)


def _laugh(rng: np.random.Generator, sample_rate: int) -> Samples:
    """The same open vowel again and again, each with a puff of breath before it."""
    start_hz, fall = rng.uniform(160, 600), rng.uniform(0.85, 1.02)
    beat_s = rng.uniform(0.13, 0.28)
    parts = []
    for k in range(int(rng.integers(3, 10))):
        n_breath = int(beat_s * rng.uniform(0.3, 0.55) * sample_rate)
        n_voice = int(beat_s * rng.uniform(0.35, 0.6) * sample_rate)
        hz = start_hz * fall**k * np.linspace(1.05, 0.9, n_voice)
        voice = _pulses(rng, n_voice, sample_rate, hz) * 3
        voice += rng.standard_normal(n_voice) * rng.uniform(0.1, 0.6)
        voice *= _ramped(n_voice, 0.3, 0.7)
        breath = rng.standard_normal(n_breath) * rng.uniform(0.05, 0.5)
        parts += [breath * _ramped(n_breath, 0.6, 1.0), voice * 0.92**k]
    return _throat(rng, np.concatenate(parts), sample_rate)
