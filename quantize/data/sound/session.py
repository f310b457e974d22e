"""A session: what all its clips have in common, room, microphone, line and kind of noise."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.sound import channels, codecs

if TYPE_CHECKING:
    from quantize.data.sound.augment import AugmentSettings

__all__ = ["LINES", "NOISES", "Room", "Session"]

Line = Callable[[NDArray[np.floating], int], NDArray[np.float32]]

#: What may happen to a session beyond a studio's mild ways; one of them at most.
LINES = (
    "narrow_band",
    "mu_law",
    "codec",
    "bluetooth",
    "hum",
    "gain",
    "pumping",
    "far",
)

#: Kinds of noise, beside white to brown noise.
NOISES = ("babble", "music", "sounds")

#: Where something else is hard already, noise stays this far below the speech.
_CALM_SNR_DB = 15.0


@dataclasses.dataclass(frozen=True, slots=True)
class Room:
    """A room whose echo is the same for every clip.

    Parameters
    ----------
    reverberation_s, direct_to_reverberant_db, delay_s : float
        As :func:`quantize.data.sound.noise_and_rooms.add_room` has them.
    seed : int
        Of the echo.
    """

    reverberation_s: float
    direct_to_reverberant_db: float
    delay_s: float
    seed: int


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """What the clips of a session share.

    Parameters
    ----------
    pitch, formants, tempo : float
        Factors of the voice.
    gains_db : float64 [shape=(7,)]
        Response of the microphone at its control points.
    band_hz : tuple of float or None
        Both ends of a band that falls gently.
    room : Room or None
    noise : str or None
        ``"coloured"``, ``"babble"``, ``"music"`` or ``"sounds"``; None: the paper's faint one.
    slope : float
        Of coloured noise: 0 white, 0.5 pink, 1 brown.
    pick : float
        In [0, 1): which kind of sounds.
    snr_db : float
        About which the clips' own lie.
    line : callable or None
        What the samples go through at last.
    """

    pitch: float
    formants: float
    tempo: float
    gains_db: NDArray[np.float64]
    band_hz: tuple[float, float] | None
    room: Room | None
    noise: str | None
    slope: float
    pick: float
    snr_db: float
    line: Line | None

    @classmethod
    def draw(cls, rng: np.random.Generator, settings: AugmentSettings) -> Session:
        """Draw one.

        Parameters
        ----------
        rng : numpy.random.Generator
        settings : AugmentSettings

        Raises
        ------
        ParameterError
            If codecs are wanted and libsndfile has none here.
        """
        pitch, formants, tempo = (
            1.0 + rng.uniform(-most, most)
            for most in (settings.pitch, settings.formants, settings.tempo)
        )
        gains_db = rng.uniform(-settings.channel_db, settings.channel_db, 7)
        band_hz = None
        if rng.random() < settings.band_limit_share:
            band_hz = rng.uniform(60.0, 300.0), rng.uniform(3400.0, 7500.0)
        hard = _drawn(rng, [getattr(settings, f"{name}_share") for name in LINES])
        kind = None if hard is None else LINES[hard]
        room = _room(rng, kind == "far", settings.room_share)
        noise = None
        if rng.random() < settings.noise_share:
            at = _drawn(rng, [getattr(settings, f"{name}_share") for name in NOISES])
            noise = "coloured" if at is None else NOISES[at]
        least_db = settings.min_snr_db
        if kind is not None:
            least_db = min(max(least_db, _CALM_SNR_DB), settings.max_snr_db)
        return cls(
            pitch,
            formants,
            tempo,
            gains_db - gains_db.mean(),
            band_hz,
            room,
            noise,
            slope=rng.uniform(0.0, 1.0),
            pick=rng.random(),
            snr_db=rng.uniform(least_db, settings.max_snr_db),
            line=_DRAW[kind](rng) if kind in _DRAW else None,
        )


def _drawn(rng: np.random.Generator, shares: list[float]) -> int | None:
    """Which of some things that exclude each other happens; None: none of them."""
    at = int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))
    return at if at < len(shares) else None


def _room(rng: np.random.Generator, is_far: bool, share: float) -> Room | None:
    seed = int(rng.integers(2**63))
    if is_far:
        return Room(rng.uniform(0.2, 0.9), rng.uniform(-6.0, 6.0), rng.uniform(0.001, 0.008), seed)
    if rng.random() < share:
        return Room(rng.uniform(0.1, 0.5), rng.uniform(3.0, 15.0), 0.0, seed)
    return None


def _narrow_band(rng: np.random.Generator) -> Line:
    cutoff_hz = float(rng.choice([3400.0, 4000.0, 5500.0])) + 100 * int(rng.integers(-2, 3))
    # Telephones pass no bass, recordings at a low rate do.
    low_hz = rng.uniform(150.0, 350.0) if rng.random() < 0.4 else 0.0
    return functools.partial(channels.narrow_band, cutoff_hz=cutoff_hz, low_hz=low_hz)


def _mu_law(rng: np.random.Generator) -> Line:
    if rng.random() < 0.5:
        return channels.mu_law
    low_hz = rng.uniform(150.0, 350.0)

    def telephone(samples: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        cut = channels.narrow_band(samples, sample_rate, 3400.0, low_hz)
        return channels.mu_law(cut, sample_rate)

    return telephone


def _codec(rng: np.random.Generator) -> Line:
    names = [name for name in codecs.CODECS if codecs.is_supported(name)]
    if not names:
        raise ParameterError(
            f"libsndfile {codecs.codec_version()} has none of {', '.join(codecs.CODECS)}: install "
            "a newer soundfile, pip install -U soundfile, or set codec_share to 0"
        )
    return functools.partial(codecs.coded, name=names[int(rng.integers(len(names)))])


def _bluetooth(rng: np.random.Generator) -> Line:
    bitpool = int(rng.integers(16, 27))
    return lambda samples, sample_rate: codecs.band_coded(samples, bitpool)


def _hum(rng: np.random.Generator) -> Line:
    mains_hz = float(rng.choice([50.0, 60.0])) * rng.uniform(0.998, 1.002)
    numbers = np.arange(1, int(rng.integers(2, 12)))
    amplitudes = rng.uniform(0.2, 1.0, numbers.size) / numbers ** rng.uniform(0.3, 2.0)
    # Rectifiers hum at twice the mains.
    if rng.random() < 0.5:
        amplitudes[numbers % 2 == 1] *= 0.1
    return functools.partial(
        channels.with_hum,
        partials_hz=mains_hz * numbers,
        amplitudes=amplitudes,
        phases=rng.uniform(0.0, 2 * np.pi, numbers.size),
        level_db=rng.uniform(-40.0, -8.0),
        offset=rng.uniform(-0.1, 0.1) if rng.random() < 0.5 else 0.0,
    )


def _gain(rng: np.random.Generator) -> Line:
    coarse = rng.random() < 0.3
    gain_db = rng.uniform(-15.0, 15.0) if coarse else rng.uniform(-40.0, 20.0)
    n_bits = 8 if coarse else 16
    return lambda samples, sample_rate: channels.gained(samples, gain_db, n_bits)


def _pumping(rng: np.random.Generator) -> Line:
    return functools.partial(
        channels.pumped,
        target_db=rng.uniform(-28.0, -14.0),
        most_db=rng.uniform(15.0, 40.0),
        attack_s=np.exp(rng.uniform(np.log(0.005), np.log(0.1))),
        release_s=np.exp(rng.uniform(np.log(0.1), np.log(2.0))),
        strength=rng.uniform(0.5, 1.0),
    )


_DRAW: dict[str | None, Callable[[np.random.Generator], Line]] = {
    "narrow_band": _narrow_band,
    "mu_law": _mu_law,
    "codec": _codec,
    "bluetooth": _bluetooth,
    "hum": _hum,
    "gain": _gain,
    "pumping": _pumping,
}
