"""What a line, a microphone and its amplifier do to a voice: bands, codes, hum, gain.

Every function takes float samples of a clip, gives as many back as float32, and knows no chance
beyond what it is handed.  Only :func:`pumped` and :func:`gained` clip, as the devices do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.audio.full_band import resample_full_band
from quantize.data.sound import level

__all__ = [
    "TELEPHONE_HZ",
    "gained",
    "mu_law",
    "narrow_band",
    "pumped",
    "through_rate",
    "with_hum",
]

#: Sample rate of a telephone line.
TELEPHONE_HZ = 8_000

_FOLLOWER_S = 0.01
_MU = 255.0


def through_rate(
    samples: NDArray[np.floating], sample_rate: int, other_rate: int
) -> NDArray[np.float32]:
    """Resample to another rate and back: nothing stays above half of the lower one.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate, other_rate : int
        In Hz.

    Returns
    -------
    float32 [shape=(n_samples,)]
    """
    clip = samples.astype(np.float32)
    if other_rate >= sample_rate or not clip.size:
        return clip
    low = resample_full_band(clip, sample_rate, other_rate)
    return as_long(resample_full_band(low, other_rate, sample_rate), clip.size)


def as_long(samples: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Exactly so many samples: the end is cut off, or filled with zeros."""
    if samples.size < n_samples:
        return np.append(samples, np.zeros(n_samples - samples.size, dtype=np.float32))
    return samples[:n_samples]


def narrow_band(
    samples: NDArray[np.floating], sample_rate: int, cutoff_hz: float, low_hz: float = 0.0
) -> NDArray[np.float32]:
    """Cut the band off steeply, as a recording at a low sample rate does.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.
    cutoff_hz : float
        Nothing is left above; to 100 Hz, so that rates have a common divisor.
    low_hz : float
        Lower end, falling by 24 dB an octave; 0 has none.

    Returns
    -------
    float32 [shape=(n_samples,)]
    """
    cut = through_rate(samples, sample_rate, 200 * round(cutoff_hz / 100))
    if not low_hz:
        return cut
    hz = np.fft.rfftfreq(cut.size, 1 / sample_rate)
    gain = 1 / np.sqrt(1 + (low_hz / np.maximum(hz, 1.0)) ** 8)
    return np.fft.irfft(np.fft.rfft(cut) * gain, n=cut.size).astype(np.float32)


def mu_law(samples: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
    """Eight bits a sample at 8 kHz on a logarithmic scale, as a telephone line has them.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    float32 [shape=(n_samples,)]

    References
    ----------
    ITU-T G.711 (the law; its segments are not imitated).
    """
    clip = samples.astype(np.float32)
    slow = min(TELEPHONE_HZ, sample_rate)
    line = clip if slow == sample_rate else resample_full_band(clip, sample_rate, slow)
    line = np.clip(line, -1.0, 1.0)
    code = np.round(127 * np.sign(line) * np.log1p(_MU * np.abs(line)) / np.log1p(_MU)) / 127
    heard = (np.sign(code) * np.expm1(np.abs(code) * np.log1p(_MU)) / _MU).astype(np.float32)
    if slow != sample_rate:
        heard = resample_full_band(heard, slow, sample_rate)
    return as_long(heard, clip.size)


def with_hum(
    samples: NDArray[np.floating],
    sample_rate: int,
    *,
    partials_hz: NDArray[np.floating],
    amplitudes: NDArray[np.floating],
    phases: NDArray[np.floating],
    level_db: float,
    offset: float = 0.0,
) -> NDArray[np.float32]:
    """Add the hum of the mains, and a constant.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.
    partials_hz, amplitudes, phases : float [shape=(n_partials,)]
        Frequencies in Hz, amplitudes to each other, phases in radians.
    level_db : float
        Of the hum over :func:`quantize.data.sound.level.speech_power` of the clip.
    offset : float
        Constant, as a share of full scale.

    Returns
    -------
    float32 [shape=(n_samples,)]
    """
    angles = 2 * np.pi * np.outer(partials_hz / sample_rate, np.arange(samples.size))
    hum = amplitudes @ np.sin(angles + phases[:, np.newaxis])
    power = level.speech_power(samples, sample_rate) * 10 ** (level_db / 10)
    gain = np.sqrt(2 * power / (amplitudes**2).sum())
    summed: NDArray[np.float32] = (samples + gain * hum + offset).astype(np.float32)
    return summed


def gained(samples: NDArray[np.floating], gain_db: float, n_bits: int = 16) -> NDArray[np.float32]:
    """Record at another gain: clip what is too loud, round what is too faint.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    gain_db : float
    n_bits : int
        Of a sample.

    Returns
    -------
    float32 [shape=(n_samples,)]
        Within [-1, 1).
    """
    steps = 2 ** (n_bits - 1)
    loud = np.round(np.asarray(samples, dtype=np.float64) * (10 ** (gain_db / 20) * steps))
    recorded: NDArray[np.float32] = (np.clip(loud, -steps, steps - 1) / steps).astype(np.float32)
    return recorded


def pumped(
    samples: NDArray[np.floating],
    sample_rate: int,
    *,
    target_db: float = -20.0,
    most_db: float = 30.0,
    attack_s: float = 0.02,
    release_s: float = 0.5,
    strength: float = 1.0,
) -> NDArray[np.float32]:
    """Hold the level, as automatic gain control does: pauses swell up, onsets overshoot.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.
    target_db : float
        Level that is held, in dBFS.
    most_db : float
        Largest gain.
    attack_s, release_s : float
        Time constants in which the gain falls and rises.
    strength : float
        Share of the difference that is made up, in dB.

    Returns
    -------
    float32 [shape=(n_samples,)]
        Within [-1, 1].
    """
    n_step = max(1, round(_FOLLOWER_S * sample_rate))
    n_steps = -(-samples.size // n_step)
    if not n_steps:
        return samples.astype(np.float32)
    padded = np.zeros(n_steps * n_step)
    padded[: samples.size] = samples
    power = (padded.reshape(n_steps, n_step) ** 2).mean(axis=1)
    falls, rises = (1 - np.exp(-_FOLLOWER_S / s) for s in (attack_s, release_s))
    gains_db = np.zeros(n_steps)
    # It was on before the clip began.
    gain_db = min(strength * (target_db - 10 * np.log10(np.median(power) + 1e-12)), most_db)
    wanted = np.minimum(strength * (target_db - 10 * np.log10(power + 1e-12)), most_db)
    for at, wanted_db in enumerate(wanted):
        gain_db += (falls if wanted_db < gain_db else rises) * (wanted_db - gain_db)
        gains_db[at] = gain_db
    centres = (np.arange(n_steps) + 0.5) * n_step
    curve_db = np.interp(np.arange(samples.size), centres, gains_db)
    held: NDArray[np.float32] = np.clip(samples * 10 ** (curve_db / 20), -1, 1).astype(np.float32)
    return held
