"""Augmentation of clips: voice, channel, room and noise, in samples.

Applied before the features are cached, because these change a feature row in ways
no shortcut in feature space reproduces.  Level, crops and masks cost nothing in
feature space and are drawn anew at every training step, in `quantize.training.crops`.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.basics.settings import Settings, Share, between
from quantize.data.sound import level
from quantize.data.sound.voice import perturb_voice

__all__ = ["AUGMENTATION_VERSION", "AugmentSettings", "augment"]

#: What cached rows were made by, beside the settings: raise it when the same chance gives other
#: sound than before.
AUGMENTATION_VERSION = 1

_Voice = Annotated[float, between(0.0, 0.3, "a share in [0, 0.3] is wanted")]
_Snr = Annotated[float, between(-200.0, 200.0, "a finite number from -200 to 200 dB is wanted")]


class AugmentSettings(Settings, frozen=True):
    """Ranges that :func:`augment` draws from; shares are probabilities.

    Parameters
    ----------
    pitch, formants, tempo : float
        Largest changes of the voice, each drawn by itself, as shares.
    channel_db : float
        Largest gain of the random microphone response at its control points.
    band_limit_share : float
        How often the band is cut to what a small microphone or a phone passes.
    room_share : float
        How often a simulated small room is added.
    noise_share : float
        How often noise is added at an SNR between the two below.
    babble_share : float
        How much of that noise is a murmur of voices, made of the clip itself.
    min_snr_db, max_snr_db : float
        Range of that SNR over the speech's own level.
    gaussian_sigma : float
        The paper's noise (section 4.6), added to clips at their own level when no
        stronger noise was.

    Raises
    ------
    ParameterError
        If a number is none or out of its range.
    """

    pitch: _Voice = 0.18
    formants: _Voice = 0.12
    tempo: _Voice = 0.18
    channel_db: Annotated[
        float, between(0.0, 100.0, "a finite number from 0 to 100 dB is wanted")
    ] = 8.0
    band_limit_share: Share = 0.25
    room_share: Share = 0.25
    noise_share: Share = 0.7
    babble_share: Share = 0.4
    min_snr_db: _Snr = 3.0
    max_snr_db: _Snr = 40.0
    gaussian_sigma: Annotated[float, between(0.0, 1.0, "a finite number from 0 to 1 is wanted")] = (
        0.002
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_snr_db > self.max_snr_db:
            raise ParameterError(
                f"min_snr_db {self.min_snr_db} is above max_snr_db {self.max_snr_db}"
            )


def augment(
    samples: NDArray[np.float32],
    sample_rate: int,
    rng: np.random.Generator,
    settings: AugmentSettings | None = None,
) -> NDArray[np.float32]:
    """One random variant of a clip.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    sample_rate : int
    rng : numpy.random.Generator
        The only source of chance.
    settings : AugmentSettings, optional

    Returns
    -------
    float32 [shape=(n_variant_samples,)]
        Within [-1, 1]; longer or shorter by the drawn tempo.
    """
    settings = settings or AugmentSettings()
    pitch, formants, tempo = (
        1.0 + rng.uniform(-most, most)
        for most in (settings.pitch, settings.formants, settings.tempo)
    )
    # A change of speed by the factor of the pitch changes the other two as well.
    voiced = perturb_voice(samples, sample_rate, tempo=tempo / pitch, formants=formants / pitch)
    n_out = round(voiced.size / pitch)
    # Speed and microphone are both linear: one transform serves them together.
    spectrum = np.fft.rfft(voiced)
    n_bins = n_out // 2 + 1
    resampled = np.zeros(n_bins, dtype=np.complex128)
    kept = min(n_bins, spectrum.size)
    resampled[:kept] = spectrum[:kept] * (n_out / voiced.size)
    frequencies_hz = np.arange(n_bins, dtype=np.float64) * (sample_rate / n_out)
    resampled *= _microphone(frequencies_hz, rng, settings)
    varied = np.fft.irfft(resampled, n=n_out)
    if rng.random() < settings.room_share:
        varied = _room(varied, sample_rate, rng)
    varied = varied + _noise(varied, sample_rate, rng, settings)
    peak = np.abs(varied).max(initial=0.0)
    if peak > 1.0:
        varied /= peak
    return varied.astype(np.float32)


def _microphone(
    frequencies_hz: NDArray[np.float64], rng: np.random.Generator, settings: AugmentSettings
) -> NDArray[np.float64]:
    """A smooth random response, at times cut at one or both ends of the band."""
    points_hz = np.geomspace(60.0, 8000.0, 7)
    gains_db = rng.uniform(-settings.channel_db, settings.channel_db, points_hz.size)
    gains_db -= gains_db.mean()
    log_hz = np.log(np.maximum(frequencies_hz, 1.0))
    response_db = np.interp(log_hz, np.log(points_hz), gains_db)
    if rng.random() < settings.band_limit_share:
        low_hz, high_hz = rng.uniform(60.0, 300.0), rng.uniform(3400.0, 7500.0)
        # Second-order slopes, 12 dB an octave, as of a small capsule or a codec.
        response_db -= 10 * np.log10(1 + (low_hz / np.maximum(frequencies_hz, 1.0)) ** 4)
        response_db -= 10 * np.log10(1 + (frequencies_hz / high_hz) ** 8)
    response: NDArray[np.float64] = 10 ** (response_db / 20)
    return response


def _room(
    samples: NDArray[np.float64], sample_rate: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Direct sound plus an exponentially decaying noise tail (Polack's model)."""
    reverberation_s = rng.uniform(0.1, 0.5)
    n_tail = int(reverberation_s * sample_rate)
    decay = np.exp(-6.908 * np.arange(n_tail) / n_tail)  # ln(1000): -60 dB at its end
    tail = rng.standard_normal(n_tail) * decay
    direct_to_reverberant_db = rng.uniform(3.0, 15.0)
    tail *= 10 ** (-direct_to_reverberant_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    n_fft = 1 << (samples.size + n_tail - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, n_fft) * np.fft.rfft(tail, n_fft), n_fft)
    return wet[: samples.size]


