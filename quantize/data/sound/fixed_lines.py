"""Lines that models are measured through: fixed ones, where training draws its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.data.sound import channels, codecs

__all__ = ["FIXED_LINES"]

Line = Callable[[NDArray[Any], int], NDArray[np.float32]]


def _hum(mains_hz: float, n_partials: int, level_db: float) -> Line:
    """Hum whose partials fall by their number."""
    numbers = np.arange(1, n_partials + 1)
    return functools.partial(
        channels.with_hum,
        partials_hz=mains_hz * numbers,
        amplitudes=1.0 / numbers,
        phases=np.zeros(n_partials),
        level_db=level_db,
    )


def _gain(gain_db: float) -> Line:
    return lambda samples, sample_rate: channels.gained(samples, gain_db)


#: Lines by the names of their conditions.
FIXED_LINES: dict[str, Line] = {
    **{
        f"band-{cutoff_hz}Hz": functools.partial(channels.narrow_band, cutoff_hz=cutoff_hz)
        for cutoff_hz in (3400, 4000, 5500)
    },
    "mu-law": channels.mu_law,
    "bluetooth": lambda samples, sample_rate: codecs.band_coded(samples),
    # Of the mains alone, and of a rectifier, whose partials lie where voices do.
    "hum-50Hz": _hum(50.0, 1, -10.0),
    "hum-100Hz": _hum(100.0, 4, -20.0),
    "hum-120Hz": _hum(120.0, 4, -20.0),
    "offset": lambda samples, sample_rate: (samples + 0.1).astype(np.float32),
    "gain-40dB-down": _gain(-40.0),
    "gain-20dB-down": _gain(-20.0),
    "gain-20dB-up": _gain(20.0),
    "automatic-gain": channels.pumped,
}
