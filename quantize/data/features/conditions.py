"""Names of the conditions that clips are heard under; a command's help needs no more."""

from __future__ import annotations

__all__ = ["CODECS", "CONDITIONS", "EVERYDAY", "EVERY_CONDITION", "LINES", "NOISES", "ROOMS"]

_SNRS_DB = (20, 15, 10, 5, 0)

#: Rooms by name: someone near in a small furnished room, and a microphone across a
#: living room, about four times as far from the mouth as in the recordings.
ROOMS: dict[str, dict[str, float]] = {
    "small-room": {
        "reverberation_s": 0.3,
        "direct_to_reverberant_db": 3.0,
        "delay_s": 0.002,
        "gain_db": 0.0,
    },
    "far-microphone": {
        "reverberation_s": 0.5,
        "direct_to_reverberant_db": -3.0,
        "delay_s": 0.005,
        "gain_db": -12.0,
    },
}

#: Conditions of the protocol ``noise`` but a clean clip: noise and its SNR, then the rooms.
CONDITIONS = (
    *(f"{kind}-{snr_db}dB" for kind in ("white", "pink", "babble") for snr_db in _SNRS_DB),
    *ROOMS,
)

#: Codecs of :data:`quantize.data.sound.codecs.CODECS` that are measured.
CODECS = ("vorbis-8k", "opus-12kbps", "opus-7kbps", "mp3-16k", "gsm")

#: What a line or an amplifier does, see :data:`quantize.data.sound.fixed_lines.FIXED_LINES`.
LINES = (
    "band-3400Hz",
    "band-4000Hz",
    "band-5500Hz",
    "mu-law",
    "bluetooth",
    "hum-50Hz",
    "hum-100Hz",
    "hum-120Hz",
    "offset",
    "gain-40dB-down",
    "gain-20dB-down",
    "gain-20dB-up",
    "automatic-gain",
)

#: Everyday sounds: recordings that a person names.
EVERYDAY = "sounds-10dB"

#: Noise, all at one SNR.
NOISES = ("white-10dB", "pink-10dB", "brown-10dB", "babble-10dB", "music-10dB", EVERYDAY)

#: Conditions of the protocol ``conditions`` but a clean clip.
EVERY_CONDITION = (*LINES, *CODECS, *NOISES, *ROOMS)
