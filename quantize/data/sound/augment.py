"""Augmentation of clips: voice, microphone, room, noise and line, in samples.

Clips of one session (:mod:`quantize.data.sound.session`) stand in the same room, and in half of
the sessions or more nothing is worse than near a studio.

Applied before the features are cached, because these change a feature row in ways
no shortcut in feature space reproduces.  Level, crops and masks cost nothing in
feature space and are drawn anew at every training step, in `quantize.training.crops`.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.basics.settings import Settings, Share, between
from quantize.data.sound import codecs, level
from quantize.data.sound.session import LINES, NOISES, Room, Session
from quantize.data.sound.sound_bank import SoundBank, made_music
from quantize.data.sound.voice import perturb_voice

__all__ = ["AUGMENTATION_VERSION", "AugmentSettings", "augment", "augmentation_recipe"]

#: What cached rows were made by, beside the settings: raise it when the same chance gives other
#: sound than before.
AUGMENTATION_VERSION = 2

#: Either way, in dB: how clips of a session differ in the noise under them.
_SNR_JITTER_DB = 3.0

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
    music_share, sounds_share : float
        How much of it is music, and how much everyday sounds: recordings where some are given.
    min_snr_db, max_snr_db : float
        Range of that SNR over the speech's own level.
    gaussian_sigma : float
        The paper's noise (section 4.6), added to clips at their own level when no
        stronger noise was.
    narrow_band_share : float
        How often the band ends steeply at about 3.4, 4 or 5.5 kHz.
    mu_law_share, codec_share, bluetooth_share : float
        How often samples go through a telephone's code at 8 kHz, a codec of libsndfile at a low
        rate, a band coder like Bluetooth's.
    hum_share : float
        How often mains hum is added, and at times a constant.
    gain_share, pumping_share : float
        How often the gain is anything from -40 to 20 dB, clipped and rounded, or follows the
        level.
    far_share : float
        How often the microphone is far away, in place of the room above.

    Raises
    ------
    ParameterError
        If a number is none or out of its range, or shares of what excludes each other add up to
        more than 1.

    Notes
    -----
    At most one of those from ``narrow_band_share`` on happens to a clip; with their sum at 0.5
    half of the variants are as mild as with all of them at 0.
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
    music_share: Share = 0.0
    sounds_share: Share = 0.0
    min_snr_db: _Snr = 3.0
    max_snr_db: _Snr = 40.0
    gaussian_sigma: Annotated[float, between(0.0, 1.0, "a finite number from 0 to 1 is wanted")] = (
        0.002
    )
    narrow_band_share: Share = 0.0
    mu_law_share: Share = 0.0
    codec_share: Share = 0.0
    bluetooth_share: Share = 0.0
    hum_share: Share = 0.0
    gain_share: Share = 0.0
    pumping_share: Share = 0.0
    far_share: Share = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for kinds in (NOISES, LINES):
            names = [f"{kind}_share" for kind in kinds]
            total = sum(getattr(self, name) for name in names)
            if total > 1 + 1e-9:
                raise ParameterError(
                    f"{', '.join(names)} exclude each other and add up to {total:g}: 1 or less "
                    "is wanted"
                )
        if self.min_snr_db > self.max_snr_db:
            raise ParameterError(
                f"min_snr_db {self.min_snr_db} is above max_snr_db {self.max_snr_db}"
            )


def augmentation_recipe(settings: AugmentSettings) -> dict[str, Any]:
    """What variants are made by, besides clips, chance and recordings: JSON-ready."""
    recipe: dict[str, Any] = {"version": AUGMENTATION_VERSION, "settings": settings.to_dict()}
    if settings.codec_share:
        recipe["codecs"] = list(codecs.codecs_here())
    return recipe


def augment(
    samples: NDArray[np.float32],
    sample_rate: int,
    rng: np.random.Generator,
    settings: AugmentSettings | None = None,
    *,
    session: np.random.Generator | None = None,
    sounds: SoundBank | None = None,
) -> NDArray[np.float32]:
    """One random variant of a clip.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    sample_rate : int
    rng : numpy.random.Generator
        Draws what is the clip's own: how loud the noise is, and which stretch of it.
    settings : AugmentSettings, optional
    session : numpy.random.Generator, optional
        Draws what the clips of a session share, from the same seed for each of them; ``rng``
        where there is none.
    sounds : SoundBank, optional
        Recordings of everyday sounds.

    Returns
    -------
    float32 [shape=(n_variant_samples,)]
        Within [-1, 1]; longer or shorter by the drawn tempo.

    Raises
    ------
    AudioFileError
        If a recording of ``sounds`` cannot be read.
    ParameterError
        If a codec is wanted and libsndfile has none here.
    """
    settings = settings or AugmentSettings()
    drawn = Session.draw(session or rng, settings)
    pitch, formants = drawn.pitch, drawn.formants
    # A change of speed by the factor of the pitch changes the other two as well.
    voiced = perturb_voice(
        samples, sample_rate, tempo=drawn.tempo / pitch, formants=formants / pitch
    )
    n_out = round(voiced.size / pitch)
    # Speed and microphone are both linear: one transform serves them together.
    spectrum = np.fft.rfft(voiced)
    n_bins = n_out // 2 + 1
    resampled = np.zeros(n_bins, dtype=np.complex128)
    kept = min(n_bins, spectrum.size)
    resampled[:kept] = spectrum[:kept] * (n_out / voiced.size)
    frequencies_hz = np.arange(n_bins, dtype=np.float64) * (sample_rate / n_out)
    resampled *= _microphone(frequencies_hz, drawn)
    varied = np.fft.irfft(resampled, n=n_out)
    if drawn.room:
        varied = _in_room(varied, sample_rate, drawn.room)
    varied = varied + _noise(varied, sample_rate, rng, settings, drawn, sounds)
    peak = np.abs(varied).max(initial=0.0)
    if peak > 1.0:
        varied /= peak
    if drawn.line:
        varied = np.clip(drawn.line(varied, sample_rate), -1.0, 1.0)
    return varied.astype(np.float32)


def _microphone(frequencies_hz: NDArray[np.float64], session: Session) -> NDArray[np.float64]:
    """A smooth random response, at times cut at one or both ends of the band."""
    points_hz = np.geomspace(60.0, 8000.0, session.gains_db.size)
    log_hz = np.log(np.maximum(frequencies_hz, 1.0))
    response_db = np.interp(log_hz, np.log(points_hz), session.gains_db)
    if session.band_hz:
        low_hz, high_hz = session.band_hz
        # Second-order slopes, 12 dB an octave, as of a small capsule or a codec.
        response_db -= 10 * np.log10(1 + (low_hz / np.maximum(frequencies_hz, 1.0)) ** 4)
        response_db -= 10 * np.log10(1 + (frequencies_hz / high_hz) ** 8)
    response: NDArray[np.float64] = 10 ** (response_db / 20)
    return response


def _in_room(samples: NDArray[np.float64], sample_rate: int, room: Room) -> NDArray[np.float64]:
    """Direct sound plus an exponentially decaying noise tail (Polack's model)."""
    n_tail = int(room.reverberation_s * sample_rate)
    decay = np.exp(-6.908 * np.arange(n_tail) / n_tail)  # ln(1000): -60 dB at its end
    tail = np.random.default_rng(room.seed).standard_normal(n_tail) * decay
    tail[: int(room.delay_s * sample_rate)] = 0.0
    tail *= 10 ** (-room.direct_to_reverberant_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    n_fft = 1 << (samples.size + n_tail - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, n_fft) * np.fft.rfft(tail, n_fft), n_fft)
    return wet[: samples.size]


def _noise(
    samples: NDArray[np.float64],
    sample_rate: int,
    rng: np.random.Generator,
    settings: AugmentSettings,
    session: Session,
    sounds: SoundBank | None,
) -> NDArray[np.float64]:
    """The session's kind of noise at the clip's own SNR, or the paper's faint Gaussian noise."""
    if session.noise is None:
        return rng.standard_normal(samples.size) * settings.gaussian_sigma
    if session.noise == "babble":
        noise = _babble(samples, sample_rate, rng)
    elif session.noise == "music":
        noise = made_music(samples.size, sample_rate, rng)
    elif session.noise == "sounds":
        bank = sounds or SoundBank(())
        noise = bank.sound(session.pick, samples.size, sample_rate, rng)
    else:
        spectrum = np.fft.rfft(rng.standard_normal(samples.size))
        spectrum /= np.maximum(np.arange(spectrum.size), 8) ** session.slope
        noise = np.fft.irfft(spectrum, n=samples.size)
    snr_db = session.snr_db + rng.uniform(-_SNR_JITTER_DB, _SNR_JITTER_DB)
    snr_db = min(max(snr_db, settings.min_snr_db), settings.max_snr_db)
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
