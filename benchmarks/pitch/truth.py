"""Recordings whose pitch is known: made ones, and speech that Praat has listened to."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edge import FeatureSpec, MissingDependencyError, ParameterError

__all__ = ["PRAAT", "Recording", "add_noise", "praat_pitch", "require_parselmouth", "synthesise"]

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Recording:
    """Samples and the truth in the centre of every frame.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    truth_hz : float64 [shape=(n_frames,)]
        0 = unvoiced.
    level : float
        RMS of what is voiced; noise is set against it.
    """

    samples: NDArray[np.float32]
    truth_hz: Floats
    level: float


#: First three formants in Hz of eight vowels spoken by men: Peterson & Barney (1952),
#: JASA 24(2), table II.  The fourth and the bandwidths are round figures.
_VOWELS = np.array(
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [440, 1020, 2240],
        [300, 870, 2240],
    ],
    dtype=np.float64,
)
_FOURTH_HZ = 3500.0
_BANDWIDTHS_HZ = np.array([80.0, 100.0, 140.0, 200.0])
#: Median pitch in Hz (lowest, highest), and how much shorter the vocal tract is.
_SPEAKERS = {"male": (85.0, 160.0, 1.0), "female": (165.0, 300.0, 1.17)}
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 550.0
_EDGE_S = 0.008
#: The envelope is slow: it is computed every this many samples.
_STEP = 64


def synthesise(spec: FeatureSpec, n_clips: int, seconds: float, seed: int) -> list[Recording]:
    """Make speech-like recordings, as many male as female.

    Each alternates voiced stretches (harmonics of a contour that glides and mostly has
    vibrato and jitter, under moving formants), hiss as of a fricative, and silence.
    """
    rng = np.random.default_rng(seed)
    kinds = list(_SPEAKERS)
    return [_clip(spec, kinds[i % len(kinds)], seconds, rng) for i in range(n_clips)]


def _clip(spec: FeatureSpec, kind: str, seconds: float, rng: np.random.Generator) -> Recording:
    n_samples, rate = int(seconds * spec.sample_rate), spec.sample_rate
    lowest, highest, shorter = _SPEAKERS[kind]
    median_hz = np.exp(rng.uniform(np.log(lowest), np.log(highest)))
    samples, contour = np.zeros(n_samples), np.zeros(n_samples)
    start = int(rng.uniform(0.02, 0.15) * rate)
    while start < n_samples - rate // 10:
        size = min(int(rng.uniform(0.2, 0.7) * rate), n_samples - start)
        contour[start : start + size] = _contour(size, rate, median_hz, rng)
        voice = _voice(contour[start : start + size], rate, shorter, rng)
        samples[start : start + size] = voice * 10 ** (rng.uniform(-12, 0) / 20)
        start += size
        if rng.random() < 0.6:
            size = min(int(rng.uniform(0.06, 0.18) * rate), n_samples - start)
            hiss = np.diff(rng.standard_normal(size + 1)) * _edges(size, rate)
            samples[start : start + size] = hiss * 10 ** (rng.uniform(-36, -22) / 20)
            start += size
        if rng.random() < 0.6:
            start += int(rng.uniform(0.05, 0.3) * rate)
    centres = np.arange(spec.n_frames(n_samples)) * spec.hop_length + spec.win_length // 2
    level = float(np.sqrt(np.mean(samples[contour > 0] ** 2)))
    return Recording(samples.astype(np.float32), contour[centres], level)


def _contour(size: int, rate: int, median_hz: float, rng: np.random.Generator) -> Floats:
    """Pitch of one stretch: a smooth curve through three points, and maybe vibrato."""
    time = np.arange(size) / rate
    points = rng.uniform(-0.45, 0.45, 3)
    octaves = np.polyval(np.polyfit([0.0, 0.5, 1.0], points, 2), np.linspace(0, 1, size))
    if rng.random() < 0.6:
        depth, speed_hz = rng.uniform(0.01, 0.06), rng.uniform(4.5, 6.5)
        octaves += depth * np.sin(2 * np.pi * (speed_hz * time + rng.random()))
    return np.clip(median_hz * 2**octaves, _LOWEST_HZ, _HIGHEST_HZ)


def _voice(contour: Floats, rate: int, shorter: float, rng: np.random.Generator) -> Floats:
    """Harmonics of a contour under formants that move from one vowel to another."""
    cycle = np.cumsum(contour) / rate
    if rng.random() < 0.8:
        # Every period is a little longer or shorter than the contour says, and the next louder.
        n_cycles = int(cycle[-1]) + 2
        length = 1 + rng.uniform(0.003, 0.015) * rng.standard_normal(n_cycles)
        loud = 1 + rng.uniform(0.01, 0.06) * rng.standard_normal(n_cycles)
        at = np.arange(n_cycles)
        cycle = np.cumsum(contour * np.interp(cycle, at, length)) / rate
        gain = np.interp(cycle, at, loud)
    else:
        gain = np.ones(contour.size)
    knots = np.arange(0, contour.size + _STEP, _STEP)
    share = np.linspace(0, 1, knots.size)[:, None]
    first, last = _VOWELS[rng.choice(len(_VOWELS), 2)]
    formants = np.column_stack(
        [(1 - share) * first + share * last, np.full(knots.size, _FOURTH_HZ)]
    )
    tilt = rng.uniform(0.7, 1.6)
    at_knots = contour[np.minimum(knots, contour.size - 1)]
    samples = np.zeros(contour.size)
    for k in range(1, int(0.48 * rate / contour.min()) + 1):
        envelope = _resonance(k * at_knots, formants * shorter) * k**-tilt
        envelope[k * at_knots > 0.48 * rate] = 0.0
        samples += np.interp(np.arange(contour.size), knots, envelope) * np.cos(
            2 * np.pi * k * cycle
        )
    samples *= gain * _edges(contour.size, rate)
    return 0.3 * samples / np.abs(samples).max()


def _resonance(frequency_hz: Floats, formants_hz: Floats) -> Floats:
    """Gain of a cascade of two-pole resonances, 1 at 0 Hz."""
    f, centre = frequency_hz[:, None], formants_hz
    gain = centre**2 / np.hypot(f**2 - centre**2, _BANDWIDTHS_HZ * f)
    product: Floats = gain.prod(axis=1)
    return product


def _edges(size: int, rate: int) -> Floats:
    """Fade a stretch in and out."""
    n = max(1, min(int(_EDGE_S * rate), size // 2))
    window = np.ones(size)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    window[:n] *= ramp
    window[size - n :] *= ramp[::-1]
    return window


def add_noise(recording: Recording, snr_db: float | None, seed: int) -> Recording:
    """White noise below the level of what is voiced; None adds none.

    The same seed gives the same noise at any level.
    """
    if snr_db is None:
        return recording
    noise = np.random.default_rng(seed).standard_normal(recording.samples.size)
    noisy = recording.samples + noise * recording.level / 10 ** (snr_db / 20)
    return dataclasses.replace(recording, samples=noisy.astype(np.float32))


#: Praat's own defaults but for range and step.
PRAAT = {"max_number_of_candidates": 15, "very_accurate": False, "silence_threshold": 0.03,
         "voicing_threshold": 0.45, "octave_cost": 0.01, "octave_jump_cost": 0.35,
         "voiced_unvoiced_cost": 0.14}  # fmt: skip
#: Praat follows the pitch in smaller steps than ours, as it would by default.
_STEPS_PER_HOP = 4


def require_parselmouth() -> None:
    """Raise MissingDependencyError unless Praat can be asked."""
    try:
        import parselmouth  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "parselmouth is not installed, and the truth about real speech comes from Praat: "
            "pip install praat-parselmouth"
        ) from error


def praat_pitch(samples: NDArray[np.float32], spec: FeatureSpec) -> Floats:
    """Praat's autocorrelation method in the centres of our frames, 0 = unvoiced.

    Boersma (1993), IFA Proceedings 17. Praat spreads its frames evenly about the middle of a
    sound, so the sound is cut such that every fourth of them is the centre of one of ours; its
    window of three periods of the lowest pitch lies within our frame.
    """
    import parselmouth

    n_frames = spec.n_frames(samples.size)
    step = spec.hop_length // _STEPS_PER_HOP
    window = 3.0 * spec.sample_rate / spec.pitch.fmin_hz
    # Half a step more than the last window needs, so that rounding cannot lose a frame.
    n_wanted = (n_frames - 1) * spec.hop_length + window + step / 2
    spans = spec.n_samples(n_frames)
    cut = int((spans - n_wanted) // 2)
    if cut < 0:
        raise ParameterError(
            f"Praat's window at {spec.pitch.fmin_hz} Hz is longer than the frame of "
            f"{spec.win_length} samples, at most as long is wanted"
        )
    sound = parselmouth.Sound(
        samples[cut : spans - cut].astype(np.float64), sampling_frequency=spec.sample_rate
    )
    track = sound.to_pitch_ac(
        time_step=step / spec.sample_rate,
        pitch_floor=spec.pitch.fmin_hz,
        pitch_ceiling=spec.pitch.fmax_hz,
        **PRAAT,
    )
    centres = np.arange(n_frames) * spec.hop_length + spec.win_length / 2
    theirs = (np.asarray(track.xs()) * spec.sample_rate + cut)[::_STEPS_PER_HOP]
    if theirs.shape != centres.shape or np.abs(theirs - centres).max() > 1:
        raise ParameterError("Praat's frames are not where ours are; a release that does is wanted")
    pitch_hz: Floats = track.selected_array["frequency"][::_STEPS_PER_HOP].astype(np.float64)
    return pitch_hz
