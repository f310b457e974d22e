"""Names of the conditions that clips are heard under; a command's help needs no more."""

from __future__ import annotations

__all__ = ["CONDITIONS", "ROOMS"]

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

#: All conditions but a clean clip: noise and its SNR, then the rooms.
CONDITIONS = (
    *(f"{kind}-{snr_db}dB" for kind in ("white", "pink", "babble") for snr_db in _SNRS_DB),
    *ROOMS,
)
