"""Sounds without pitch or tune that are made, not recorded: noise, hum, clicks, machines.

Every function takes a generator, a length and a rate, and gives samples of any level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Samples",
    "clicks",
    "coloured_noise",
    "decays",
    "hum",
    "knocks",
    "machine",
    "resonances",
    "shaped",
    "slow_curve",
    "texture",
    "wind_or_water",
]

Samples = NDArray[Any]


def shaped(samples: Samples, gain_of_hz: Samples) -> Samples:
    """Filter by a gain for every bin of the whole clip's spectrum."""
    out: Samples = np.fft.irfft(np.fft.rfft(samples) * gain_of_hz, n=samples.size)
    return out


def bins_hz(n_samples: int, sample_rate: int) -> Samples:
    """Frequencies of the bins of a clip's spectrum."""
    hz: Samples = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    return hz


def slow_curve(
    rng: np.random.Generator, n_samples: int, sample_rate: int, rate_hz: float
) -> Samples:
    """A random smooth curve with about ``rate_hz`` turns a second, from -1 to 1."""
    n_points = max(3, int(n_samples / sample_rate * rate_hz * 2) + 2)
    at = np.linspace(0, n_points - 1, n_samples)
    return np.interp(at, np.arange(n_points), rng.uniform(-1, 1, n_points))


def coloured_noise(
    rng: np.random.Generator, n_samples: int, sample_rate: int, slope: float | None = None
) -> Samples:
    """Noise whose power goes with the frequency to the power of ``slope``.

    0 is white, -1 pink, -2 brown, 1 blue, 2 violet; None draws one of them or between.
    """
    if slope is None:
        named = rng.random() < 0.6
        slope = float(rng.choice([0.0, -1.0, -2.0, 1.0, 2.0])) if named else rng.uniform(-2.5, 1.5)
    hz = np.maximum(bins_hz(n_samples, sample_rate), 20.0)
    return shaped(rng.standard_normal(n_samples), hz ** (slope / 2))


def resonances(
    rng: np.random.Generator, hz: Samples, n_peaks: int, low_hz: float = 80.0
) -> Samples:
    """A gain with peaks at random frequencies, as of a body that rings."""
    gain = np.full(hz.size, 10 ** rng.uniform(-3, -0.7))
    for _ in range(n_peaks):
        centre = np.exp(rng.uniform(np.log(low_hz), np.log(7000.0)))
        width = centre * rng.uniform(0.03, 0.6)
        gain += 10 ** rng.uniform(-1, 0) / (1 + ((hz - centre) / width) ** 2)
    return gain