def _noise(
    samples: NDArray[np.float64],
    sample_rate: int,
    rng: np.random.Generator,
    settings: AugmentSettings,
) -> NDArray[np.float64]:
    """Babble or white to brown noise at a random SNR, or the paper's faint Gaussian noise."""
    if rng.random() >= settings.noise_share:
        return rng.standard_normal(samples.size) * settings.gaussian_sigma
    if rng.random() < settings.babble_share:
        noise = _babble(samples, sample_rate, rng)
    else:
        slope = rng.uniform(0.0, 1.0)  # of the amplitude: 0 white, 0.5 pink, 1 brown
        spectrum = np.fft.rfft(rng.standard_normal(samples.size))
        spectrum /= np.maximum(np.arange(spectrum.size), 8) ** slope
        noise = np.fft.irfft(spectrum, n=samples.size)
    snr_db = rng.uniform(settings.min_snr_db, settings.max_snr_db)
    power = level.frame_power(samples, sample_rate)
    target = level.loud_quarter_rms(power) * 10 ** (-snr_db / 20)
    scaled: NDArray[np.float64] = noise * (target / (np.sqrt((noise**2).mean()) + 1e-12))
    return scaled


def _babble(
    samples: NDArray[np.float64], sample_rate: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Several voices at once, all of them this clip's: shifted, resampled, half of them reversed.

    Other speakers' clips would make better voices, but a cached variant is shared by all
    splits and must not carry the sound of a clip that one of them holds out.
    """
    babble = np.zeros(samples.size)
    power = level.frame_power(samples, sample_rate)
    span = level.span(level.speech_frames(power, are_power=True))
    n_frame = level.n_frame(samples.size, sample_rate)
    loud = samples[span.start * n_frame : span.stop * n_frame]
    for _ in range(int(rng.integers(3, 8))):
        at = np.arange(0.0, loud.size - 1, rng.uniform(0.75, 1.35))
        voice = np.interp(at, np.arange(loud.size), loud)
        if rng.random() < 0.5:
            voice = voice[::-1]
        start = int(rng.integers(voice.size))
        babble += np.resize(np.roll(voice, start), babble.size) * rng.uniform(0.5, 1.0)
    return babble