def hum(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Mains hum: 50 or 60 Hz and harmonics, with a little noise."""
    mains_hz = float(rng.choice([50.0, 60.0])) * rng.uniform(0.996, 1.004)
    time_s = np.arange(n_samples) / sample_rate
    tilt = rng.uniform(0.2, 2.0)
    hum = np.zeros(n_samples)
    for k in range(1, int(rng.integers(2, 40))):
        odd = 1.0 if k % 2 or rng.random() < 0.5 else 0.2
        amplitude = odd * rng.uniform(0.2, 1.0) / k**tilt
        hum += amplitude * np.sin(2 * np.pi * (k * mains_hz * time_s + rng.random()))
    noise = coloured_noise(rng, n_samples, sample_rate)
    mixed: Samples = hum + noise * (hum.std() / noise.std()) * 10 ** (-rng.uniform(10, 60) / 20)
    return mixed


def decays(
    rng: np.random.Generator, n_samples: int, sample_rate: int, n_events: int, kernel_s: float
) -> Samples:
    """Impulses at random times, each dying away within about ``kernel_s``."""
    train = np.zeros(n_samples)
    at = rng.integers(0, n_samples, n_events)
    train[at] = rng.uniform(0.1, 1, n_events) * rng.choice([-1.0, 1.0], n_events)
    n_kernel = max(2, int(kernel_s * sample_rate))
    kernel = rng.standard_normal(n_kernel) * np.exp(-5 * np.arange(n_kernel) / n_kernel)
    n_fft = 1 << (n_samples + n_kernel - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(train, n_fft) * np.fft.rfft(kernel, n_fft), n_fft)[:n_samples]


def clicks(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Clicks: single samples or short ticks, regular, random or crackling."""
    seconds = n_samples / sample_rate
    style = rng.integers(4)
    if style == 0:  # regular, bare
        out = np.zeros(n_samples)
        period = int(sample_rate * np.exp(rng.uniform(np.log(0.02), np.log(1.5))))
        out[int(rng.integers(period)) :: period] = 1.0
        if rng.random() < 0.5:
            n_wide = int(rng.integers(2, 40))
            out = np.convolve(out, np.hanning(n_wide + 2))[:n_samples]
        return out
    rate_hz = np.exp(rng.uniform(np.log(0.7), np.log(60.0)))
    n_events = max(1, int(rng.poisson(rate_hz * seconds)))
    if style == 1:  # crackle, rain of ticks
        return decays(rng, n_samples, sample_rate, n_events, rng.uniform(0.0002, 0.004))
    out = decays(rng, n_samples, sample_rate, n_events, rng.uniform(0.002, 0.03))
    hz = bins_hz(n_samples, sample_rate)
    return shaped(out, resonances(rng, hz, int(rng.integers(1, 5)), 300.0))


def knocks(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Knocks, steps, drops and typing: short bodies that ring, in groups."""
    out = np.zeros(n_samples)
    hz_of = rng.uniform(80, 2500)
    damping_s = np.exp(rng.uniform(np.log(0.008), np.log(0.15)))
    n_hit = int(6 * damping_s * sample_rate)
    time_s = np.arange(n_hit) / sample_rate
    at = rng.uniform(0, 0.5)
    steady_s = rng.uniform(0.12, 0.8)
    while at * sample_rate < n_samples:
        start = int(at * sample_rate)
        hit = rng.standard_normal(n_hit) * rng.uniform(0.0, 0.6)
        for _ in range(int(rng.integers(1, 5))):
            hit += np.sin(2 * np.pi * hz_of * rng.uniform(0.7, 4.0) * time_s + rng.uniform(0, 6))
        hit *= np.exp(-time_s / damping_s) * rng.uniform(0.3, 1.0)
        end = min(n_samples, start + n_hit)
        out[start:end] += hit[: end - start]
        at += steady_s * rng.uniform(0.85, 1.15) if rng.random() < 0.8 else rng.uniform(0.3, 2)
    return out


def machine(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Fans, motors, engines, shavers: noise and harmonics that turn together."""
    turn_hz = np.exp(rng.uniform(np.log(8.0), np.log(320.0)))
    wobble = 1 + rng.uniform(0, 0.06) * slow_curve(rng, n_samples, sample_rate, rng.uniform(0.1, 2))
    if rng.random() < 0.25:  # speeding up or down
        wobble *= np.linspace(rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5), n_samples)
    phase = 2 * np.pi * np.cumsum(turn_hz * wobble) / sample_rate
    tone = np.zeros(n_samples)
    tilt = rng.uniform(0.1, 1.5)
    for k in range(1, int(rng.integers(3, 30))):
        if k * turn_hz * 1.6 > sample_rate / 2:
            break
        tone += rng.uniform(0.1, 1) / k**tilt * np.sin(k * phase + rng.uniform(0, 6))
    noise = coloured_noise(rng, n_samples, sample_rate)
    noise *= 1 + rng.uniform(0, 1) * np.sin(phase * rng.choice([0.25, 0.5, 1.0, 2.0]))
    share = rng.random()
    mixed = share * tone / (tone.std() + 1e-9) + (1 - share) * noise / noise.std()
    hz = bins_hz(n_samples, sample_rate)
    return shaped(mixed, resonances(rng, hz, int(rng.integers(1, 8))))


def wind_or_water(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Noise that swells and changes colour: wind, waves, traffic, a tap."""
    parts = np.zeros(n_samples)
    for _ in range(int(rng.integers(1, 4))):
        noise = coloured_noise(rng, n_samples, sample_rate)
        hz = bins_hz(n_samples, sample_rate)
        noise = shaped(noise, resonances(rng, hz, int(rng.integers(0, 4))))
        depth_db = rng.uniform(0, 25)
        swell = slow_curve(rng, n_samples, sample_rate, np.exp(rng.uniform(-2, 2)))
        parts += noise / noise.std() * 10 ** (depth_db * swell / 20)
    return parts


def texture(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Bursts of noise with random shape, colour and timing: anything that rustles or scrapes."""
    hz = bins_hz(n_samples, sample_rate)
    noise = shaped(rng.standard_normal(n_samples), resonances(rng, hz, int(rng.integers(0, 7))))
    envelope = np.zeros(n_samples)
    at = 0.0
    burst_s = np.exp(rng.uniform(np.log(0.02), np.log(1.0)))
    while at * sample_rate < n_samples:
        n_burst = max(8, int(burst_s * rng.uniform(0.5, 1.7) * sample_rate))
        start = int(at * sample_rate)
        rise = rng.uniform(0.02, 0.9)
        ramp = np.linspace(0, 1, n_burst)
        bump = np.minimum(ramp / rise, (1 - ramp) / (1 - rise)) ** rng.uniform(0.5, 3)
        end = min(n_samples, start + n_burst)
        envelope[start:end] += (bump * rng.uniform(0.2, 1))[: end - start]
        at += burst_s * rng.uniform(0.4, 3.0)
    return noise * (envelope + 10 ** rng.uniform(-4, -1))
